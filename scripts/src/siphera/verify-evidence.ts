/**
 * `siphera verify-evidence FILE`: whether an export of footage is as the box made it. Runs anywhere, with or without a box.
 * What it says is only as good as the key: without a fingerprint from elsewhere it says who must confirm it.
 */
import { createHash, createPublicKey, verify, type KeyObject } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { evidenceFiles, EvidenceManifest } from '@siphera/contract';
import { AppError } from '@siphera/runtime';
import { StoredZip, type ZipEntry } from './stored-zip.ts';

export type VerifyInput = {
  args: readonly string[];
  print: (line: string) => void;
  /** The box's own public key, where this runs on a box. */
  ownKeyFile: string | undefined;
};
type EvidenceVerdict = {
  problems: string[];
  manifest: EvidenceManifest | undefined;
  fingerprint: string | undefined;
};

const usage = `siphera verify-evidence FILE [--fingerprint HEX | --key PUBLIC_KEY.pem]

Checks the signature of an export and the hash of every file in it. The key that signed must be one you trust: give its
fingerprint or file. Without them, on the box that made the export, its own key is taken.`;

/** 0: genuine and signed by a key that is trusted; 1: not; 3: whole, but nothing says whose key it is. */
export async function verifyEvidence({ args, print, ownKeyFile }: VerifyInput): Promise<number> {
  const file = args.find((arg, at) => !arg.startsWith('--') && !isValue(args[at - 1]));
  if (file === undefined) {
    print(usage);
    if (ownKeyFile !== undefined && existsSync(ownKeyFile))
      print(
        `\nThe fingerprint of this box's own key, to give to whoever checks its exports:\n  ${fingerprintOfFile(ownKeyFile)}`,
      );
    return 2;
  }
  if (!existsSync(file)) throw new AppError('not_found', `There is no file ${file}.`);
  const given = givenFingerprint(args);
  const { problems, manifest, fingerprint } = await checkEvidence(file);
  if (given && fingerprint !== undefined && fingerprint !== given.fingerprint)
    problems.unshift(
      `It is signed with another key than ${given.words}: ${fingerprint}, not ${given.fingerprint}. Anybody can make a key; this proves nothing.`,
    );
  if (problems.length > 0 || !manifest) {
    print(`NOT GENUINE: ${file}`);
    for (const problem of problems) print(`  ${problem}`);
    print('Do not rely on it. Ask for the export again, and keep this file as it is.');
    return 1;
  }
  describe(manifest, print);
  const trusted = given ?? ownFingerprint(ownKeyFile);
  if (trusted && trusted.fingerprint === fingerprint) {
    print(`GENUINE: unchanged since the box "${manifest.box.name}" made it; signed with ${trusted.words}.`);
    return 0;
  }
  // Another box may have made it, or anybody: that alone makes it neither genuine nor false.
  print(
    trusted
      ? `UNCHANGED since it was signed, but not with ${trusted.words}. The fingerprint of the key that signed:`
      : 'UNCHANGED since it was signed, but nothing here says whose key that is. Its fingerprint:',
  );
  print(`  ${fingerprint ?? ''}`);
  print(
    'Ask the owner of the box that made it for its fingerprint by another way, and give it with --fingerprint.',
  );
  return 3;
}

const isValue = (before: string | undefined): boolean => before === '--fingerprint' || before === '--key';

type Trusted = { fingerprint: string; words: string };

function givenFingerprint(args: readonly string[]): Trusted | undefined {
  const after = (flag: string): string | undefined =>
    args.includes(flag) ? (args[args.indexOf(flag) + 1] ?? '') : undefined;
  const given = after('--fingerprint')?.replaceAll(/[\s:]/g, '').toLowerCase();
  if (given !== undefined) {
    if (!/^[0-9a-f]{64}$/.test(given))
      throw new AppError('validation_failed', 'A fingerprint has 64 hexadecimal digits.');
    return { fingerprint: given, words: 'the key of that fingerprint' };
  }
  const keyFile = after('--key');
  if (keyFile !== undefined)
    return {
      fingerprint: fingerprintOfFile(keyFile),
      words: `the key in ${keyFile}`,
    };
  return undefined;
}

const ownFingerprint = (file: string | undefined): Trusted | undefined =>
  file !== undefined && existsSync(file)
    ? { fingerprint: fingerprintOfFile(file), words: "this box's own key" }
    : undefined;

/** Everything that is wrong, in words. The key is the one in the file: whether it is to be trusted is another question. */
async function checkEvidence(file: string): Promise<EvidenceVerdict> {
  try {
    await using zip = await StoredZip.open(file);
    return await checkZip(zip);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { manifest: undefined, fingerprint: undefined, problems: [error.message] };
  }
}

async function checkZip(opened: StoredZip): Promise<EvidenceVerdict> {
  const none = { manifest: undefined, fingerprint: undefined };
  const parts = ['manifest', 'signature', 'publicKey'] as const;
  const absent = parts.filter((part) => !opened.find(evidenceFiles[part]));
  if (absent.length > 0)
    return { ...none, problems: absent.map((part) => `${evidenceFiles[part]} is not in it.`) };
  const [manifestBytes, signature, keyPem] = await Promise.all(
    parts.map((part) => opened.read(opened.find(evidenceFiles[part]) as ZipEntry)),
  );
  const key = readKey(keyPem);
  if (!key) return { ...none, problems: [`${evidenceFiles.publicKey} is no Ed25519 key.`] };
  const fingerprint = fingerprintOf(key);
  if (!manifestBytes || !signature || !verify(null, manifestBytes, key, signature))
    return {
      manifest: undefined,
      fingerprint,
      problems: [
        'The signature does not fit the manifest: one of them, or the key beside them, was changed.',
      ],
    };
  const manifest = readManifest(manifestBytes);
  if (!manifest)
    return { manifest, fingerprint, problems: ['The manifest is signed, but this release cannot read it.'] };
  const problems = manifest.key.fingerprint_sha256 === fingerprint ? [] : ['The manifest names another key.'];
  return { manifest, fingerprint, problems: [...problems, ...(await checkFiles(opened, manifest))] };
}

function readKey(pem: Buffer | undefined): KeyObject | undefined {
  try {
    const key = createPublicKey(pem ?? '');
    return key.asymmetricKeyType === 'ed25519' ? key : undefined;
  } catch (error) {
    // What is no key is told as such; openssl's own words help nobody here.
    if (error instanceof Error) return undefined;
    throw error;
  }
}

function readManifest(bytes: Buffer): EvidenceManifest | undefined {
  try {
    return EvidenceManifest.safeParse(JSON.parse(bytes.toString('utf8'))).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function checkFiles(zip: StoredZip, manifest: EvidenceManifest): Promise<string[]> {
  const problems: string[] = [];
  const known = new Set<string>(Object.values(evidenceFiles));
  const readme = zip.find(evidenceFiles.readme);
  if (!readme || (await zip.sha256(readme)) !== manifest.readme_sha256)
    problems.push(`${evidenceFiles.readme} is missing or was changed.`);
  for (const { path, bytes, sha256 } of manifest.files) {
    known.add(path);
    const entry = zip.find(path);
    if (!entry) problems.push(`${path} is missing.`);
    else if (entry.bytes !== bytes)
      problems.push(`${path} was changed: it has ${entry.bytes} bytes, not ${bytes}.`);
    else if ((await zip.sha256(entry)) !== sha256)
      problems.push(`${path} was changed: its content is not what was signed.`);
  }
  for (const { name } of zip.entries)
    if (!known.has(name)) problems.push(`${name} was added: the manifest does not know it.`);
  return problems;
}

const fingerprintOfFile = (file: string): string => fingerprintOf(createPublicKey(readFileSync(file)));

const fingerprintOf = (key: KeyObject): string =>
  createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex');

function describe(
  { box, cameras, export: asked, files }: EvidenceManifest,
  print: (line: string) => void,
): void {
  print(`${asked.name}: ${asked.from_utc} to ${asked.to_utc}, from ${box.name} (${box.software})`);
  print(
    `  asked for by ${asked.requested_by.name} at ${asked.requested_at_utc}${asked.reason === '' ? '' : `: ${asked.reason}`}`,
  );
  for (const camera of cameras) {
    const own = files.filter((file) => file.camera_id === camera.id);
    const bytes = own.reduce((sum, file) => sum + file.bytes, 0);
    print(
      `  ${camera.name}: ${own.length} ${own.length === 1 ? 'file' : 'files'}, ${(bytes / 1e6).toFixed(1)} MB`,
    );
    for (const gap of camera.gaps) print(`    not there: ${gap.from.local} to ${gap.to.local}. ${gap.why}`);
  }
}
