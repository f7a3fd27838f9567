/**
 * Which box this is. The agent talks to a box only when the box proves to hold a certificate under a CA that the
 * installer named: by file, or by the SHA-256 of the CA certificate as the box's trust page shows it.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { apiPrefix } from '@siphera/contract';
import { AgentError } from '../domain/agent-error.ts';

/** A box on the LAN answers in far less; a longer wait only hides a wrong address. */
const requestMsMax = 15_000;
/** An enrolment answer is two certificates and a list of children. */
const answerBytesMax = 1_048_576;

export type Trust = { caFile: string } | { fingerprint: string };
export type Answer = { status: number; body: Buffer };

/** The PEM of the CA to trust, after it was checked; throws `box_untrusted` when the box is not the one that was meant. */
export async function trustedCa(box: URL, trust: Trust): Promise<string> {
  if ('caFile' in trust) {
    const pem = await readFile(trust.caFile, 'utf8').catch((cause: unknown) => {
      throw new AgentError('box_untrusted', `Cannot read the CA file ${trust.caFile}`, cause);
    });
    return certificatePem(Buffer.from(pem));
  }
  const wanted = trust.fingerprint.replaceAll(':', '').toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(wanted)) {
    throw new AgentError('box_untrusted', 'The fingerprint must be 64 hexadecimal digits (SHA-256)');
  }
  // Nothing is believed of this answer but bytes whose hash the installer named.
  const answer = await call(new URL(`${apiPrefix}/trust/ca.crt`, box), { method: 'GET', ca: undefined });
  const pem = answer.status === 200 ? certificatePem(answer.body) : undefined;
  const actual = pem && createHash('sha256').update(new X509Certificate(pem).raw).digest('hex');
  if (!pem || actual !== wanted) {
    throw new AgentError(
      'box_untrusted',
      `${box.host} shows another CA than the fingerprint names; nothing was sent to it`,
    );
  }
  return pem;
}

function certificatePem(bytes: Buffer): string {
  try {
    return new X509Certificate(bytes).toString();
  } catch (cause) {
    throw new AgentError('box_untrusted', 'The CA is not a certificate', cause);
  }
}

/** One HTTPS call. With `ca` the box must prove itself under it; without, nothing may be believed or sent. */
export function call(
  url: URL,
  options: { method: 'GET' | 'POST'; ca: string | undefined; body?: string },
): Promise<Answer> {
  const { method, ca, body } = options;
  return new Promise((resolve, reject) => {
    const headers =
      body === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const outgoing = request(
      url,
      {
        method,
        headers,
        timeout: requestMsMax,
        agent: false,
        ...(ca === undefined ? { rejectUnauthorized: false } : { ca }),
      },
      (response) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > answerBytesMax) response.destroy(new Error('The answer is too long'));
          else chunks.push(chunk);
        });
        response.on('error', (cause) => reject(unreachable(url, cause)));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }));
      },
    );
    outgoing.on('timeout', () => outgoing.destroy(new Error('No answer in time')));
    outgoing.on('error', (cause) => reject(unreachable(url, cause)));
    outgoing.end(body);
  });
}

/** OpenSSL's words for a certificate that does not hold; all others mean the box could not be reached. */
const trustErrors = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|ALTNAME/;

function unreachable(url: URL, cause: unknown): AgentError {
  const code = (cause as NodeJS.ErrnoException).code ?? '';
  return trustErrors.test(code)
    ? new AgentError(
        'box_untrusted',
        `${url.host} does not prove to be this box; nothing was sent to it`,
        cause,
      )
    : new AgentError('box_unreachable', `${url.host} cannot be reached`, cause);
}
