/** Many panels at once, for measuring: each sends its next message as soon as the last one is acknowledged, or at a given rate. */
import { FakePanel, type FakePanelOptions } from './fake-panel.ts';

export type PanelLoadOptions = Pick<FakePanelOptions, 'port' | 'host' | 'transport' | 'now'> & {
  panels: number;
  messagesPerPanel: number;
  /** Of all panels together; absent: as fast as they are acknowledged. */
  perSecond?: number;
  keyOf?: (panel: number) => Buffer | undefined;
  accountOf?: (panel: number) => string;
  /** Milliseconds that never go back. */
  monotonic: () => number;
};

export type PanelLoadResult = {
  sent: number;
  acked: number;
  retried: number;
  seconds: number;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
};

export async function runPanelLoad(options: PanelLoadOptions): Promise<PanelLoadResult> {
  const { panels, messagesPerPanel, monotonic } = options;
  const times: number[] = [];
  let retried = 0;
  const started = monotonic();
  const runOne = async (index: number): Promise<void> => {
    const panel = makePanel(options, index);
    for (let message = 0; message < messagesPerPanel; message += 1) {
      await pace(options, started, message * panels + index);
      const at = monotonic();
      const zone = String((message % 998) + 1).padStart(3, '0');
      const { answer, attempts } = await panel.contactId(`${message % 2 === 0 ? 1 : 3}130 01 ${zone}`);
      if (answer?.kind === 'ACK') times.push(monotonic() - at);
      retried += attempts - 1;
    }
    panel.close();
  };
  await Promise.all(Array.from({ length: panels }, (_, index) => runOne(index)));
  const seconds = (monotonic() - started) / 1_000;
  times.sort((a, b) => a - b);
  const at = (share: number): number =>
    times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  return {
    sent: panels * messagesPerPanel,
    acked: times.length,
    retried,
    seconds,
    perSecond: times.length / seconds,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    maxMs: times.at(-1) ?? 0,
  };
}

function makePanel(options: PanelLoadOptions, index: number): FakePanel {
  const { port, now } = options;
  const key = options.keyOf?.(index);
  return new FakePanel({
    port,
    now,
    account: options.accountOf?.(index) ?? (0xa000 + index).toString(16).toUpperCase(),
    ...(options.host === undefined ? {} : { host: options.host }),
    ...(options.transport === undefined ? {} : { transport: options.transport }),
    ...(key === undefined ? {} : { key }),
  });
}

async function pace(options: PanelLoadOptions, started: number, number: number): Promise<void> {
  if (options.perSecond === undefined) return;
  const waitMs = started + (number / options.perSecond) * 1_000 - options.monotonic();
  if (waitMs > 1) await new Promise((resolve) => setTimeout(resolve, waitMs));
}
