/** The box CA's certificate and the front door's, read anew each time: they are renewed while core runs. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../config.ts';

export type FrontCertificate = {
  subject: string;
  expiresMs: number;
  ownCa: boolean;
  fingerprintSha256: string;
};

/** @throws Error when there is no CA: then nothing of the box works. */
export const readCa = (config: Pick<Config, 'CA_DIR'>): X509Certificate =>
  new X509Certificate(readFileSync(join(config.CA_DIR, 'ca.crt')));

/** Undefined when it is not configured or not readable. */
export function frontCertificate(
  config: Pick<Config, 'CA_DIR' | 'FRONT_CERT_FILE'>,
): FrontCertificate | undefined {
  if (config.FRONT_CERT_FILE === undefined) return undefined;
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(readFileSync(config.FRONT_CERT_FILE));
  } catch {
    // Shown as unreadable on the health page; the front door says the same louder.
    return undefined;
  }
  const ca = readCa(config);
  return {
    subject: commonName(certificate),
    expiresMs: Date.parse(certificate.validTo),
    ownCa: certificate.checkIssued(ca) && certificate.verify(ca.publicKey),
    fingerprintSha256: certificate.fingerprint256,
  };
}

const commonName = (certificate: X509Certificate): string =>
  /(?:^|\n)CN=(.*)/.exec(certificate.subject)?.[1] ?? certificate.subjectAltName ?? certificate.subject;
