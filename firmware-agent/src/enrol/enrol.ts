/** Enrolment: a one-time code and a request for our own key, against a certificate of the box CA. */
// The polyfill must come before the X.509 library, whose dependency injection asks for it while it loads.
import 'reflect-metadata';
import { createPrivateKey, createPublicKey, webcrypto } from 'node:crypto';
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509';
import { apiPrefix, Enrolled, EnrolRequest, type Problem, registryRoutes } from '@siphera/contract';
import { AgentError } from '../domain/agent-error.ts';
import { call, type Trust, trustedCa } from './box-trust.ts';
import {
  checkCertificate,
  type Identity,
  readIdentity,
  readKey,
  writeEnrolled,
  writeKey,
} from './identity.ts';

const keyAlgorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

export type EnrolOptions = { dataDir: string; box: string; code: string; trust: Trust };

/** Enrols this agent and keeps its identity; nothing is kept of an answer that does not check out. */
export async function enrol(options: EnrolOptions): Promise<Identity> {
  const box = boxUrl(options.box);
  const ca = await trustedCa(box, options.trust);
  const keyPem = await ownKey(options.dataDir);
  const body = EnrolRequest.parse({ code: options.code, csr_pem: await certificateRequest(keyPem) });
  const answer = await call(new URL(`${apiPrefix}${registryRoutes.enrol.path}`, box), {
    method: 'POST',
    ca,
    body: JSON.stringify(body),
  });
  const json = parseJson(answer.body);
  if (answer.status !== 201) {
    throw new AgentError('enrolment_refused', `The box refused (${answer.status}): ${detailOf(json)}`);
  }
  const enrolled = Enrolled.safeParse(json);
  if (!enrolled.success)
    throw new AgentError('enrolment_refused', 'The answer of the box does not fit the contract');
  const { certificate_pem: certificatePem, ca_pem: caPem, device_id: deviceId } = enrolled.data;
  checkCertificate({ keyPem, certificatePem, caPem, deviceId });
  await writeEnrolled(options.dataDir, enrolled.data);
  return await readIdentity(options.dataDir);
}

function boxUrl(text: string): URL {
  const url = URL.parse(text);
  if (!url || url.protocol !== 'https:') throw new AgentError('usage', '--box must be an https:// address');
  return url;
}

/** The key on disk, or a new one, which is on disk before anybody hears of it. */
async function ownKey(dataDir: string): Promise<string> {
  const found = await readKey(dataDir);
  if (found !== undefined) return found;
  const pair = await webcrypto.subtle.generateKey(keyAlgorithm, true, ['sign', 'verify']);
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', pair.privateKey));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  const pem = `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`;
  await writeKey(dataDir, pem);
  return pem;
}

/** PKCS#10 for our key. The name is the box's to give: it reads only the public key. */
async function certificateRequest(keyPem: string): Promise<string> {
  const privateKey = createPrivateKey(keyPem);
  const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' });
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const keys = {
    privateKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, keyAlgorithm, false, ['sign']),
    publicKey: await webcrypto.subtle.importKey('spki', spki, keyAlgorithm, true, ['verify']),
  };
  const request = await Pkcs10CertificateRequestGenerator.create(
    { name: 'CN=siphera-agent', keys, signingAlgorithm: keyAlgorithm },
    webcrypto,
  );
  return request.toString('pem');
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    // A proxy's HTML page, say: the status and "no details" tell the installer enough.
    return undefined;
  }
}

function detailOf(problem: unknown): string {
  const { detail, hint, title } = (problem ?? {}) as Partial<Problem>;
  return detail ?? hint ?? title ?? 'no details';
}
