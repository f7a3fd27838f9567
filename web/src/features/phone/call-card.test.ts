import { flushPromises } from '@vue/test-utils';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { useSession } from '#app/session.store.ts';
import { emergencyAsked } from '#features/emergency-line/open-emergency.ts';
import CallCard from './CallCard.vue';
import DialPad from './DialPad.vue';
import { noLine, type LineCommand } from './line-types.ts';
import { usePhone } from './phone.store.ts';
import { aCall, mountPhone, signInWith } from './testing/mount-phone.ts';

const hostile = '<img src=x onerror="window.__xss=1">';
const door = {
  number: '300',
  name: 'Gate',
  kind: 'door',
  user_id: null,
  area_id: null,
  registered: true,
  busy: true,
  camera_id: 'cam-1',
  door_id: 'door-1',
};
const live = { id: 'call-1', call_id: 'sip-1', state: 'ringing', door_id: 'door-1', camera_id: 'cam-1' };
let answers: Map<string, () => Response>;
let asked: { path: string; body: unknown }[];
let done: LineCommand[];

beforeEach(() => {
  localStorage.clear();
  asked = [];
  answers = new Map([
    ['/sip/phone-book', () => Response.json({ items: [door] })],
    ['/sip/board', () => Response.json({ items: [live] })],
  ]);
  vi.stubGlobal('fetch', (url: string, request?: RequestInit) => {
    const path = url.replace('/api/v1', '').replace(/\?.*/, '');
    asked.push({ path, body: typeof request?.body === 'string' ? JSON.parse(request.body) : undefined });
    const answer = answers.get(path);
    return answer ? Promise.resolve(answer()) : Promise.reject(new TypeError('no route to the box'));
  });
});
afterEach(() => {
  useSession().leave(undefined);
  emergencyAsked.value = undefined;
  vi.unstubAllGlobals();
  document.body.innerHTML = '';
});

async function draw(
  over: Parameters<typeof aCall>[0] = {},
  permissions = ['phone.use', 'phone.read', 'device.command'],
) {
  signInWith(permissions);
  const phone = usePhone();
  done = [];
  vi.spyOn(phone, 'run').mockImplementation((command) => {
    done.push(command);
  });
  const card = await mountPhone(CallCard, { call: aCall(over) });
  await flushPromises();
  return card;
}

describe('a call on the screen', () => {
  it('rings for a door with its picture, and opens it after a second press', async () => {
    answers.set('/sip/calls/call-1/open-door', () => Response.json({ command_id: 'x' }, { status: 202 }));
    const card = await draw();
    expect(card.text()).toContain('Gate rings');
    expect(card.find('[data-test="open-door"]').attributes('data-state')).toBe('idle');
    await card.get('[data-test="open-door"]').trigger('click');
    expect(card.text()).toContain('Press again to open');
    expect(asked.some(({ path }) => path.endsWith('/open-door'))).toBe(false);
    await card.get('[data-test="open-door"]').trigger('click');
    await flushPromises();
    expect(asked.filter(({ path }) => path.endsWith('/open-door'))).toHaveLength(1);
    expect(card.text()).toContain('The door was told to open.');
  });

  it('says why a door did not open', async () => {
    answers.set('/sip/calls/call-1/open-door', () =>
      Response.json(
        { code: 'device_unavailable', status: 503, title: 'x', detail: 'The lock is offline' },
        { status: 503 },
      ),
    );
    const card = await draw();
    for (let press = 0; press < 2; press += 1) await card.get('[data-test="open-door"]').trigger('click');
    await flushPromises();
    expect(card.get('[role="alert"]').text()).toContain('The lock is offline');
  });

  it('has no door button for who may not open it', async () => {
    const card = await draw({}, ['phone.use', 'phone.read']);
    expect(card.find('[data-test="open-door"]').exists()).toBe(false);
  });

  it('asks the phone to answer, hold, mute and send keys', async () => {
    const ringing = await draw();
    await ringing.get('[data-test="phone-answer"]').trigger('click');
    const card = await draw({ phase: 'connected', connectedAt: 0, number: '202' });
    await card.get('[data-test="phone-hold"]').trigger('click');
    await card.get('[data-test="phone-mute"]').trigger('click');
    await card.get('[data-test="phone-keys"]').trigger('click');
    await card.get('[data-key="#"]').trigger('click');
    expect(done).toEqual([
      { act: 'hold', id: 'c-1', on: true },
      { act: 'mute', id: 'c-1', on: true },
      { act: 'digits', id: 'c-1', tones: '#' },
    ]);
  });

  it('says that it is not end-to-end encrypted, and in which tab its sound is', async () => {
    const card = await draw({ phase: 'connected', connectedAt: 0 });
    expect(card.text()).toContain('Not end-to-end encrypted');
    expect(card.text()).toContain('in another tab');
  });

  it('shows names and reasons as text', async () => {
    answers.delete('/sip/phone-book');
    const card = await draw({
      phase: 'ended',
      name: hostile,
      end: { word: 'refused', reason: hostile, nearestPhone: null },
    });
    expect(card.text()).toContain('This call is not allowed');
    expect(card.text()).toContain(hostile);
    expect(document.querySelectorAll('img')).toHaveLength(0);
  });
});

describe('the dial pad', () => {
  async function pad(text: string, state: 'ready' | 'no_server' = 'ready') {
    signInWith(['phone.use', 'phone.read']);
    const phone = usePhone();
    phone.view = { ...noLine, state, number: '201' };
    done = [];
    const wrapper = await mountPhone(DialPad);
    await wrapper.get('[data-test="phone-number"]').setValue(text);
    return wrapper;
  }

  it('sends an emergency number to the emergency line, registered or not', async () => {
    const wrapper = await pad('911', 'no_server');
    await wrapper.get('form').trigger('submit');
    expect(emergencyAsked.value).toEqual({ number: '911' });
  });

  it('sends what the plan calls an emergency there too', async () => {
    vi.useFakeTimers();
    answers.set('/sip/plan/explain', () =>
      Response.json({
        kind: 'emergency',
        number: '911',
        class: null,
        allowed: true,
        words: 'Emergency call',
      }),
    );
    const wrapper = await pad('9911');
    await vi.advanceTimersByTimeAsync(400);
    vi.useRealTimers();
    await flushPromises();
    await wrapper.get('form').trigger('submit');
    expect(emergencyAsked.value).toEqual({ number: '9911' });
  });

  it('says what would happen, and does not call without a registration', async () => {
    vi.useFakeTimers();
    answers.set('/sip/plan/explain', () =>
      Response.json({
        kind: 'outside',
        number: '+19005550100',
        class: 'premium',
        allowed: false,
        words: 'Premium: not allowed for you',
      }),
    );
    const wrapper = await pad('1 900 555-0100', 'no_server');
    await vi.advanceTimersByTimeAsync(400);
    vi.useRealTimers();
    await flushPromises();
    expect(asked.at(-1)?.body).toEqual({ dialled: '19005550100' });
    expect(wrapper.get('[data-test="phone-words"]').text()).toBe('Premium: not allowed for you');
    expect(wrapper.get('[data-test="phone-dial"]').attributes('disabled')).toBeDefined();
  });

  it('says that words are no number', async () => {
    const wrapper = await pad('Bert');
    expect(wrapper.get('[data-test="phone-words"]').text()).toContain('no number');
  });
});
