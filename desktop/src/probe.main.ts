/**
 * Looks at an address before it is trusted. The connection is not authenticated, and nothing but public facts is asked:
 * what a person then compares, and the desk pins, is the fingerprint of the CA that signed the certificate seen here.
 */
import { X509Certificate } from 'node:crypto';
import { request } from 'node:https';
import { TLSSocket, type DetailedPeerCertificate } from 'node:tls';
import type { z } from 'zod';
import { TrustInfo } from '@siphera/contract';
import { parseBoxAddress } from './address.shared.ts';
import type { ProbeFailure, ProbeResult } from './channels.shared.ts';
import { isSignedBy } from './trust.shared.ts';

/** A box on the LAN answers in milliseconds; beyond this the address is taken as wrong. */
const answerMsMax = 8_000;
/** A CA certificate is about a kilobyte. */
const answerBytesMax = 64 * 1024;

/** What was found, and the CA to pin when it is accepted. */
export type Probe = { result: ProbeResult; caPem: string | undefined };

export async function probeBox(address: string, nowMs: number): Promise<Probe> {
  const origin = parseBoxAddress(address);
  if (origin === undefined) return failed('bad_address');
  try {
    return await probeOrigin(origin, nowMs);
  } catch (error) {
    if (error instanceof Error) return failed('unreachable');
    throw error;
  }
}

async function probeOrigin(origin: string, nowMs: number): Promise<Probe> {
  const info = readTrustInfo(await ask(`${origin}/api/v1/trust`));
  if (info === undefined) return failed('not_a_box');
  if (!info.own_ca)
    return { result: { kind: 'admin_certificate', origin, name: info.host_name }, caPem: undefined };
  const answer = await ask(`${origin}/api/v1/trust/ca.crt`);
  if (answer.status !== 200) return failed('not_a_box');
  const ca = new X509Certificate(answer.body);
  if (!isSignedBy(answer.chain, ca, nowMs)) return failed('wrong_chain');
  const { fingerprint256: fingerprint } = ca;
  const result = {
    kind: 'own_ca',
    origin,
    name: info.host_name,
    fingerprint,
    expires_at: ca.validToDate.toISOString(),
  } as const;
  return { result, caPem: ca.toString() };
}

const failed = (reason: ProbeFailure): Probe => ({ result: { kind: 'failed', reason }, caPem: undefined });

function readTrustInfo(answer: Answer): z.infer<typeof TrustInfo> | undefined {
  if (answer.status !== 200) return undefined;
  try {
    return TrustInfo.safeParse(JSON.parse(answer.body.toString('utf8'))).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

type Answer = { status: number; body: Buffer; chain: X509Certificate[] };

function ask(url: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      { agent: false, rejectUnauthorized: false, signal: AbortSignal.timeout(answerMsMax) },
      (response) => {
        const chain = response.socket instanceof TLSSocket ? chainOf(response.socket) : [];
        const parts: Buffer[] = [];
        let size = 0;
        response.on('data', (part: Buffer) => {
          size += part.length;
          if (size > answerBytesMax) outgoing.destroy(new Error('answer too large'));
          else parts.push(part);
        });
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts), chain }),
        );
        response.on('error', reject);
      },
    );
    outgoing.on('error', reject);
    outgoing.end();
  });
}

/** The certificates as the server sent them. Node links a self-signed one to itself. */
function chainOf(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = [];
  let current: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  while (current?.raw !== undefined && chain.length < 4) {
    chain.push(new X509Certificate(current.raw));
    current = current.issuerCertificate === current ? undefined : current.issuerCertificate;
  }
  return chain;
}
