import type { PushPayload } from '@siphera/contract';
import { describe, expect, it } from 'vitest';
import { payloadBytes, placeOf, sealable, titleOf, topicOf } from './push-payload.ts';

const id = '0192f000-0000-7000-8000-0000000000f1';
const alarm = (title: string, place: string): PushPayload => ({
  kind: 'alarm',
  receipt: 'A'.repeat(22),
  incident_id: id,
  number: 999_999_999,
  title,
  severity: 'critical',
  place,
  opened_at: '2026-11-28T12:00:00.000Z',
});

describe('the payload of a push', () => {
  it('has one length, whatever its kind', () => {
    const kinds: PushPayload[] = [
      alarm('Fire', 'Yard'),
      { kind: 'message', receipt: 'A'.repeat(22) },
      { kind: 'call', receipt: 'A'.repeat(22) },
      { kind: 'cleared', receipt: 'A'.repeat(22), incident_id: id },
    ];
    for (const payload of kinds) {
      expect(sealable(payload)).toHaveLength(payloadBytes);
      expect(JSON.parse(sealable(payload).toString())).toEqual(payload);
    }
  });

  it('holds the longest title and place in any script', () => {
    const title = titleOf({ title: '🔥'.repeat(300), test: true });
    const place = placeOf({ area_name: '🏭'.repeat(120), device_name: '🚪'.repeat(120) });
    expect(sealable(alarm(title, place))).toHaveLength(payloadBytes);
    expect(title).toMatch(/^Test: .*…$/u);
    expect(title.isWellFormed()).toBe(true);
  });

  it.each([['\u0001'], ['"'], ['\\'], ['\ud800'], ['e\u0301\u0301\u0301']])(
    'holds a title and place of nothing but %j',
    (char) => {
      const text = char.repeat(1_000);
      const title = titleOf({ title: text, test: false });
      expect(sealable(alarm(title, placeOf({ area_name: text, device_name: text })))).toHaveLength(
        payloadBytes,
      );
    },
  );

  it('names the place as far as it is known', () => {
    expect(placeOf({ area_name: 'Yard', device_name: 'Gate 3' })).toBe('Yard · Gate 3');
    expect(placeOf({ area_name: null, device_name: 'Gate 3' })).toBe('Gate 3');
    expect(placeOf({ area_name: null, device_name: null })).toBe('');
  });
});

describe('the topic of a push', () => {
  it('is the same for the same thing on the same phone, and tells it to nobody', () => {
    const secret = Buffer.alloc(32, 1);
    const topic = topicOf(secret, 'phone', id);
    expect(topic).toMatch(/^[\w-]{32}$/);
    expect(topicOf(secret, 'phone', id)).toBe(topic);
    expect(topicOf(secret, 'other', id)).not.toBe(topic);
    expect(topicOf(Buffer.alloc(32, 2), 'phone', id)).not.toBe(topic);
    expect(topic).not.toContain(id.slice(0, 8));
  });
});
