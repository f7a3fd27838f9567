/** Names come from people, and some from people who try: they are shown and kept as they are, and are nobody's path. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EvidenceManifest, type Export } from '@siphera/contract';
import { toRfc3339 } from '@siphera/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEvidenceRig, type EvidenceRig } from './testing/evidence-rig.ts';
import { until } from './testing/rig.ts';

let rig: EvidenceRig;
beforeAll(async () => {
  rig = await startEvidenceRig();
});
afterAll(() => rig.stop());

const tricks = [
  '../../etc',
  '/etc/passwd',
  '..\\..\\Windows\\System32',
  'C:\\con',
  '..',
  '.',
  '-rf ~',
  '$(reboot);`reboot`',
  'a\u202egpj.exe',
  'Tür <b>"&\'',
  '   ',
  '🎥🎥',
  'x'.repeat(120),
];
const ask = (cameraIds: string[], name: string) => ({
  camera_ids: cameraIds,
  from: toRfc3339(rig.now() - 20_000),
  to: toRfc3339(rig.now()),
  name,
});

describe('a name that is a path', () => {
  it('of cameras and of the export itself leads nowhere in the zip, on the disk, or in the header', async () => {
    const ids: string[] = [];
    for (const name of tricks) {
      const id = await rig.addCamera(name);
      rig.footage.add(id, rig.now() - 20_000, { seconds: 10 });
      ids.push(id);
    }
    const made = await rig.rest('POST', '/camera/exports', ask(ids, '../../../tmp/"x"/..'));
    expect(made.status).toBe(202);
    const { id } = made.body as Export;
    const done = await until(async () => {
      const { body } = await rig.rest('GET', `/camera/exports/${id}`);
      return (body as Export).state === 'running' ? undefined : (body as Export);
    });
    expect(done).toMatchObject({ state: 'ready', name: '../../../tmp/"x"/..' });
    expect(readdirSync(join(rig.directory, 'data', 'exports'))).toEqual([`${id}.zip`]);

    const answer = await rig.fetch('GET', `/camera/exports/${id}/file`);
    expect(answer.headers.get('content-disposition')).toMatch(
      /^attachment; filename\*=UTF-8''siphera-[\w-]+\.zip$/,
    );
    const file = join(rig.directory, 'export.zip');
    writeFileSync(file, Buffer.from(await answer.arrayBuffer()));
    const listed = execFileSync('unzip', ['-Z1', file], { encoding: 'utf8' }).trim().split('\n');
    const footage = listed.filter((path) => path.startsWith('footage/'));
    expect(footage).toHaveLength(tricks.length);
    for (const path of footage) expect(path).toMatch(/^footage\/\d\d-[A-Za-z0-9-]{1,40}\/[\d_-]+\.mp4$/);
    for (const path of listed.filter((one) => !one.startsWith('footage/'))) expect(path).toMatch(/^[\w.-]+$/);
    const manifest = EvidenceManifest.parse(
      JSON.parse(execFileSync('unzip', ['-p', file, 'manifest.json'], { encoding: 'utf8' })),
    );
    expect(manifest.cameras.map(({ name }) => name)).toEqual(tricks);
  });

  it('with a NUL or a line end in it is no name', async () => {
    const camera = await rig.addCamera('Gate');
    for (const name of ['a\u0000b', 'a\nb', '\u001b[2J', '']) {
      const { status, body } = await rig.rest('POST', '/camera/exports', ask([camera], name));
      expect({ name, status, body }).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
    }
  });

  it('in the place of an id finds nothing', async () => {
    for (const id of ['..%2f..%2fcamera.db', '%2e%2e', '..%5c..', 'a%00b'])
      for (const path of [`exports/${id}/file`, `stills/${id}`, `cameras/${id}/snapshot`]) {
        const { status } = await rig.rest('GET', `/camera/${path}`);
        expect({ path, wrong: status === 400 || status === 404 }).toEqual({ path, wrong: true });
      }
    expect(existsSync(join(rig.directory, 'data', 'camera.db'))).toBe(true);
  });
});
