/** Talk of an incident's room as a member's device files it: canonical JSON, signed with Ed25519. */
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { canonicalJson } from '@siphera/contract';

const unpadded = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');

export function transcriptOf({
  incidentId,
  filedBy,
  more = {},
}: {
  incidentId: string;
  filedBy: string;
  more?: Record<string, unknown>;
}) {
  const document = canonicalJson({
    room_id: randomUUID(),
    incident_id: incidentId,
    filed_by: filedBy,
    messages: [{ at: '2026-11-28T10:00:00.000Z', from: filedBy, text: 'Door is shut again. Ümlaut 🚪' }],
    ...more,
  });
  return signed(document);
}

/** Signs any text, fit or not. */
export function signed(document: string) {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const jwk = publicKey.export({ format: 'jwk' });
  return {
    body: {
      document,
      device_id: 'ABCDEFGHIJ',
      device_key: unpadded(Buffer.from(jwk.x ?? '', 'base64url')),
      signature: unpadded(sign(null, Buffer.from(document), privateKey)),
    },
  };
}
