/**
 * Decides whether a certificate is the box's. With a pinned CA only a chain that ends in exactly that CA counts, for the
 * box's host alone; whatever else the machine's trust store says is not asked.
 */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { hostOf } from './address.shared.ts';
import type { Trust } from './settings.shared.ts';

export type Verdict = 'accept' | 'reject' | 'as_chromium_says';

export type Question = {
  hostname: string;
  /** PEM, the server's own certificate first. */
  chain: readonly string[];
  /** The desk's box, undefined while none is set up. */
  box: { origin: string; trust: Trust } | undefined;
  nowMs: number;
};

/** Longest chain looked at: leaf, two intermediates, CA. */
const chainLengthMax = 4;
/** Extended key usage of a TLS server, RFC 5280 §4.2.1.12. */
const serverAuth = '1.3.6.1.5.5.7.3.1';

export function judgeCertificate({ hostname, chain, box, nowMs }: Question): Verdict {
  if (box === undefined || bare(hostname) !== hostOf(box.origin)) return 'reject';
  if (box.trust.kind === 'system') return 'as_chromium_says';
  try {
    const ca = new X509Certificate(box.trust.ca_pem);
    if (ca.fingerprint256 !== box.trust.fingerprint) return 'reject';
    const certificates = chain.slice(0, chainLengthMax).map((pem) => new X509Certificate(pem));
    return isSignedBy(certificates, ca, nowMs) && isForHost(certificates[0], bare(hostname))
      ? 'accept'
      : 'reject';
  } catch (error) {
    if (error instanceof Error) return 'reject';
    throw error;
  }
}

/** True when the first certificate leads to `ca` by valid signatures, all within their dates. */
export function isSignedBy(
  certificates: readonly X509Certificate[],
  ca: X509Certificate,
  nowMs: number,
): boolean {
  const [leaf, ...others] = certificates;
  if (leaf === undefined || !ca.ca || !isInDate(ca, nowMs)) return false;
  let current = leaf;
  for (let step = 0; step < chainLengthMax; step += 1) {
    if (!isInDate(current, nowMs)) return false;
    if (current.checkIssued(ca) && current.verify(ca.publicKey)) return true;
    const issuer = others.find(
      (other) => other.ca && current.checkIssued(other) && current.verify(other.publicKey),
    );
    if (issuer === undefined) return false;
    current = issuer;
  }
  return false;
}

function isForHost(leaf: X509Certificate | undefined, host: string): boolean {
  if (leaf === undefined || leaf.ca) return false;
  if (leaf.keyUsage !== undefined && !leaf.keyUsage.includes(serverAuth)) return false;
  if (isIP(host) !== 0) return leaf.checkIP(host) !== undefined;
  return leaf.checkHost(host, { subject: 'never' }) !== undefined;
}

const isInDate = (certificate: X509Certificate, nowMs: number): boolean =>
  certificate.validFromDate.getTime() <= nowMs && nowMs <= certificate.validToDate.getTime();

const bare = (hostname: string): string => hostname.replace(/^\[|\]$/g, '').toLowerCase();
