/** The set-up page: an address, what answers there, and the fingerprint a person compares before the desk trusts it. */
import type { ProbeResult, SipheraSetup } from './channels.shared.ts';
import { fingerprintLines, normaliseFingerprint } from './fingerprint.shared.ts';
import { byId, fillTexts, text } from './page-text.renderer.ts';

declare global {
  interface Window {
    readonly sipheraSetup: SipheraSetup;
  }
}

const desk = window.sipheraSetup;
const address = byId('address', HTMLInputElement);
const lookButton = byId('look-button', HTMLButtonElement);
const problem = byId('problem', HTMLParagraphElement);
const trust = byId('trust', HTMLFormElement);
const expected = byId('expected', HTMLInputElement);
const compared = byId('compared', HTMLInputElement);
const autostart = byId('autostart', HTMLInputElement);
const accept = byId('accept', HTMLButtonElement);
let found: ProbeResult | undefined;

fillTexts();
byId('look', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  void look();
});
trust.addEventListener('submit', (event) => {
  event.preventDefault();
  void connect();
});
address.addEventListener('input', () => show(undefined));
expected.addEventListener('input', judge);
compared.addEventListener('change', judge);
void desk.state().then((state) => {
  address.value = state.origin ?? '';
  autostart.checked = state.autostart;
  byId('damaged', HTMLParagraphElement).hidden = !state.damaged;
  address.focus();
});

async function look(): Promise<void> {
  lookButton.disabled = true;
  try {
    show(await desk.probe(address.value));
  } finally {
    lookButton.disabled = false;
  }
}

function show(result: ProbeResult | undefined): void {
  found = result;
  problem.hidden = result?.kind !== 'failed';
  trust.hidden = result === undefined || result.kind === 'failed';
  expected.value = '';
  compared.checked = false;
  if (result?.kind === 'failed') problem.textContent = text(result.reason);
  else if (result !== undefined) {
    byId('box-name', HTMLHeadingElement).textContent = result.name;
    byId('own-ca', HTMLElement).hidden = result.kind !== 'own_ca';
    byId('admin-certificate', HTMLParagraphElement).hidden = result.kind !== 'admin_certificate';
    byId('fingerprint', HTMLPreElement).textContent =
      result.kind === 'own_ca' ? fingerprintLines(result.fingerprint).join('\n') : '';
  }
  judge();
}

/** Pasting another fingerprint wins over the tick: the tick may be a habit, the text is not. */
function judge(): void {
  const pasted = expected.value.trim();
  const isOwn = found?.kind === 'own_ca';
  const matches = found?.kind === 'own_ca' && normaliseFingerprint(pasted) === found.fingerprint;
  byId('mismatch', HTMLParagraphElement).hidden = !isOwn || pasted === '' || matches;
  const isCompared = pasted === '' ? compared.checked : matches;
  accept.disabled = !(found?.kind === 'admin_certificate' || (isOwn && isCompared));
}

async function connect(): Promise<void> {
  if (found === undefined || found.kind === 'failed') return;
  const fingerprint = found.kind === 'own_ca' ? { fingerprint: found.fingerprint } : {};
  const accepted = await desk.accept({ origin: found.origin, ...fingerprint, autostart: autostart.checked });
  if (accepted) return;
  show(undefined);
  problem.textContent = text('changed');
  problem.hidden = false;
}
