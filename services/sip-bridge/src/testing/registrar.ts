/** The far end of a trunk that we register at. */
import { createHash } from 'node:crypto';
import type { SipPeer } from '@siphera/testkit';

export type Registrar = {
  peer: SipPeer;
  /** Who signed in. */
  users: Set<string>;
  /** How often. */
  count: () => number;
  /** Where we want to be called, as we said last; empty before. */
  contact: () => string;
  stop: () => void;
};

/** A provider that takes registrations from whoever has any password, after it has asked for it. */
export function registrar(of: SipPeer): Registrar {
  const users = new Set<string>();
  let contact = '';
  let stopped = false;
  let count = 0;
  const serve = async (): Promise<void> => {
    while (!stopped) {
      const request = await of.nextRequest('REGISTER', 1_000).catch(() => undefined);
      if (!request) continue;
      const proof = request.header('authorization');
      if (proof === undefined) {
        const nonce = createHash('sha256')
          .update(request.header('call-id') ?? '')
          .digest('hex');
        of.answer(request, 401, { headers: [`WWW-Authenticate: Digest realm="provider", nonce="${nonce}"`] });
        continue;
      }
      count += 1;
      users.add(/username="([^"]+)"/.exec(proof)?.[1] ?? '');
      contact = request.header('contact') ?? '';
      of.answer(request, 200, { headers: [`Contact: ${contact};expires=600`] });
    }
  };
  void serve();
  return {
    peer: of,
    users,
    count: () => count,
    stop: () => {
      stopped = true;
    },
    contact: () => /<([^>]+)>/.exec(contact)?.[1] ?? '',
  };
}
