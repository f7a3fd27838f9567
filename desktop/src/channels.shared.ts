/** Names of the IPC channels and what the two preload scripts offer their pages. No code: preloads stay small. */

export const channels = {
  alarm: 'desk:alarm',
  clearAlarm: 'desk:clear-alarm',
  openSettings: 'desk:open-settings',
  setupState: 'setup:state',
  setupProbe: 'setup:probe',
  setupAccept: 'setup:accept',
} as const;

export type AlarmSeverity = 'info' | 'low' | 'medium' | 'high' | 'critical';

/** `window.sipheraDesk` in the web console. Each call resolves when the desk has done it, and rejects on bad input. */
export type SipheraDesk = {
  readonly version: string;
  /** An alarm nobody has taken yet. From `high` on the desk comes to the front and sounds until `clearAlarm`. */
  alarm(severity: AlarmSeverity): Promise<void>;
  /** No alarm waits any more. */
  clearAlarm(): Promise<void>;
  openSettings(): Promise<void>;
};

export type SetupState = { origin: string | undefined; autostart: boolean; damaged: boolean };

/** What a look at an address found. `own_ca`: compare the fingerprint. `admin_certificate`: checked as in a browser. */
export type ProbeResult =
  | { kind: 'own_ca'; origin: string; name: string; fingerprint: string; expires_at: string }
  | { kind: 'admin_certificate'; origin: string; name: string }
  | { kind: 'failed'; reason: ProbeFailure };
export type ProbeFailure = 'bad_address' | 'unreachable' | 'not_a_box' | 'wrong_chain';

/** `window.sipheraSetup` in the desk's own set-up page. */
export type SipheraSetup = {
  state(): Promise<SetupState>;
  probe(address: string): Promise<ProbeResult>;
  /** Trusts what the last look found, when it still has this fingerprint. */
  accept(choice: { origin: string; fingerprint?: string; autostart: boolean }): Promise<boolean>;
};
