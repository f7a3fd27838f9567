/** DC-09: panels over TCP, each sending its next message when the last is acknowledged, through panel and core to the commit. */
import { runPanelLoad, setupAdmin, startBox } from '@siphera/testkit';
import type { BenchOptions, BenchRow } from './bench-row.ts';

const panels = 50;
/** A busy receiving centre; one building sends a few a minute. */
const steadyPerSecond = 200;
const warmUpMessages = 10;

export async function benchDc09({ seconds, progress }: BenchOptions): Promise<BenchRow[]> {
  await using box = await startBox({
    services: ['panel'],
    env: { core: { LOG_LEVEL: 'warn' }, panel: { LOG_LEVEL: 'error' } },
  });
  await setupAdmin(box);
  const port = box.panel?.dc09Port ?? 0;
  const shared = { port, panels, now: () => Date.now(), monotonic: () => performance.now() };
  progress('warming up');
  await runPanelLoad({ ...shared, messagesPerPanel: warmUpMessages });
  progress(`${panels} panels at ${steadyPerSecond} frames/s`);
  const steady = await runPanelLoad({
    ...shared,
    messagesPerPanel: Math.ceil((steadyPerSecond * seconds) / panels),
    perSecond: steadyPerSecond,
  });
  progress(`${panels} panels as fast as they are acknowledged`);
  const probe = await runPanelLoad({ ...shared, messagesPerPanel: warmUpMessages });
  const most = await runPanelLoad({
    ...shared,
    messagesPerPanel: Math.ceil((probe.perSecond * seconds) / panels),
  });
  const row = (what: string, ours: number, target?: number): BenchRow => ({
    what: `DC-09, ${panels} panels: ${what}`,
    ours,
    unit: 'ms',
    better: 'less',
    ...(target === undefined ? {} : { target: { ours: target } }),
  });
  return [
    { ...row('most', most.perSecond), unit: 'frames/s', better: 'more' },
    row('ACK p50 at the most', most.p50Ms),
    row('ACK p99 at the most', most.p99Ms),
    row(`ACK p50 at ${steadyPerSecond}/s`, steady.p50Ms),
    row(`ACK p99 at ${steadyPerSecond}/s`, steady.p99Ms, 50),
    {
      ...row('frames never acknowledged', steady.sent - steady.acked + most.sent - most.acked, 0),
      unit: '',
    },
  ];
}
