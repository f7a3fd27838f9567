import { describe, expect, it } from 'vitest';
import { openMemory, startMs } from '../testing/memory-box.ts';
import { Listening } from './listening.ts';

const minute = 60_000;

async function listenFor(
  box: ReturnType<typeof openMemory>,
  listening: Listening,
  seconds: number,
  connected = true,
) {
  for (let n = 0; n < seconds; n++) {
    box.clock.advance(1_000);
    await box.writer.submit((tx) => listening.tick(tx, connected));
  }
}

describe('when the box could not hear', () => {
  it('is never, while it listens', async () => {
    const box = openMemory();
    const listening = new Listening(box.db, box.clock);
    await listenFor(box, listening, 60);
    expect(listening.deafMs(startMs, box.clock.now())).toBe(0);
  });

  it('counts the time it was down, also after a restart', async () => {
    const box = openMemory();
    await listenFor(box, new Listening(box.db, box.clock), 30);
    const cutMs = box.clock.now();
    box.clock.advance(10 * minute);
    const again = new Listening(box.db, box.clock);
    await listenFor(box, again, 5);
    const deaf = again.deafMs(cutMs, box.clock.now());
    expect(deaf).toBeGreaterThanOrEqual(10 * minute);
    expect(new Listening(box.db, box.clock).deafMs(cutMs - 2 * minute, cutMs - minute)).toBe(0);
  });

  it('counts the time the broker was away, while it still is', async () => {
    const box = openMemory();
    const listening = new Listening(box.db, box.clock);
    await listenFor(box, listening, 10);
    const lostMs = box.clock.now();
    await listenFor(box, listening, 90, false);
    expect(listening.deafMs(lostMs, box.clock.now())).toBe(90_000);
  });
});
