/**
 * The guard desk around this page, when there is one: it brings itself to the front and sounds. Told once for each incident
 * that becomes new, and when none waits any more, also once at the start, because the desk may remember an older alarm.
 */
import type { Severity } from '@siphera/contract';

/** What the desk's preload offers; see desktop/README.md. */
type SipheraDesk = { alarm: (severity: Severity) => Promise<void>; clearAlarm: () => Promise<void> };

declare global {
  interface Window {
    readonly sipheraDesk?: SipheraDesk;
  }
}

type Waiting = readonly { id: string; severity: Severity }[];

/** @returns what to call with the incidents that wait, each time they change. */
export function deskTeller(desk: SipheraDesk | undefined = window.sipheraDesk): (waiting: Waiting) => void {
  let known: ReadonlySet<string> | undefined;
  return (waiting) => {
    if (!desk) return;
    const before = known;
    known = new Set(waiting.map((one) => one.id));
    for (const one of waiting)
      if (before?.has(one.id) !== true) void desk.alarm(one.severity).catch(ignoreClosedDesk);
    if (waiting.length === 0 && before?.size !== 0) void desk.clearAlarm().catch(ignoreClosedDesk);
  };
}

/** The desk is being closed: there is nobody left to tell. */
const ignoreClosedDesk = (): void => undefined;
