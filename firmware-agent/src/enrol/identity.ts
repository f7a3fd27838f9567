/**
 * Who this agent is: its key, its certificate, the box's CA, and the ids the box gave it. What must stay true: the
 * private key is made here, is mode 0600, and never leaves this directory.
 */
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { Enrolled } from '@siphera/contract';
import { AgentError } from '../domain/agent-error.ts';

export const Identity = Enrolled.omit({ certificate_pem: true, ca_pem: true });
export type Child = z.infer<typeof Enrolled>['children'][number];
export type Identity = {
  deviceId: string;
  orgId: string;
  mqttUrl: string;
  children: Child[];
  keyPem: string;
  certificatePem: string;
  caPem: string;
};

const files = { key: 'agent.key', certificate: 'agent.crt', ca: 'ca.crt', ids: 'identity.json' } as const;
const identityDir = (dataDir: string): string => join(dataDir, 'identity');

/** Writes a file mode 0600 that is there whole or not at all. */
async function writePrivate(path: string, text: string): Promise<void> {
  const handle = await open(`${path}.tmp`, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${path}.tmp`, path);
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The key made by an earlier, unfinished enrolment, so that trying again does not litter keys. */
export const readKey = (dataDir: string): Promise<string | undefined> =>
  readIfThere(join(identityDir(dataDir), files.key));

export async function writeKey(dataDir: string, pem: string): Promise<void> {
  await mkdir(identityDir(dataDir), { recursive: true, mode: 0o700 });
  await writePrivate(join(identityDir(dataDir), files.key), pem);
}

/** Keeps what the box answered, after it was checked against our key. `identity.json` comes last: it makes it count. */
export async function writeEnrolled(dataDir: string, enrolled: z.infer<typeof Enrolled>): Promise<void> {
  const dir = identityDir(dataDir);
  await writePrivate(join(dir, files.certificate), enrolled.certificate_pem);
  await writePrivate(join(dir, files.ca), enrolled.ca_pem);
  await writePrivate(join(dir, files.ids), `${JSON.stringify(Identity.parse(enrolled), null, 2)}\n`);
}

/** Reads the identity; throws `not_enrolled` when there is none, `identity_invalid` when it does not fit together. */
export async function readIdentity(dataDir: string): Promise<Identity> {
  const dir = identityDir(dataDir);
  const [keyPem, certificatePem, caPem, ids] = await Promise.all(
    [files.key, files.certificate, files.ca, files.ids].map((name) => readIfThere(join(dir, name))),
  );
  if (ids === undefined)
    throw new AgentError('not_enrolled', 'Not enrolled yet: run `siphera-agent enrol` first');
  if (keyPem === undefined || certificatePem === undefined || caPem === undefined) {
    throw new AgentError('identity_invalid', `A file is missing in ${dir}; enrol again`);
  }
  const parsed = Identity.safeParse(JSON.parse(ids));
  if (!parsed.success)
    throw new AgentError('identity_invalid', `${join(dir, files.ids)} is damaged; enrol again`);
  const { device_id: deviceId, org_id: orgId, mqtt_url: mqttUrl, children } = parsed.data;
  checkCertificate({ keyPem, certificatePem, caPem, deviceId });
  return { deviceId, orgId, mqttUrl, children, keyPem, certificatePem, caPem };
}

/** Throws unless the certificate is for this key and this device, and the CA signed it. */
export function checkCertificate(parts: {
  keyPem: string;
  certificatePem: string;
  caPem: string;
  deviceId: string;
}): void {
  const bad = (message: string, cause?: unknown) => new AgentError('identity_invalid', message, cause);
  let certificate: X509Certificate;
  let ca: X509Certificate;
  try {
    certificate = new X509Certificate(parts.certificatePem);
    ca = new X509Certificate(parts.caPem);
  } catch (cause) {
    throw bad('The certificate or the CA cannot be read', cause);
  }
  const own = createPublicKey(createPrivateKey(parts.keyPem)).export({ type: 'spki', format: 'der' });
  const theirs = certificate.publicKey.export({ type: 'spki', format: 'der' });
  if (!own.equals(theirs)) throw bad('The certificate is for another key');
  if (!ca.ca || !certificate.verify(ca.publicKey)) throw bad('The certificate is not signed by the box CA');
  if (!certificate.subject.split('\n').includes(`CN=${parts.deviceId}`)) {
    throw bad('The certificate is for another device');
  }
}
