/** Keeps one connection up: connects, waits for its loss, waits a while, connects again. Never two at a time. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { DeviceLeaf } from '@siphera/contract';
import type { Random } from '../domain/random.ts';
import type { Identity } from '../enrol/identity.ts';
import { errorFields, type Log } from '../log.ts';
import { reconnectDelayMs } from './backoff.ts';
import { type Link, openLink } from './link.ts';

/** A connection that lived this long was a good one: the next wait starts small again. */
const goodMs = 10_000;

export type LinkKeeper = { setNetwork(up: boolean): Promise<void>; stop(): Promise<void> };
export type LinkKeeperOptions = {
  identity: Identity;
  url: string;
  random: Random;
  log: Log;
  onLink: (link: Link) => void;
  onLost: () => void;
  onMessage: (leaf: 'ack' | 'command' | 'twin', payload: Buffer) => void;
};

/** Starts connecting. `stop` ends the connection and the trying; `setNetwork(false)` does so until `true`. */
export function keepLinked(options: LinkKeeperOptions): LinkKeeper {
  let run = startRun(options);
  return {
    setNetwork: async (up) => {
      await (up ? run.stop() : run.cut());
      if (up) run = startRun(options);
    },
    stop: () => run.stop(),
  };
}

function startRun(options: LinkKeeperOptions): { stop: () => Promise<void>; cut: () => Promise<void> } {
  const stopped = new AbortController();
  let link: Link | undefined;
  const done = keepTrying(options, stopped.signal, (current) => {
    link = current;
  });
  return {
    stop: async () => {
      stopped.abort();
      await link?.end();
      await done;
    },
    cut: async () => {
      stopped.abort();
      link?.cut();
      await done;
    },
  };
}

async function keepTrying(
  options: LinkKeeperOptions,
  stopped: AbortSignal,
  onCurrent: (link: Link | undefined) => void,
): Promise<void> {
  const { log, random } = options;
  for (let attempt = 0; !stopped.aborted; attempt += 1) {
    const lived = await once(options, stopped, onCurrent);
    if (lived) attempt = 0;
    if (stopped.aborted) return;
    const delay = reconnectDelayMs(attempt, random);
    log.debug('link.waiting', { delay_ms: delay });
    // Aborted by a stop: the loop's own condition ends it.
    await sleep(delay, undefined, { signal: stopped }).catch(() => undefined);
  }
}

/** One connection from try to loss. True when it lived long enough to count as good. */
async function once(
  options: LinkKeeperOptions,
  stopped: AbortSignal,
  onCurrent: (link: Link | undefined) => void,
): Promise<boolean> {
  const { identity, url, log } = options;
  const onMessage = (leaf: DeviceLeaf, payload: Buffer): void => {
    if (leaf === 'ack' || leaf === 'command' || leaf === 'twin') options.onMessage(leaf, payload);
  };
  try {
    const link = await openLink({ identity, url, onMessage });
    if (stopped.aborted) {
      await link.end();
      return false;
    }
    onCurrent(link);
    log.info('link.up', { url });
    options.onLink(link);
    const age = AbortSignal.timeout(goodMs);
    await link.closed;
    onCurrent(undefined);
    options.onLost();
    log.warn('link.down', { url });
    return age.aborted;
  } catch (error) {
    log.warn('link.failed', { url, ...errorFields(error) });
    return false;
  }
}
