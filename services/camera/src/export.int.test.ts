/** Exports through the whole service, and what anybody can check of them: with the box's own command, and by hand with openssl. */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EvidenceManifest, type Export } from '@siphera/contract';
import { toRfc3339 } from '@siphera/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startEvidenceRig, type EvidenceRig } from './testing/evidence-rig.ts';
import { office, testOrg, until, yard } from './testing/rig.ts';
import { makeMp4 } from './testing/stand-in-footage.ts';

let rig: EvidenceRig;
beforeEach(async () => {
  rig = await startEvidenceRig();
});
afterEach(() => rig.stop());

const minute = 60_000;
const ask = (cameraIds: string[], change: Record<string, unknown> = {}) => ({
  camera_ids: cameraIds,
  from: toRfc3339(rig.now() - minute),
  to: toRfc3339(rig.now()),
  reason: 'Asked for by the police',
  ...change,
});
const start = async (body: Record<string, unknown>): Promise<Export> => {
  const answer = await rig.rest('POST', '/camera/exports', body);
  expect(answer.status).toBe(202);
  return answer.body as Export;
};
const ended = (id: string): Promise<Export> =>
  until(async () => {
    const { body } = await rig.rest('GET', `/camera/exports/${id}`);
    return (body as Export).state === 'running' ? undefined : (body as Export);
  });
/** Makes one, fetches it, and unpacks it. */
async function fetched(body: Record<string, unknown>) {
  const done = await ended((await start(body)).id);
  const answer = await rig.fetch('GET', `/camera/exports/${done.id}/file`);
  const bytes = Buffer.from(await answer.arrayBuffer());
  const file = join(rig.directory, 'export.zip');
  writeFileSync(file, bytes);
  const folder = join(rig.directory, 'unpacked');
  mkdirSync(folder, { recursive: true });
  execFileSync('unzip', ['-q', '-o', file, '-d', folder]);
  const manifest = EvidenceManifest.parse(JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')));
  return { done, answer, bytes, file, folder, manifest };
}
/** `siphera verify-evidence`, as anybody runs it: the process itself. */
const check = (file: string, ...args: string[]): Promise<{ code: number; out: string }> =>
  new Promise((resolve) => {
    const main = join(import.meta.dirname, '../../../scripts/src/siphera/main.ts');
    // Whether there is a box on this machine is nothing to the test.
    const env = { SIPHERA_ETC: join(rig.directory, 'etc') };
    execFile(process.execPath, [main, 'verify-evidence', file, ...args], { env }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out: stdout + stderr }),
    );
  });
const ownKey = (): string[] => ['--key', join(rig.directory, 'data', 'evidence-public.pem')];
const probe = (file: string): Record<string, string> =>
  Object.fromEntries(
    execFileSync(
      'ffprobe',
      [
        '-v',
        'error',
        '-count_frames',
        '-select_streams',
        'v',
        '-show_entries',
        'stream=codec_name,nb_read_frames,duration',
        '-of',
        'default=nw=1',
        file,
      ],
      { encoding: 'utf8' },
    )
      .trim()
      .split('\n')
      .map((line) => line.split('=') as [string, string]),
  );
const recorded = async (
  name: string,
  options: Parameters<EvidenceRig['footage']['add']>[2] = { seconds: 60 },
) => {
  const id = await rig.addCamera(name);
  // Making it takes its time, once.
  makeMp4(options);
  rig.footage.add(id, rig.now() - minute, options);
  return id;
};

describe('an export', () => {
  it('of a minute is a signed zip in less than two seconds, playable from its first picture', async () => {
    const dock = await recorded('Dock: north / "1"', { seconds: 60, audio: true });
    const startedMs = performance.now();
    const { done, answer, bytes, file, folder, manifest } = await fetched(ask([dock]));
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    expect(done).toMatchObject({ state: 'ready', progress: 1, problem: null, created_by: 'Ada Admin' });
    expect(answer.headers.get('content-length')).toBe(String(bytes.length));
    expect(answer.headers.get('content-disposition')).toMatch(/siphera-.*\.zip/);
    const [one] = manifest.files;
    expect(one?.path).toMatch(/^footage\/01-Dock-north-1\/[\d_-]+\.mp4$/);
    const mp4 = join(folder, one?.path ?? '');
    const { codec_name, nb_read_frames, duration } = probe(mp4);
    expect({ codec_name, nb_read_frames }).toEqual({ codec_name: 'h264', nb_read_frames: '1500' });
    expect(Number(duration)).toBeCloseTo(60, 0);
    // The index stands in front of the pictures.
    const head = readFileSync(mp4);
    expect(head.indexOf('moov')).toBeLessThan(head.indexOf('mdat'));
    expect(manifest.cameras[0]).toMatchObject({
      name: 'Dock: north / "1"',
      time_zone: 'Europe/Vienna',
      gaps: [],
    });
    expect(one?.from.local).toMatch(/\+0[12]:00$/);
    expect(manifest.export).toMatchObject({
      reason: 'Asked for by the police',
      requested_by: { name: 'Ada Admin' },
    });
    const checked = await check(file, ...ownKey());
    expect(checked.out).toContain('GENUINE: unchanged since the box');
    expect(checked.code).toBe(0);
  });

  it('can be checked by hand, as its README says', async () => {
    const { folder } = await fetched(ask([await recorded('Dock'), await recorded('Gate')]));
    const readme = readFileSync(join(folder, 'README.txt'), 'utf8');
    const commands = readme.split('\n').filter((line) => /^ {5}(openssl|echo) /.test(line));
    expect(commands).toHaveLength(4);
    const said = commands.map((line) =>
      execFileSync('bash', ['-c', line.trim()], { cwd: folder, encoding: 'utf8' }),
    );
    const fingerprint = /\n {5}([0-9a-f]{64})\n/.exec(readme)?.[1] ?? 'none';
    expect(said[0]).toContain(fingerprint);
    expect(said[1]).toContain('Signature Verified Successfully');
    expect(said.slice(2).every((text) => text.endsWith(': OK\n'))).toBe(true);
  });

  it('leaves H.265 as it is and says so', async () => {
    const { folder, manifest } = await fetched(ask([await recorded('Dock', { seconds: 60, codec: 'h265' })]));
    expect(manifest.files[0]).toMatchObject({
      video: 'h265',
      path: expect.stringMatching(/_h265\.mp4$/) as string,
    });
    expect(probe(join(folder, manifest.files[0]?.path ?? ''))['codec_name']).toBe('hevc');
    expect(readFileSync(join(folder, 'README.txt'), 'utf8')).toContain('H.265');
  });

  it('says what is missing, and why', async () => {
    const dock = await rig.addCamera('Dock');
    rig.footage.add(dock, rig.now() - minute, { seconds: 20 });
    rig.footage.gap(dock, rig.now() - 40_000, rig.now() - 20_000, 'The camera did not answer.');
    rig.footage.add(dock, rig.now() - 20_000, { seconds: 20 });
    const none = await rig.addCamera('Never');
    const { done, file, manifest } = await fetched(ask([dock, none]));
    expect(done.problem).toContain('gaps in Dock, no footage of Never');
    expect(manifest.files).toHaveLength(2);
    expect(manifest.cameras[0]?.gaps).toMatchObject([{ why: 'The camera did not answer.' }]);
    expect(manifest.cameras[1]?.gaps).toMatchObject([{ why: 'Nothing was recorded then.' }]);
    expect((await check(file, ...ownKey())).out).toContain('The camera did not answer.');
  });

  it('without any footage fails in words', async () => {
    const { id } = await start(ask([await rig.addCamera('Never')]));
    expect(await ended(id)).toMatchObject({
      state: 'failed',
      problem: 'There is no footage of that time. Nothing was recorded then.',
    });
  });

  it('whose disk fails says so and leaves nothing behind', async () => {
    const dock = await recorded('Dock');
    rig.footage.onRead = () => {
      throw Object.assign(new Error('read'), { code: 'EIO' });
    };
    const { id } = await start(ask([dock]));
    expect((await ended(id)).problem).toBe('The disk failed while it was read or written.');
    expect(readdirSync(join(rig.directory, 'data', 'exports'))).toEqual([]);
    expect(rig.sql('SELECT id FROM locks')).toEqual([]);
  });

  it('that a restart interrupts is made again, and its footage is held until it is done', async () => {
    const dock = await recorded('Dock');
    let pieces = 0;
    let isHeld = true;
    rig.footage.onRead = async () => {
      pieces += 1;
      while (isHeld && pieces > 20) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    const { id } = await start(ask([dock]));
    await until(() => pieces > 20);
    const held = () => rig.sql('SELECT camera_id, to_ms - from_ms AS ms, until_ms FROM locks');
    expect(held()).toEqual([{ camera_id: dock, ms: minute, until_ms: null }]);
    // It is no lock of anybody.
    expect((await rig.rest('GET', '/camera/locks')).body).toEqual({ items: [] });
    const stopped = rig.halt();
    isHeld = false;
    await stopped;
    await rig.restart();
    expect(await ended(id)).toMatchObject({ state: 'ready' });
    expect(held()).toEqual([]);
  });

  it('is for those who may export all of its cameras; who, what and why stands in the audit', async () => {
    const dock = await recorded('Dock');
    const playback = [{ permissions: ['camera.playback' as const], scope: `org:${testOrg}` }];
    const elsewhere = [{ permissions: ['camera.export' as const], scope: `area:${office}` }];
    expect((await rig.rest('POST', '/camera/exports', ask([dock]), playback)).status).toBe(403);
    expect((await rig.rest('POST', '/camera/exports', ask([dock]), elsewhere)).status).toBe(404);
    const { done } = await fetched(ask([dock]));
    expect((await rig.rest('GET', `/camera/exports/${done.id}`, undefined, elsewhere)).status).toBe(404);
    expect((await rig.fetch('GET', `/camera/exports/${done.id}/file`, undefined, elsewhere)).status).toBe(
      404,
    );
    expect((await rig.rest('GET', '/camera/exports', undefined, elsewhere)).body).toMatchObject({
      items: [],
    });
    expect((await rig.rest('GET', '/camera/exports')).body).toMatchObject({ items: [{ id: done.id }] });
    expect((await rig.rest('DELETE', `/camera/exports/${done.id}`)).status).toBe(204);
    await until(() => rig.core.audits.some((row) => row['action'] === 'export.deleted'));
    const rows = rig.core.audits.filter((row) => row['target'] === `export:${done.id}`);
    expect(rows.map((row) => row['action'])).toEqual([
      'export.created',
      'export.ready',
      'export.downloaded',
      'export.deleted',
    ]);
    expect(rows[0]).toMatchObject({ detail: { camera_ids: [dock], reason: 'Asked for by the police' } });
    expect(rows[1]).toMatchObject({ detail: { sha256: done.sha256 } });
    expect(readdirSync(join(rig.directory, 'data', 'exports'))).toEqual([]);
  });

  it('of a camera that was removed is made for those who may on the whole organisation', async () => {
    const dock = await recorded('Dock');
    rig.camera.base.registry.remove(dock);
    const here = [{ permissions: ['camera.export' as const], scope: `area:${yard}` }];
    expect((await rig.rest('POST', '/camera/exports', ask([dock]), here)).status).toBe(404);
    const { manifest } = await fetched(ask([dock]));
    expect(manifest.files).toHaveLength(1);
    expect(manifest.cameras).toMatchObject([{ name: 'Dock', time_zone: 'Europe/Vienna' }]);
  });

  it('has limits: a day, a reason where one is asked for', async () => {
    const dock = await recorded('Dock');
    const status = async (change: Record<string, unknown>) =>
      (await rig.rest('POST', '/camera/exports', ask([dock], change))).status;
    expect(await status({ from: toRfc3339(rig.now() - 25 * 3_600_000) })).toBe(422);
    expect(await status({ to: toRfc3339(rig.now() - 2 * minute) })).toBe(422);
    rig.settings.reason_required = true;
    expect(await status({ reason: ' ' })).toBe(422);
    expect(await status({ reason: 'Training' })).toBe(202);
  });

  it('goes after seven days', async () => {
    const { done } = await fetched(ask([await recorded('Dock')]));
    const file = join(rig.directory, 'data', 'exports', `${done.id}.zip`);
    expect(existsSync(file)).toBe(true);
    rig.advance(7 * 86_400_000);
    rig.sql('UPDATE exports SET expires_ms = 1');
    await rig.restart();
    await until(() => !existsSync(file));
    expect(rig.sql('SELECT id FROM exports')).toEqual([]);
  });
});

describe('somebody who checks an export', () => {
  it('sees one flipped byte, wherever it is', async () => {
    const { bytes, file } = await fetched(ask([await recorded('Dock')]));
    const places = {
      footage: bytes.indexOf('mdat') + 5_000,
      manifest: bytes.indexOf('Asked for by the police'),
      signature: bytes.indexOf('manifest.sig') + 20,
      key: bytes.indexOf('BEGIN PUBLIC KEY') + 40,
      readme: bytes.indexOf('Is it genuine?') + 3,
      directory: bytes.lastIndexOf('manifest.sig') - 30,
      'time of a file': 11,
      end: bytes.length - 3,
    };
    for (const [name, at] of Object.entries(places)) {
      const tampered = Buffer.from(bytes);
      tampered.writeUInt8(tampered.readUInt8(at) ^ 1, at);
      writeFileSync(file, tampered);
      const { code, out } = await check(file, ...ownKey());
      expect({ name, code, says: out.includes('NOT GENUINE') }).toEqual({ name, code: 1, says: true });
    }
  });

  it('sees a file that was swapped, added or taken away, even when the zip was made anew', async () => {
    const gate = await recorded('Gate', { seconds: 60, width: 480 });
    const { file, folder, manifest } = await fetched(ask([await recorded('Dock'), gate]));
    const [one, two] = manifest.files.map(({ path }) => join(folder, path));
    const zipped = async (): Promise<string> => {
      execFileSync('python3', ['-c', zipScript, file, folder]);
      return (await check(file, ...ownKey())).out;
    };
    expect(await zipped()).toContain('GENUINE: unchanged');
    const before = readFileSync(one ?? '');
    writeFileSync(one ?? '', readFileSync(two ?? ''));
    expect(await zipped()).toMatch(/01-Dock\/.*was changed/);
    writeFileSync(one ?? '', before);
    writeFileSync(join(folder, 'footage', 'more.mp4'), before);
    expect(await zipped()).toContain('footage/more.mp4 was added');
    execFileSync('rm', [join(folder, 'footage', 'more.mp4'), two ?? '']);
    expect(await zipped()).toMatch(/02-Gate\/.* is missing/);
    writeFileSync(file, 'not a zip at all, but long enough to look like one');
    expect((await check(file)).out).toContain('not a whole zip');
  });

  it('sees that another key signed it, and is told when nothing says whose key it is', async () => {
    const { file, folder, manifest } = await fetched(ask([await recorded('Dock')]));
    const unknown = await check(file);
    expect(unknown).toMatchObject({
      code: 3,
      out: expect.stringContaining(manifest.key.fingerprint_sha256) as string,
    });
    const known = await check(file, '--fingerprint', manifest.key.fingerprint_sha256.toUpperCase());
    expect(known.code).toBe(0);
    // A forger signs his own manifest with his own key: all of it fits together.
    const run = (command: string) => execFileSync('bash', ['-c', command], { cwd: folder });
    run(
      'openssl genpkey -algorithm ed25519 -out /tmp/forger.$$.pem 2>/dev/null; mv /tmp/forger.$$.pem ../forger.pem',
    );
    run('openssl pkey -in ../forger.pem -pubout -out public-key.pem');
    const fingerprint = String(run('openssl pkey -pubin -in public-key.pem -outform DER | sha256sum')).slice(
      0,
      64,
    );
    const forged = readFileSync(join(folder, 'manifest.json'), 'utf8')
      .replace(manifest.key.fingerprint_sha256, fingerprint)
      .replace('Asked for by the police', 'Nothing happened');
    writeFileSync(join(folder, 'manifest.json'), forged);
    run('openssl pkeyutl -sign -inkey ../forger.pem -rawin -in manifest.json -out manifest.sig');
    execFileSync('python3', ['-c', zipScript, file, folder]);
    const forgery = await check(file, ...ownKey());
    expect(forgery.code).toBe(1);
    expect(forgery.out).toContain('signed with another key');
    expect((await check(file)).code).toBe(3);
    // On a box that did not make it.
    mkdirSync(join(rig.directory, 'etc'));
    mkdirSync(join(rig.directory, 'camera'));
    writeFileSync(join(rig.directory, 'etc', 'siphera.env'), `SIPHERA_DATA_DIR=${rig.directory}\n`);
    const own = join(rig.directory, 'camera', 'evidence-public.pem');
    writeFileSync(own, readFileSync(ownKey()[1] ?? ''));
    const foreign = await check(file);
    expect(foreign).toMatchObject({
      code: 3,
      out: expect.stringContaining("not with this box's own key") as string,
    });
  });
});

it('makes its key once, for itself alone', async () => {
  const key = join(rig.directory, 'data', 'evidence-key.pem');
  expect(statSync(key).mode & 0o777).toBe(0o600);
  const before = readFileSync(key);
  await rig.restart();
  expect(readFileSync(key).equals(before)).toBe(true);
  await rig.halt();
  writeFileSync(key, 'not a key');
  await expect(rig.restart()).rejects.toThrow('cannot be read');
  writeFileSync(key, before);
});

/** Zips a folder with stored entries, as somebody with a common tool would. */
const zipScript = `
import os, sys, zipfile
target, folder = sys.argv[1:]
with zipfile.ZipFile(target, 'w', zipfile.ZIP_STORED) as made:
    for place, _, names in sorted(os.walk(folder)):
        for name in sorted(names):
            path = os.path.join(place, name)
            made.write(path, os.path.relpath(path, folder))
`;
