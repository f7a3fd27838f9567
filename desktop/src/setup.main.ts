/** What the set-up page can ask: a look at an address, and to trust what that look found. */
import { channels, type ProbeResult, type SetupState } from './channels.shared.ts';
import { normaliseFingerprint } from './fingerprint.shared.ts';
import { AcceptInput, Nothing, ProbeInput, type Handle } from './ipc.shared.ts';
import type { Probe } from './probe.main.ts';
import type { ReadSettings, Settings } from './settings.shared.ts';

export function handleSetup(
  handle: Handle,
  options: {
    read: () => ReadSettings;
    probe: (address: string) => Promise<Probe>;
    onAccepted: (settings: Settings) => void;
  },
): void {
  let last: Probe | undefined;
  handle(channels.setupState, Nothing, (): SetupState => {
    const read = options.read();
    const settings = read.kind === 'ok' ? read.settings : undefined;
    return {
      origin: settings?.origin,
      autostart: settings?.autostart ?? false,
      damaged: read.kind === 'damaged',
    };
  });
  handle(channels.setupProbe, ProbeInput, async (address): Promise<ProbeResult> => {
    last = await options.probe(address);
    return last.result;
  });
  handle(channels.setupAccept, AcceptInput, ({ origin, fingerprint, autostart }): boolean => {
    const trust = trustOf(last, origin, fingerprint);
    if (trust === undefined) return false;
    options.onAccepted({ version: 1, origin, trust, autostart });
    return true;
  });
}

/** Only what the last look found is ever trusted, and only under the fingerprint that the page showed. */
function trustOf(
  probe: Probe | undefined,
  origin: string,
  fingerprint: string | undefined,
): Settings['trust'] | undefined {
  if (probe === undefined || probe.result.kind === 'failed' || probe.result.origin !== origin)
    return undefined;
  if (probe.result.kind === 'admin_certificate')
    return fingerprint === undefined ? { kind: 'system' } : undefined;
  const shown = normaliseFingerprint(fingerprint ?? '');
  if (probe.caPem === undefined || shown !== probe.result.fingerprint) return undefined;
  return { kind: 'pinned', ca_pem: probe.caPem, fingerprint: shown };
}
