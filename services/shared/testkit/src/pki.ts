/**
 * A certificate authority for one test, made by the product's own `compose/install/pki.sh`, in the product's layout:
 * `<dir>/ca/{ca.crt,ca.key,crl.pem}`, servers in a folder of their own, clients in `clients`.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repositoryRoot } from './repository.ts';
import { runCommand } from './run-command.ts';

export type CertificateFiles = { certFile: string; keyFile: string; caFile: string };
export type TestCa = {
  /** The whole folder, `PKI_DIR` of the daemons' templates. */
  pkiDir: string;
  /** Where the CA's own files lie, `CA_DIR` of core. */
  caDir: string;
  caFile: string;
  caPem: string;
  /** `<pkiDir>/<folder>/<name>.crt` and `.key`. */
  issueServer: (folder: string, name: string, names: readonly string[]) => Promise<CertificateFiles>;
  /** The common name is who the broker takes the client for. */
  issueClient: (commonName: string) => Promise<CertificateFiles>;
};

/** Makes a CA below `pkiDir`, or takes the one that is there. */
export async function createTestCa(pkiDir: string): Promise<TestCa> {
  const caDir = join(pkiDir, 'ca');
  await pki('ca', caDir, '--name', 'Siphera test CA');
  const caFile = join(caDir, 'ca.crt');
  const issue = async (kind: 'server' | 'client', folder: string, name: string, ...more: string[]) => {
    const out = join(pkiDir, folder);
    await pki(kind, caDir, name, '--out', out, ...more);
    return { certFile: join(out, `${name}.crt`), keyFile: join(out, `${name}.key`), caFile };
  };
  return {
    pkiDir,
    caDir,
    caFile,
    caPem: await readFile(caFile, 'utf8'),
    issueServer: (folder, name, names) => issue('server', folder, name, '--san', names.join(',')),
    issueClient: (commonName) => issue('client', 'clients', commonName),
  };
}

const pki = (...args: string[]) =>
  runCommand('bash', [join(repositoryRoot, 'compose', 'install', 'pki.sh'), ...args]);
