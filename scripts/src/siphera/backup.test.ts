import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase, systemClock } from '@siphera/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { backup } from './backup.ts';
import type { BoxPlace } from './box.ts';
import { restore } from './restore.ts';

let dir: string;
let box: BoxPlace;
let lines: string[];
const print = (line: string): void => void lines.push(line);
const run = (command: typeof backup, ...args: string[]) => command({ box, args, print, clock: systemClock });
const nowhere = { host: '127.0.0.1', port: 1 };

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'backup-'));
  lines = [];
  box = {
    mode: 'native',
    hostName: 'box.example.org',
    etcDir: join(dir, 'etc'),
    dataDir: join(dir, 'data'),
    backupDir: join(dir, 'backup'),
    recordingsDir: join(dir, 'data/recordings'),
    internal: nowhere,
    front: nowhere,
    mqtt: nowhere,
    dc09: nowhere,
    health: { core: nowhere, panel: nowhere, signaling: nowhere, camera: nowhere, 'sip-bridge': nowhere },
    phones: undefined,
    media: { address: 'auto', ports: '20000-20199', ownAddresses: [], janus: { up: undefined } },
    relay: undefined,
    publicPort: 443,
    ownCertificate: false,
  };
  for (const path of ['etc/secrets', 'etc/pki/ca', 'data/core/plans', 'data/panel'])
    mkdirSync(join(dir, path), { recursive: true });
  writeFileSync(join(dir, 'etc/siphera.env'), 'SIPHERA_HOST_NAME=box.example.org\n');
  writeFileSync(join(dir, 'etc/secrets/panel.key'), 'secret');
  writeFileSync(join(dir, 'etc/pki/ca/ca.key'), 'key');
  writeFileSync(join(dir, 'data/core/plans/one.png'), 'picture');
  writeFileSync(join(dir, 'data/core/setup-code'), 'ABCD');
  setNote('core.sqlite', 'before');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('backup and restore', () => {
  it('brings data, secrets and certificates back as they were, and keeps what was there aside', async () => {
    const archive = join(dir, 'a.tar.gz');
    chmodSync(join(dir, 'data/core'), 0o700);
    chmodSync(join(dir, 'etc/pki/ca/ca.key'), 0o400);
    expect(await run(backup, archive)).toBe(0);
    setNote('core.sqlite', 'after');
    rmSync(join(dir, 'data/core/plans'), { recursive: true });
    writeFileSync(join(dir, 'etc/secrets/panel.key'), 'other');
    expect(await run(restore, archive)).toBe(0);
    expect(readNote('data/core/core.sqlite')).toBe('before');
    expect(readFileSync(join(dir, 'data/core/plans/one.png'), 'utf8')).toBe('picture');
    expect(readFileSync(join(dir, 'etc/secrets/panel.key'), 'utf8')).toBe('secret');
    expect(statSync(join(dir, 'data/core')).mode & 0o777).toBe(0o700);
    expect(statSync(join(dir, 'etc/pki/ca/ca.key')).mode & 0o777).toBe(0o400);
    const aside = readdirSync(join(dir, 'data')).find((name) => name.startsWith('before-restore-')) ?? '';
    expect(readNote(join('data', aside, 'core/core.sqlite'))).toBe('after');
  });

  it('copies what a running service has committed but not yet checkpointed', async () => {
    const db = openDatabase(join(dir, 'data/core/core.sqlite'));
    db.exec("UPDATE note SET text = 'in the log'");
    const archive = join(dir, 'a.tar.gz');
    await run(backup, archive);
    db.close();
    setNote('core.sqlite', 'later');
    await run(restore, archive);
    expect(readNote('data/core/core.sqlite')).toBe('in the log');
  });

  it('takes the camera service along, and leaves footage where it is and says so', async () => {
    const archive = join(dir, 'a.tar.gz');
    for (const path of ['data/camera/stills', 'data/camera/exports', 'data/recordings'])
      mkdirSync(join(dir, path), { recursive: true });
    writeFileSync(join(dir, 'data/camera/stills/one.jpg'), 'still');
    writeFileSync(join(dir, 'data/recordings/segment.mp4'), 'footage');
    writeFileSync(join(dir, 'data/camera/exports/one.zip'), 'footage');
    await run(backup, archive);
    expect(lines.join('\n')).toContain(`Footage is not in it (${join(dir, 'data/recordings')})`);
    rmSync(join(dir, 'data/camera'), { recursive: true });
    writeFileSync(join(dir, 'data/recordings/segment.mp4'), 'later footage');
    await run(restore, archive);
    expect(readFileSync(join(dir, 'data/camera/stills/one.jpg'), 'utf8')).toBe('still');
    expect(existsSync(join(dir, 'data/camera/exports'))).toBe(false);
    expect(readFileSync(join(dir, 'data/recordings/segment.mp4'), 'utf8')).toBe('later footage');
  });

  it('takes along what talk keeps: queues, encrypted files, and the key that opens stores with it', async () => {
    const archive = join(dir, 'a.tar.gz');
    mkdirSync(join(dir, 'data/signaling/files'), { recursive: true });
    writeFileSync(join(dir, 'data/signaling/files/one'), 'ciphertext');
    writeFileSync(join(dir, 'etc/secrets/signaling.key'), 'secret of signaling');
    setNote('../signaling/signaling.db', 'queued');
    await run(backup, archive);
    rmSync(join(dir, 'data/signaling'), { recursive: true });
    rmSync(join(dir, 'etc/secrets/signaling.key'));
    await run(restore, archive);
    expect(readNote('data/signaling/signaling.db')).toBe('queued');
    expect(readFileSync(join(dir, 'data/signaling/files/one'), 'utf8')).toBe('ciphertext');
    expect(readFileSync(join(dir, 'etc/secrets/signaling.key'), 'utf8')).toBe('secret of signaling');
  });

  it('makes an archive that only its owner can read, without setup codes', async () => {
    const archive = join(dir, 'a.tar.gz');
    await run(backup, archive);
    expect(statSync(archive).mode & 0o777).toBe(0o600);
    setNote('core.sqlite', 'after');
    rmSync(join(dir, 'data/core/setup-code'));
    await run(restore, archive);
    expect(existsSync(join(dir, 'data/core/setup-code'))).toBe(false);
  });

  it('refuses a damaged archive and touches nothing', async () => {
    const archive = join(dir, 'a.tar.gz');
    await run(backup, archive);
    const bytes = readFileSync(archive);
    bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 0xff, bytes.length >> 1);
    writeFileSync(archive, bytes);
    setNote('core.sqlite', 'after');
    await expect(run(restore, archive)).rejects.toThrow(/archive|damaged|manifest/);
    expect(readNote('data/core/core.sqlite')).toBe('after');
  });

  it('refuses a damaged database when it makes the backup, and leaves no archive', async () => {
    const file = join(dir, 'data/core/core.sqlite');
    const bytes = readFileSync(file);
    bytes.fill(0xff, 4_096);
    writeFileSync(file, bytes);
    chmodSync(file, 0o600);
    await expect(run(backup, join(dir, 'a.tar.gz'))).rejects.toThrow();
    expect(existsSync(join(dir, 'a.tar.gz'))).toBe(false);
    expect(readdirSync(box.backupDir)).toEqual([]);
  });

  it('only looks with --check', async () => {
    const archive = join(dir, 'a.tar.gz');
    await run(backup, archive);
    setNote('core.sqlite', 'after');
    expect(await run(restore, archive, '--check')).toBe(0);
    expect(readNote('data/core/core.sqlite')).toBe('after');
  });
});

function setNote(name: string, text: string): void {
  const db = openDatabase(join(dir, 'data/core', name));
  db.exec('CREATE TABLE IF NOT EXISTS note (text TEXT); DELETE FROM note');
  db.prepare('INSERT INTO note VALUES (?)').run(text);
  db.close();
}

function readNote(path: string): string | undefined {
  const db = openDatabase(join(dir, path), { readonly: true });
  const row = db.prepare<[], { text: string }>('SELECT text FROM note').get();
  db.close();
  return row?.text;
}
