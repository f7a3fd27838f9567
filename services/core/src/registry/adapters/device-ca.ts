/**
 * The box's device CA: signs client certificates for agents (CN = device id, the name the broker's ACL goes by) and the
 * revocation list that the broker reads. The agent's private key never comes here.
 */
import { existsSync, renameSync, readFileSync, writeFileSync } from 'node:fs';
import { createPrivateKey, webcrypto } from 'node:crypto';
import { join } from 'node:path';
import type * as X509 from '@peculiar/x509';
import { AppError, type Random } from '@siphera/runtime/base';

/** An agent renews long before; a stolen certificate is revoked, not waited out. */
const certificateLifeMs = 365 * 86_400_000;
/** The list is rewritten at every change and at each start of core; the broker must not refuse all when core is down for long. */
const crlLifeMs = 3_650 * 86_400_000;
const algorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const signing = { name: 'ECDSA', hash: 'SHA-256' } as const;

type Key = Parameters<typeof webcrypto.subtle.sign>[1];

/** Loaded when first needed: certificates are made rarely, and the library takes megabytes in each thread. */
async function loadX509(): Promise<typeof X509> {
  // The library needs it, and before itself.
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0]);
  return x509;
}

export type IssuedCertificate = { pem: string; serial: string; fingerprintSha256: string; expiresMs: number };

export class DeviceCa {
  readonly #directory: string;
  readonly #random: Random;

  constructor(directory: string, random: Random) {
    this.#directory = directory;
    this.#random = random;
  }

  caPem(): string {
    return readFileSync(join(this.#directory, 'ca.crt'), 'utf8');
  }

  /** @throws AppError `validation_failed` when the request is no PKCS#10 or its signature does not hold. */
  async signRequest(csrPem: string, deviceId: string, nowMs: number): Promise<IssuedCertificate> {
    const x509 = await loadX509();
    let publicKey: X509.PublicKey;
    try {
      const request = new x509.Pkcs10CertificateRequest(csrPem);
      if (!(await request.verify())) throw new Error('its signature does not hold');
      publicKey = request.publicKey;
    } catch (cause) {
      throw new AppError('validation_failed', 'The certificate request (PKCS#10) is not valid.', { cause });
    }
    return this.signKey(publicKey, deviceId, nowMs);
  }

  async signKey(publicKey: X509.PublicKey, deviceId: string, nowMs: number): Promise<IssuedCertificate> {
    const x509 = await loadX509();
    const issuer = new x509.X509Certificate(this.caPem());
    // RFC 5280 §4.1.2.2: positive, at most 20 octets.
    const serial = Buffer.concat([Buffer.from([0x41]), this.#random.bytes(15)]).toString('hex');
    const expiresMs = nowMs + certificateLifeMs;
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serial,
      subject: `CN=${deviceId}`,
      issuer: issuer.subjectName,
      // A device whose clock runs behind must be able to use it at once.
      notBefore: new Date(nowMs - 86_400_000),
      notAfter: new Date(expiresMs),
      signingAlgorithm: signing,
      publicKey,
      signingKey: await this.#key(),
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth], false),
        await x509.AuthorityKeyIdentifierExtension.create(issuer),
      ],
    });
    const fingerprint = Buffer.from(await certificate.getThumbprint('SHA-256')).toString('hex');
    return { pem: `${certificate.toString('pem')}\n`, serial, fingerprintSha256: fingerprint, expiresMs };
  }

  /** A fresh key and certificate for the box's own test device. */
  async issueWithKey(deviceId: string, nowMs: number): Promise<IssuedCertificate & { keyPem: string }> {
    const x509 = await loadX509();
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const issued = await this.signKey(await x509.PublicKey.create(keys.publicKey), deviceId, nowMs);
    const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
    return { ...issued, keyPem: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY') };
  }

  hasRevocationList(): boolean {
    return existsSync(join(this.#directory, 'crl.pem'));
  }

  /** Writes `crl.pem` beside the CA, whole or not at all. Serials are hexadecimal. */
  async writeRevocationList(
    revoked: ReadonlyArray<{ serial: string; revokedMs: number }>,
    nowMs: number,
  ): Promise<void> {
    const x509 = await loadX509();
    // A new file restarts the broker, so the same list is not written again.
    if (this.#listedSerials(x509) === serialSet(revoked.map(({ serial }) => serial))) return;
    const issuer = new x509.X509Certificate(this.caPem());
    const list = await x509.X509CrlGenerator.create({
      issuer: issuer.subjectName,
      thisUpdate: new Date(nowMs),
      nextUpdate: new Date(nowMs + crlLifeMs),
      entries: revoked.map(({ serial, revokedMs }) => ({
        serialNumber: serial,
        revocationDate: new Date(revokedMs),
        reason: x509.X509CrlReason.cessationOfOperation,
      })),
      signingAlgorithm: signing,
      signingKey: await this.#key(),
    });
    const path = join(this.#directory, 'crl.pem');
    // RFC 7468 §6 calls it `X509 CRL`, and OpenSSL (so Mosquitto) reads no other label; the library writes `CRL`.
    const pem = list.toString('pem').replaceAll('CRL-----', 'X509 CRL-----');
    writeFileSync(`${path}.tmp`, `${pem}\n`, { mode: 0o644 });
    renameSync(`${path}.tmp`, path);
  }

  /** Serials of the list on disk; undefined when it is missing or not readable, so that it is written anew. */
  #listedSerials(x509: typeof X509): string | undefined {
    try {
      const text = readFileSync(join(this.#directory, 'crl.pem'), 'utf8');
      if (!text.includes('BEGIN X509 CRL')) return undefined;
      const list = new x509.X509Crl(text.replaceAll('X509 CRL-----', 'CRL-----'));
      return serialSet(list.entries.map(({ serialNumber }) => serialNumber));
    } catch {
      return undefined;
    }
  }

  /** Read at each use: the CA may be renewed, and its key is not kept in memory longer than needed. */
  #key(): Promise<Key> {
    const pkcs8 = createPrivateKey(readFileSync(join(this.#directory, 'ca.key'), 'utf8')).export({
      type: 'pkcs8',
      format: 'der',
    });
    return webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign']);
  }
}

const serialSet = (serials: readonly string[]): string =>
  serials
    .map((serial) => serial.toLowerCase())
    .sort((a, b) => a.localeCompare(b, 'en'))
    .join(',');
