/**
 * A certificate authority like the box's own, made by openssl for one test: `ca.crt`, `ca.key`, `crl.pem`, and one pair
 * of files a name. P-256 throughout, as the product issues.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from './run-command.ts';

export type CertificateFiles = { certFile: string; keyFile: string; caFile: string };
export type TestCa = {
  dir: string;
  caFile: string;
  caKeyFile: string;
  crlFile: string;
  caPem: string;
  issueServer: (name: string, subjectAltNames: readonly string[]) => Promise<CertificateFiles>;
  issueClient: (commonName: string) => Promise<CertificateFiles>;
  revoke: (files: CertificateFiles) => Promise<void>;
};

const days = '30';
const caConfig = (dir: string) => `
[ca]
default_ca = box
[box]
database = ${dir}/index.txt
serial = ${dir}/serial
crlnumber = ${dir}/crlnumber
certificate = ${dir}/ca.crt
private_key = ${dir}/ca.key
default_md = sha256
default_crl_days = 30
`;

/** Makes a CA in `dir` (created when missing). */
export async function createTestCa(dir: string): Promise<TestCa> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const caFile = join(dir, 'ca.crt');
  const caKeyFile = join(dir, 'ca.key');
  const crlFile = join(dir, 'crl.pem');
  const config = join(dir, 'ca.cnf');
  await writeFile(config, caConfig(dir));
  await writeFile(join(dir, 'index.txt'), '');
  await writeFile(join(dir, 'serial'), '1000\n');
  await writeFile(join(dir, 'crlnumber'), '01\n');
  await newKey(caKeyFile);
  await openssl('req', '-x509', '-new', '-key', caKeyFile, '-sha256', '-days', days, '-out', caFile, '-subj', '/O=Siphera/CN=Siphera test CA',
    '-addext', 'basicConstraints=critical,CA:TRUE,pathlen:0', '-addext', 'keyUsage=critical,keyCertSign,cRLSign'); // prettier-ignore
  const writeCrl = () => openssl('ca', '-config', config, '-gencrl', '-out', crlFile);
  await writeCrl();
  const issue = (name: string, extensions: string) =>
    issueCertificate({ dir, caFile, caKeyFile }, name, extensions);
  return {
    dir,
    caFile,
    caKeyFile,
    crlFile,
    caPem: await readFile(caFile, 'utf8'),
    issueServer: (name, names) =>
      issue(name, `extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=${names.map(altName).join(',')}\n`),
    issueClient: (commonName) => issue(commonName, 'extendedKeyUsage=clientAuth\n'),
    revoke: async (files) => {
      await openssl('ca', '-config', config, '-revoke', files.certFile);
      await writeCrl();
    },
  };
}

const altName = (name: string): string => (/^[\d.]+$|:/.test(name) ? `IP:${name}` : `DNS:${name}`);

async function issueCertificate(
  ca: { dir: string; caFile: string; caKeyFile: string },
  name: string,
  extensions: string,
): Promise<CertificateFiles> {
  const base = join(ca.dir, name);
  const [certFile, keyFile, request, extFile] = [`${base}.crt`, `${base}.key`, `${base}.csr`, `${base}.ext`];
  await newKey(keyFile);
  await writeFile(
    extFile,
    `basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n${extensions}`,
  );
  await openssl('req', '-new', '-key', keyFile, '-out', request, '-subj', `/CN=${name}`);
  await openssl('x509', '-req', '-in', request, '-CA', ca.caFile, '-CAkey', ca.caKeyFile, '-CAserial', join(ca.dir, 'serial'),
    '-sha256', '-days', days, '-extfile', extFile, '-out', certFile); // prettier-ignore
  return { certFile, keyFile, caFile: ca.caFile };
}

const newKey = (file: string) => openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', file);
const openssl = (...args: string[]) => runCommand('openssl', args);
