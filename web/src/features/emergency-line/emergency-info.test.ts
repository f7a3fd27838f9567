import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const file = {
  domain: 'box.example',
  numbers: [
    { number: '911', label: 'Emergency', test: false },
    { number: '5555', label: 'Site emergency', test: false },
    { number: '933', label: 'Test', test: true },
  ],
  locations: [{ id: 'a-1', label: 'Lobby', nearest_phone: '205' }],
  default_location_id: 'a-1',
  ready: true,
  notes: '',
};
const answers = new Map<string, () => Response>();
/** A page that was just opened: nothing is known but what the browser kept. */
const load = async () => {
  vi.resetModules();
  return import('./emergency-info.ts');
};

beforeEach(() => {
  localStorage.clear();
  answers.clear();
  vi.stubGlobal('fetch', (url: string) => {
    const answer = answers.get(url);
    return answer ? Promise.resolve(answer()) : Promise.reject(new TypeError('no route to the box'));
  });
});
afterEach(() => vi.unstubAllGlobals());

describe('what is known of emergency calls', () => {
  it('is 911 and 112 on this host where nothing is known', async () => {
    const info = await load();
    await info.refreshEmergencyInfo();
    expect(info.emergencyInfo.value).toMatchObject({ domain: location.hostname, ready: true });
    expect(info.isEmergencyNumber('911') && info.isEmergencyNumber('112')).toBe(true);
    expect(info.isEmergencyNumber('201')).toBe(false);
  });

  it('comes from the front door’s file, and is kept for a page that finds nobody', async () => {
    answers.set('/emergency.json', () => Response.json(file));
    const info = await load();
    await info.refreshEmergencyInfo();
    expect(info.isEmergencyNumber('5555')).toBe(true);
    answers.clear();
    const later = await load();
    expect(later.emergencyInfo.value).toEqual(file);
    await later.refreshEmergencyInfo();
    expect(later.emergencyInfo.value).toEqual(file);
  });

  it('comes from the bridge where the file is a page of the console', async () => {
    answers.set('/emergency.json', () => new Response('<!doctype html>', { status: 200 }));
    answers.set('/api/v1/sip/emergency/info', () => Response.json(file));
    const info = await load();
    await info.refreshEmergencyInfo();
    expect(info.emergencyInfo.value.locations).toHaveLength(1);
  });

  it('takes what is good of a damaged file, and never lacks a number', async () => {
    const { parseEmergencyInfo } = await load();
    const damaged = parseEmergencyInfo({
      domain: 'box.example',
      numbers: [{ number: '911; rm', label: 'x' }, 7, { number: '933', label: 'Test', test: true }],
      locations: [{ id: 'a 1\r\nX-Evil: 1', label: 'x' }, { id: 'b-2', label: 'Gate' }, null],
    });
    expect(damaged?.numbers.map(({ number }) => number)).toEqual(['911', '112', '933']);
    expect(damaged?.locations.map(({ id }) => id)).toEqual(['b-2']);
    for (const nonsense of [null, 'x', { domain: 'a b' }, {}])
      expect(parseEmergencyInfo(nonsense)).toBeUndefined();
  });
});
