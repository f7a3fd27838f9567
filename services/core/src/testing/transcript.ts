/** Talk of an incident's room as a member's device files it: canonical JSON, signed with Ed25519. */
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { canonicalJson, transcriptFormat, type TranscriptDocument } from '@siphera/contract';

const deviceId = 'ABCDEFGHIJ';
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
  const document: TranscriptDocument = {
    format: transcriptFormat,
    room_id: randomUUID(),
    incident_id: incidentId,
    filed_by: filedBy,
    device_id: deviceId,
    filed_at: '2026-11-28T10:05:00.000Z',
    complete: true,
    first_seq: 1,
    last_seq: 1,
    count: 1,
    members: [filedBy],
    messages: [
      {
        id: randomUUID(),
        seq: 1,
        sender: filedBy,
        device: deviceId,
        at: '2026-11-28T10:00:00.000Z',
        text: 'Door is shut again. Ümlaut 🚪',
        acks: [],
      },
    ],
  };
  return signed(canonicalJson({ ...document, ...more }));
}

/** Signs any text, fit or not. */
export function signed(document: string) {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const jwk = publicKey.export({ format: 'jwk' });
  return {
    body: {
      document,
      device_id: deviceId,
      device_key: unpadded(Buffer.from(jwk.x ?? '', 'base64url')),
      signature: unpadded(sign(null, Buffer.from(document), privateKey)),
    },
  };
}
