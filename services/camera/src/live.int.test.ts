import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { systemClock } from '@siphera/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readFragment } from './domain/mp4-fragment.ts';
import { tracksOf } from './domain/mp4-init.ts';
import { LiveReader, liveGrants, startLiveRig, type LiveRig } from './testing/live-rig.ts';
import { testOrg, until, yard } from './testing/rig.ts';

const run = promisify(execFile);
let rig: LiveRig;
beforeEach(async () => {
  rig = await startLiveRig();
});
afterEach(() => rig.stop());

const session = { sub: '0192f000-0000-7000-8000-00000000000a', sid: '0192f000-0000-7000-8000-00000000000b' };
const revoke = (data: Record<string, unknown>): void =>
  rig.core.tell({
    kind: 'revocation',
    action: 'created',
    id: session.sid,
    audience: 'identity.manage',
    scopes: [`org:${testOrg}`],
    data: { reason: 'test', expires_at: new Date(systemClock.now() + 300_000).toISOString(), ...data },
  });

async function watch(id: string, query = ''): Promise<{ response: Response; reader: LiveReader }> {
  const response = await rig.fetch('GET', `/camera/cameras/${id}/live${query}`, undefined, liveGrants);
  return { response, reader: new LiveReader(response) };
}

describe('a live picture over HTTP', () => {
  it('begins at once with the last key frame, at time 0, with its wall time, and plays as a file', async () => {
    const { id, main } = await rig.watched();
    await rig.streams.connect(main, { audio: true, gop: 2 });
    await new Promise((done) => setTimeout(done, 1_200));
    const asked = systemClock.now();
    const { response, reader } = await watch(id);
    await until(() => reader.count('mdat') > 0);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^video\/mp4; codecs="avc1\.\w{6}, mp4a\.40\.2"$/);
    expect(response.headers.get('x-siphera-stream-mime')).toBe(response.headers.get('content-type'));
    expect(response.headers.get('x-siphera-transcoded')).toBeNull();
    expect(reader.boxes.slice(0, 6).map(({ type }) => type)).toEqual([
      ...['uuid', 'ftyp', 'moov', 'prft', 'moof', 'mdat'],
    ]);
    const { content: prft } = reader.boxes[3]!;
    const wallMs = (prft.readUInt32BE(8) - 2_208_988_800 + prft.readUInt32BE(12) / 2 ** 32) * 1_000;
    // Of before it was asked for: it did not wait for the next one.
    expect(wallMs).toBeLessThan(asked);
    expect(wallMs).toBeGreaterThan(asked - 60_000);
    expect(Number(prft.readBigUInt64BE(16))).toBe(0);
    await until(() => reader.count('mdat') > 6);
    const file = join(rig.directory, 'live.mp4');
    await writeFile(file, reader.bytes);
    const { stdout, stderr } = await run('ffprobe', [
      ...['-v', 'warning', '-count_frames', '-show_entries', 'stream=codec_name,nb_read_frames,start_time'],
      ...['-of', 'csv=p=0', file],
    ]);
    expect(stdout).toMatch(/h264,0\.000000,\d{2,}/);
    expect(stderr).not.toMatch(/non monotonically|Non-monotonous/i);
  });

  it('goes on when the camera comes back with another picture: told, announced, and without a gap in time', async () => {
    const { id, main } = await rig.watched();
    await rig.streams.connect(main, { width: 320, height: 180 });
    const { reader } = await watch(id);
    await until(() => reader.count('mdat') > 2);
    await rig.streams.disconnect(main);
    await until(() => reader.notices.some(({ kind }) => kind === 'lost'));
    await rig.streams.connect(main, { width: 640, height: 360 });
    await until(() => reader.count('moov') === 2 && reader.boxes.at(-1)?.type === 'mdat');
    expect(reader.notices.map(({ kind }) => kind)).toEqual(['init', 'lost', 'init']);
    expect(reader.notices[1]).toEqual({ kind: 'lost', reason: 'The camera does not answer.' });
    const moovs = reader.boxes.filter(({ type }) => type === 'moov').map(({ bytes }) => tracksOf(bytes));
    expect(moovs.map(([track]) => track?.width)).toEqual([320, 640]);
    const at = reader.boxes.flatMap(({ bytes }) => {
      const run = readFragment(bytes, moovs[0]!)?.runs[0];
      return run ? [run.decodeTime / run.track.timescale] : [];
    });
    for (const [index, time] of at.slice(1).entries()) {
      expect(time - at[index]!).toBeGreaterThan(0.02);
      expect(time - at[index]!).toBeLessThan(1.1);
    }
  });

  it('shares the stream, and lets go of it when the viewer leaves', async () => {
    const { id, main } = await rig.watched();
    await rig.streams.connect(main);
    const gone = new AbortController();
    const views = await Promise.all(
      [1, 2, 3].map(() =>
        fetch(`${rig.url}/api/v1/camera/cameras/${id}/live`, {
          headers: { authorization: `Bearer ${rig.token(liveGrants)}` },
          signal: gone.signal,
        }),
      ),
    );
    const readers = views.map((response) => new LiveReader(response));
    await until(() => readers.every((reader) => reader.count('mdat') > 1));
    expect(rig.streams.listeners(main)).toBe(3);
    gone.abort();
    await until(() => rig.streams.listeners(main) === 0);
  });

  it('is made playable, and says so, when the viewer does not play the codec; the bound holds', async () => {
    const { id, main } = await rig.watched();
    await rig.streams.connect(main, { codec: 'h265', width: 320, height: 180 });
    const { response, reader } = await watch(id);
    expect(response.headers.get('x-siphera-transcoded')).toBe('1');
    expect(response.headers.get('content-type')).toContain('avc1.');
    await until(() => reader.count('mdat') > 2);
    const raw = await watch(id, '?video=h264,h265');
    expect(raw.response.headers.get('x-siphera-transcoded')).toBeNull();
    expect(raw.response.headers.get('content-type')).toContain('hvc1');
    const other = await rig.watched('Gate');
    await rig.streams.connect(other.main, { codec: 'h265', width: 320, height: 180 });
    const settings = (await rig.rest('GET', '/camera/settings')).body as object;
    expect((await rig.rest('PUT', '/camera/settings', { ...settings, transcodes_max: 1 })).status).toBe(200);
    const refused = await rig.rest('GET', `/camera/cameras/${other.id}/live`);
    expect(refused).toMatchObject({ status: 503, body: { code: 'overloaded' } });
    expect(rig.streams.listeners(other.main)).toBe(0);
  });

  it('shows the main stream of a camera that has no other, and nothing to who may not see it', async () => {
    const { id, main } = await rig.watched();
    await rig.streams.connect(main);
    const office = '0192f000-0000-7000-8000-0000000000a2';
    const elsewhere = [{ permissions: ['camera.live' as const], scope: `area:${office}` }];
    expect((await rig.rest('GET', `/camera/cameras/${id}/live`, undefined, elsewhere)).status).toBe(404);
    const here = [{ permissions: ['camera.playback' as const], scope: `area:${yard}` }];
    expect((await rig.rest('GET', `/camera/cameras/${id}/live`, undefined, here)).status).toBe(403);
  });
});

describe('a session that ends', () => {
  it('takes its pictures with it, and says why', async () => {
    const { id, main } = await rig.watched();
    await rig.streams.connect(main);
    const { reader } = await watch(id);
    await until(() => reader.count('mdat') > 0);
    revoke({ sid: session.sid });
    await until(() => reader.ended);
    expect(reader.notices.at(-1)).toMatchObject({ kind: 'end', code: 'session_ended' });
    expect(rig.streams.listeners(main)).toBe(0);
  });

  it('goes on watching when its roles changed and a fresh token still gives the right, and not without', async () => {
    const { id, main } = await rig.watched();
    await rig.streams.connect(main);
    const { reader } = await watch(id);
    await until(() => reader.count('mdat') > 0);
    const before = new Date(systemClock.now() + 1).toISOString();
    await new Promise((done) => setTimeout(done, 1_100));
    // Tokens of a test carry whole seconds: the new one is of the next.
    await rig.rest('GET', '/camera/settings', undefined, liveGrants);
    revoke({ sub: session.sub, issued_before: before });
    await new Promise((done) => setTimeout(done, 1_500));
    expect(reader.ended).toBe(false);
    await new Promise((done) => setTimeout(done, 1_100));
    await rig.rest('GET', '/camera/settings', undefined, [
      { permissions: ['camera.live'], scope: 'area:0192f000-0000-7000-8000-0000000000a2' },
    ]);
    await until(() => reader.ended);
    expect(reader.notices.at(-1)).toMatchObject({ kind: 'end', code: 'forbidden' });
  });
});

it('says that the camera is away when no picture comes, instead of waiting for ever', async () => {
  const { id } = await rig.watched();
  const answer = await rig.rest('GET', `/camera/cameras/${id}/live`, undefined, liveGrants);
  expect(answer).toMatchObject({ status: 503, body: { code: 'device_unavailable' } });
});
