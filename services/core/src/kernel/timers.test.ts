import { describe, expect, it } from 'vitest';
import { openMemory, quietLog } from '../testing/memory-box.ts';
import { setTimer, TimerLoop, type TimerHandler } from './timers.ts';

function loopWith(handler: TimerHandler) {
  const memory = openMemory();
  const { db, writer, clock } = memory;
  const handlers = { rules: handler, commands: handler, escalation: handler };
  const loop = new TimerLoop({ db, writer, clock, log: quietLog, handlers });
  const due = (): Promise<void> =>
    writer.submit((tx) => setTimer(tx, { owner: 'escalation', key: 'k', orgId: 'o', dueMs: tx.nowMs }));
  const rows = (): number => db.prepare<[], { n: number }>('SELECT count(*) AS n FROM timers').get()?.n ?? -1;
  return { ...memory, loop, due, rows };
}

const turns = async (): Promise<void> => {
  for (let n = 0; n < 20; n++) await new Promise((resolve) => setImmediate(resolve));
};

describe('TimerLoop', () => {
  it('fires a timer once', async () => {
    let fired = 0;
    const { loop, due, rows } = loopWith(() => {
      fired += 1;
    });
    await due();
    loop.start();
    await turns();
    loop.stop();
    expect([fired, rows()]).toEqual([1, 0]);
  });

  it('keeps a timer that could not be stored, and does not spin on it', async () => {
    let tries = 0;
    const { loop, due, rows } = loopWith(() => {
      tries += 1;
      throw Object.assign(new Error('full'), { code: 'SQLITE_FULL' });
    });
    await due();
    loop.start();
    await turns();
    loop.stop();
    expect([tries, rows()]).toEqual([1, 1]);
  });

  it('keeps a timer that was refused because too many writes wait', async () => {
    let fired = 0;
    const { loop, due, rows, writer } = loopWith(() => {
      fired += 1;
    });
    await due();
    const waiting = Array.from({ length: 20_000 }, () => writer.submit(() => undefined));
    loop.start();
    await Promise.all(waiting);
    await turns();
    loop.stop();
    expect([fired, rows()]).toEqual([0, 1]);
  });

  it('takes off a timer whose handler fails by itself', async () => {
    const { loop, due, rows } = loopWith(() => {
      throw new Error('a bug');
    });
    await due();
    loop.start();
    await turns();
    loop.stop();
    expect(rows()).toBe(0);
  });
});
