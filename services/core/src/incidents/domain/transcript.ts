/**
 * Checks talk that is to be filed: signed by the key that comes with it, and about this incident. What was written in it is
 * not core's matter, and whose key that is neither: readers compare it with the people's keys. Pure.
 */
import { createPublicKey, verify } from 'node:crypto';
import { canonicalJson, type IncidentTranscript } from '@siphera/contract';
import { AppError, isTooDeep } from '@siphera/runtime/base';
import { z } from 'zod';

/** What core reads of the document; the rest is for whoever reads the talk. */
const Head = z.looseObject({
  room_id: z.uuid(),
  incident_id: z.uuid(),
  filed_by: z.uuid(),
  device_id: z.string().optional(),
});

/** Names the form of the file, for whoever finds it years from now. */
const fileFormat = 'siphera-talk-transcript-1';

/**
 * The file that is kept: the document as it was signed, and all that its check needs.
 * @throws AppError `unprocessable` with what does not fit.
 */
export function readTranscript(
  input: z.infer<typeof IncidentTranscript>,
  expected: { incidentId: string; filedBy: string },
): { roomId: string; file: string } {
  if (!isSigned(input)) throw refused('The signature does not fit the document and the device key.');
  const head = readHead(input.document);
  if (head.incident_id !== expected.incidentId) throw refused('The document is about another incident.');
  if (head.filed_by !== expected.filedBy) throw refused('The document was made by somebody else.');
  if (head.device_id !== undefined && head.device_id !== input.device_id)
    throw refused('The document names another device.');
  const { document, device_id, device_key, signature } = input;
  return {
    roomId: head.room_id,
    file: JSON.stringify({ format: fileFormat, device_id, device_key, signature, document }),
  };
}

const refused = (detail: string): AppError => new AppError('unprocessable', detail);

function readHead(document: string): z.infer<typeof Head> {
  let value: unknown;
  let canonical: boolean;
  try {
    value = JSON.parse(document);
    // A member that stands in it twice is read in one way here and in another elsewhere.
    canonical = !isTooDeep(value) && canonicalJson(value) === document;
  } catch (cause) {
    throw new AppError('unprocessable', 'The document is not JSON.', { cause });
  }
  if (!canonical) throw refused('The document is not canonical JSON (RFC 8785).');
  const head = Head.safeParse(value);
  if (!head.success) throw refused('The document does not say room_id, incident_id and filed_by.');
  return head.data;
}

function isSigned({ document, device_key, signature }: z.infer<typeof IncidentTranscript>): boolean {
  const key = Buffer.from(device_key, 'base64');
  const signed = Buffer.from(signature, 'base64');
  if (key.length !== 32 || signed.length !== 64) return false;
  const publicKey = createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: key.toString('base64url') },
    format: 'jwk',
  });
  return verify(null, Buffer.from(document), publicKey, signed);
}
