/** What must hold over time: supervision, restarts, kill -9. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, type Clock } from '@siphera/runtime';
import { FakeCore, FakePanel, freePort } from '@siphera/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { startRig, until, type Rig } from './testing/rig.ts';

/** A clock that a test moves by hand, in both its faces. */
class HandClock implements Clock {
  #offsetMs = 0;
  now = (): number => systemClock.now() + this.#offsetMs;
  monotonic = (): number => systemClock.monotonic() + this.#offsetMs;
  pass(ms: number): void {
    this.#offsetMs += ms;
  }
}

let rig: Rig | undefined;
afterEach(async () => {
  await rig?.stop();
  rig = undefined;
});

describe('supervision', () => {
  it('tells of a silent panel once, and of its return, also over a restart', async () => {
    const clock = new HandClock();
    // Tokens are checked by the same clock, so accounts are made before time is moved.
    rig = await startRig({ clock });
    const account = await rig.adopt('6001', { supervision_ms: 90_000 });
    expect(account.supervision).toBe('ok');
    const panel = new FakePanel({ port: rig.panel.dc09Port, account: '6001', now: clock.now });
    clock.pass(80_000);
    expect((await panel.linkTest()).answer?.kind).toBe('ACK');
    panel.close();
    clock.pass(80_000);
    rig.panel.tick();
    expect(rig.core.events).toEqual([]);

    await rig.restart();
    clock.pass(11_000);
    rig.panel.tick();
    const { core } = rig;
    const lost = await until(() => core.events[0]);
    expect(lost).toMatchObject({ type: 'panel.supervision_lost', data: { account: '6001' } });
    expect(lost.data['silent_ms']).toBeGreaterThanOrEqual(90_000);
    await rig.restart();
    clock.pass(100_000);
    rig.panel.tick();

    const again = new FakePanel({ port: rig.panel.dc09Port, account: '6001', now: clock.now });
    await again.linkTest();
    again.close();
    expect(await until(() => core.events[1])).toMatchObject({ type: 'panel.supervision_restored' });
    expect(core.events).toHaveLength(2);
  });

  it('does not count the time the receiver itself was down', async () => {
    const clock = new HandClock();
    rig = await startRig({ clock });
    await rig.adopt('6002', { supervision_ms: 90_000 });
    const { core } = rig;
    clock.pass(60_000);
    rig.panel.tick();
    await rig.halt();
    clock.pass(3_600_000);
    await rig.restart();
    clock.pass(20_000);
    rig.panel.tick();
    expect(core.events).toEqual([]);
    clock.pass(11_000);
    rig.panel.tick();
    expect(await until(() => core.events[0])).toMatchObject({ type: 'panel.supervision_lost' });
  });
});

describe('the process', () => {
  it('killed again and again under load loses and doubles nothing that was acknowledged', async () => {
    const box = await startProcessBox();
    const panels = ['A001', 'A002', 'A003'].map(
      (account) =>
        new FakePanel({
          port: box.port,
          account,
          now: () => systemClock.now(),
          answerMs: 400,
          attempts: 100,
        }),
    );
    try {
      const acked: string[] = [];
      const load = panels.map(async (panel, index) => {
        for (let zone = 1; zone <= 120; zone += 1) {
          const text = String(zone).padStart(3, '0');
          const { answer } = await panel.contactId(`1130 01 ${text}`);
          if (answer?.kind === 'ACK') acked.push(`A00${index + 1}/${text}`);
        }
      });
      for (let kill = 0; kill < 5; kill += 1) {
        const seen = acked.length;
        await until(() => acked.length > seen + 20 || undefined);
        await box.kill();
        await box.start();
      }
      await Promise.all(load);
      expect(acked).toHaveLength(360);
      const committed = box.core.events.map(
        (event) => `${String(event.data['account'])}/${String(event.data['zone'])}`,
      );
      expect([...committed].sort()).toEqual([...acked].sort());
    } finally {
      for (const panel of panels) panel.close();
      await box.stop();
    }
  });

  it('refuses to start with a bad environment, naming every bad variable', async () => {
    const child = spawn(process.execPath, [mainFile], {
      env: { PATH: process.env['PATH'], DATA_DIR: '/tmp', PANEL_KEY: 'short', PANEL_DC09_LISTEN: 'nowhere' },
    });
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    const code = await new Promise((resolve) => child.once('exit', resolve));
    expect(code).toBe(78);
    for (const name of ['PANEL_KEY', 'PANEL_DC09_LISTEN', 'CORE_INTERNAL_URL'])
      expect(errors).toContain(name);
  });
});

const mainFile = join(import.meta.dirname, 'main.ts');

/** The service as its supervisor starts it: a process of its own. */
async function startProcessBox() {
  const directory = mkdtempSync(join(tmpdir(), 'siphera-panel-kill-'));
  const core = new FakeCore(join(directory, 'core.sock'));
  await core.start();
  const keyFile = join(directory, 'panel.key');
  writeFileSync(keyFile, Buffer.alloc(32, 3).toString('base64'), { mode: 0o600 });
  const port = await freePort();
  const http = await freePort();
  const metrics = await freePort();
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    child = spawn(process.execPath, [mainFile], {
      stdio: 'ignore',
      env: {
        PATH: process.env['PATH'],
        DATA_DIR: directory,
        CORE_INTERNAL_URL: `unix:${core.socketPath}`,
        PANEL_KEY_FILE: keyFile,
        PANEL_DC09_LISTEN: `127.0.0.1:${port}`,
        PANEL_HTTP_LISTEN: `127.0.0.1:${http}`,
        PANEL_METRICS_LISTEN: `127.0.0.1:${metrics}`,
      },
    });
    await until(async () => {
      try {
        return (await fetch(`http://127.0.0.1:${metrics}/healthz`)).ok || undefined;
      } catch {
        return undefined;
      }
    });
  };
  const kill = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    const dying = child;
    if (!dying) return;
    const gone = new Promise<void>((resolve) => dying.once('exit', () => resolve()));
    dying.kill(signal);
    await gone;
  };
  await start();
  return {
    core,
    port,
    start,
    kill,
    stop: async () => {
      await kill('SIGTERM');
      await core.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
