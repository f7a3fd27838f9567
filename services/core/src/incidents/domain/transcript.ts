/**
 * Checks talk that is to be filed: signed by the key that comes with it, in the form of the contract, and about this incident. What
 * was written in it and whether that is all is not core's matter, and whose key that is neither: readers compare it with the people's keys.
 * Pure.
 */
import { createPublicKey, verify } from 'node:crypto';
import {
  canonicalJson,
  TranscriptDocument,
  transcriptFormat,
  type IncidentTranscript,
} from '@siphera/contract';
import { AppError, isTooDeep } from '@siphera/runtime/base';
import type { z } from 'zod';

/**
 * The file that is kept: the document as it was signed, and all that its check needs.
 * @throws AppError `unprocessable` with what does not fit.
 */
export function readTranscript(
  input: z.infer<typeof IncidentTranscript>,
  expected: { incidentId: string; filedBy: string },
): { roomId: string; file: string } {
  if (!isSigned(input)) throw refused('The signature does not fit the document and the device key.');
  const head = readDocument(input.document);
  if (head.incident_id !== expected.incidentId) throw refused('The document is about another incident.');
  if (head.filed_by !== expected.filedBy) throw refused('The document was made by somebody else.');
  if (head.device_id !== input.device_id) throw refused('The document names another device.');
  const { document, device_id, device_key, signature } = input;
  return {
    roomId: head.room_id,
    file: JSON.stringify({ format: transcriptFormat, device_id, device_key, signature, document }),
  };
}

const refused = (detail: string): AppError => new AppError('unprocessable', detail);

function readDocument(document: string): TranscriptDocument {
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
  const read = TranscriptDocument.safeParse(value);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw refused(
    `The document has not the form of a transcript: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`,
  );
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
