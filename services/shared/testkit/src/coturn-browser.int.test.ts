/** Two browsers that are allowed nothing but the relay meet in it, by each of the ways that the box offers. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withChromium } from './chromium.ts';
import { type Coturn, startCoturn } from './coturn.ts';
import { createTestCa, type TestCa } from './pki.ts';
import { type TempDir, tempDir } from './temp-dir.ts';

let dir: TempDir;
let ca: TestCa;
let coturn: Coturn;

beforeAll(async () => {
  dir = await tempDir('coturn-browser');
  ca = await createTestCa(`${dir.path}/pki`);
  coturn = await startCoturn({ dir: dir.path, ca });
});
afterAll(async () => {
  await coturn.stop();
  await dir[Symbol.asyncDispose]();
});

type Ice = { urls: string; username: string; credential: string };
type Heard = { said: string; kind: string; protocol: string; address: string };

/** Runs in the page, as text: Node's types do not know its globals. Makes `peer` and answers the description with all candidates. */
const describeSelf = `async ([iceServer, theirs]) => {
  const connection = new RTCPeerConnection({ iceServers: [iceServer], iceTransportPolicy: 'relay' });
  const channel = connection.createDataChannel('talk', { negotiated: true, id: 1 });
  const heard = new Promise((resolve) => (channel.onmessage = ({ data }) => resolve(data)));
  channel.onopen = () => channel.send('hello from ' + (theirs ? 'callee' : 'caller'));
  globalThis.peer = { connection, heard };
  if (theirs) await connection.setRemoteDescription({ type: 'offer', sdp: theirs });
  const gathered = new Promise((resolve) => {
    connection.onicegatheringstatechange = () => connection.iceGatheringState === 'complete' && resolve();
  });
  await connection.setLocalDescription();
  await gathered;
  return connection.localDescription.sdp;
}`;
/** What the other said, and the candidate through which it came. */
const hear = `async () => {
  const said = await globalThis.peer.heard;
  const report = [...(await globalThis.peer.connection.getStats()).values()];
  const pair = report.find(({ type, nominated }) => type === 'candidate-pair' && nominated);
  const local = report.find(({ id }) => id === pair.localCandidateId);
  return { said, kind: local.candidateType, protocol: local.relayProtocol, address: local.address };
}`;
const run = <T>(page: Page, text: string, value?: unknown): Promise<T> =>
  page.evaluate<T>(`(${text})(${JSON.stringify(value) ?? ''})`);

const chromium = () => ({
  caFile: ca.caFile,
  args: ['--allow-loopback-in-peer-connection'],
});

describe('two browsers with the relay alone', () => {
  it.each([
    ['UDP', 0, 'udp'],
    ['TCP', 1, 'tcp'],
    ['TLS', 2, 'tls'],
  ] as const)('talk through it by %s', async (_, which, protocol) => {
    const ice = (session: string): Ice => {
      const { username, password } = coturn.credentials(600, session);
      return { urls: coturn.uris[which], username, credential: password };
    };
    await withChromium(chromium(), async ({ context, page: caller }) => {
      const callee = await context.newPage();
      const offer = await run<string>(caller, describeSelf, [ice('caller')]);
      const answer = await run<string>(callee, describeSelf, [ice('callee'), offer]);
      const take = `(sdp) => globalThis.peer.connection.setRemoteDescription({ type: 'answer', sdp })`;
      await run(caller, take, answer);
      const relayed = { kind: 'relay', protocol, address: coturn.shownAddress };
      expect(await run<Heard>(caller, hear)).toEqual({ said: 'hello from callee', ...relayed });
      expect(await run<Heard>(callee, hear)).toEqual({ said: 'hello from caller', ...relayed });
      expect(offer).not.toContain(coturn.relayAddress);
    });
  });

  it('find no way when their credentials have ended', async () => {
    const { username, password } = coturn.credentials(-1);
    await withChromium(chromium(), async ({ page }) => {
      const ice: Ice = { urls: coturn.uris[0], username, credential: password };
      const sdp = await run<string>(page, describeSelf, [ice]);
      expect(sdp).not.toContain('a=candidate');
    });
  });
});
