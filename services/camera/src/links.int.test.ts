import { execFile } from 'node:child_process';
import { createConnection, type Socket } from 'node:net';
import { promisify } from 'node:util';
import type { Grant } from '@siphera/contract';
import { systemClock, toRfc3339 } from '@siphera/runtime';
import { freePort } from '@siphera/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { boxesIn, offsetIn } from './domain/mp4-box.ts';
import { readFragment } from './domain/mp4-fragment.ts';
import { tracksOf } from './domain/mp4-init.ts';
import { LiveReader, startLiveRig, type LiveRig } from './testing/live-rig.ts';
import { admin, office, until, yard } from './testing/rig.ts';
import { StandInFootage } from './testing/stand-in-footage.ts';

const run = promisify(execFile);
let rig: LiveRig;
let footage: StandInFootage;
let ahead: number;
let rtspPort: number;
beforeEach(async () => {
  ahead = 0;
  footage = new StandInFootage();
  rtspPort = await freePort();
  rig = await startLiveRig({
    clock: { now: () => systemClock.now() + ahead, monotonic: () => systemClock.monotonic() + ahead },
    env: { CAMERA_RTSP_LISTEN: `127.0.0.1:${rtspPort}`, PUBLIC_HOST_NAME: '127.0.0.1' },
    needs: { footage, snapshot: async (id) => Buffer.from(`jpeg of ${id}`) },
  });
  rig.core.presentGrants = { active: true, grants: admin };
});
afterEach(() => rig.stop());

type Made = { id: string; url: string; uses: number };
async function make(id: string, kind: string, more: Record<string, unknown> = {}): Promise<Made> {
  const made = await rig.rest('POST', '/camera/links', { camera_id: id, kind, name: `A ${kind}`, ...more });
  expect(made).toMatchObject({ status: 201 });
  return made.body as Made;
}
/** As somebody who was only given the link. */
const open = (url: string): Promise<Response> =>
  fetch(url.replace('https://siphera.local', rig.url), { signal: AbortSignal.timeout(15_000) });
const codeOf = async (response: Response): Promise<unknown> =>
  ((await response.json()) as { code: string }).code;

describe('a link', () => {
  it('shows a snapshot to whoever has it, is counted and audited, and its token is kept nowhere', async () => {
    const { id } = await rig.watched();
    const { url, ...link } = await make(id, 'snapshot');
    const token = url.split('/').at(-1)!;
    expect(token).toMatch(/^[\w-]{43}$/);
    const shown = await open(url);
    expect(shown.headers.get('content-type')).toBe('image/jpeg');
    expect(await shown.text()).toBe(`jpeg of ${id}`);
    await open(url);
    const list = (await rig.rest('GET', '/camera/links')).body as { items: Made[] };
    expect(list.items).toMatchObject([{ id: link.id, uses: 2, kind: 'snapshot', created_by: 'Ada Admin' }]);
    await until(() => rig.core.audits.length >= 2);
    expect(rig.core.audits.map(({ action }) => action)).toEqual(['camera_link.create', 'camera_link.open']);
    expect(JSON.stringify([rig.core.audits, list, rig.log])).not.toContain(token);
    expect(JSON.stringify(rig.camera.ground.db.prepare('SELECT * FROM links').all())).not.toContain(token);
  });

  it('opens nothing when it is changed, expired or withdrawn', async () => {
    const { id } = await rig.watched();
    const link = await make(id, 'snapshot', { expires_in_seconds: 60 });
    const flipped = `${link.url.slice(0, -1)}${link.url.endsWith('A') ? 'B' : 'A'}`;
    expect(await codeOf(await open(flipped))).toBe('not_found');
    expect((await open(link.url)).status).toBe(200);
    ahead = 61_000;
    expect(await codeOf(await open(link.url))).toBe('gone');
    ahead = 0;
    expect((await rig.rest('DELETE', `/camera/links/${link.id}`)).status).toBe(204);
    expect(await codeOf(await open(link.url))).toBe('not_found');
  });

  it('dies with its maker’s rights, and lives again with them', async () => {
    const { id } = await rig.watched();
    const { url } = await make(id, 'snapshot');
    expect((await open(url)).status).toBe(200);
    rig.core.presentGrants = { active: false, grants: [] };
    ahead += 5_000;
    expect(await codeOf(await open(url))).toBe('gone');
    rig.core.presentGrants = {
      active: true,
      grants: [{ permissions: ['camera.live'], scope: `area:${office}` }],
    };
    ahead += 5_000;
    expect(await codeOf(await open(url))).toBe('gone');
    rig.core.presentGrants = { active: true, grants: admin };
    ahead += 5_000;
    expect((await open(url)).status).toBe(200);
    // Core is away: what it said last holds for a minute, no longer.
    await rig.core.stop();
    ahead += 30_000;
    expect((await open(url)).status).toBe(200);
    ahead += 60_000;
    expect((await open(url)).status).toBe(503);
  });

  it('is made by who may do what it gives, and withdrawn by its maker or a manager', async () => {
    const { id } = await rig.watched();
    const guard: Grant[] = [{ permissions: ['camera.live'], scope: `area:${yard}` }];
    const stranger: Grant[] = [{ permissions: ['camera.live', 'camera.manage'], scope: `area:${office}` }];
    const input = (kind: string): Record<string, unknown> => ({ camera_id: id, kind, name: 'x' });
    expect((await rig.rest('POST', '/camera/links', input('live'), guard)).status).toBe(201);
    const clip = { ...input('clip'), from: toRfc3339(1), to: toRfc3339(2) };
    expect((await rig.rest('POST', '/camera/links', clip, guard)).status).toBe(403);
    expect((await rig.rest('POST', '/camera/links', input('live'), stranger)).status).toBe(404);
    expect((await rig.rest('POST', '/camera/links', input('clip'))).status).toBe(422);
    const day = { ...clip, to: toRfc3339(86_400_000) };
    expect((await rig.rest('POST', '/camera/links', day)).status).toBe(422);
    expect((await rig.rest('GET', '/camera/links', undefined, stranger)).body).toEqual({ items: [] });
  });

  it('gives the live picture, which ends when the link is withdrawn', async () => {
    const { id, main } = await rig.watched();
    await rig.streams.connect(main, { width: 320, height: 180 });
    const link = await make(id, 'live');
    const reader = new LiveReader(await open(link.url));
    await until(() => reader.count('mdat') > 1);
    await rig.rest('DELETE', `/camera/links/${link.id}`);
    await until(() => reader.ended);
    expect(reader.notices.at(-1)).toMatchObject({ kind: 'end', reason: 'The link was withdrawn.' });
    expect(rig.streams.listeners(main)).toBe(0);
  });

  it('shows its picture a few times at once, no more', async () => {
    const { id, main } = await rig.watched();
    await rig.streams.connect(main, { width: 320, height: 180 });
    const { url } = await make(id, 'live');
    const views = await Promise.all(Array.from({ length: 8 }, () => open(url)));
    const readers = views.map((response) => new LiveReader(response));
    await until(() => readers.every((reader) => reader.count('mdat') > 0));
    expect(await codeOf(await open(url))).toBe('overloaded');
  });

  it('gives a clip as one MP4 over several pieces of footage, and says when it is no longer there', async () => {
    const { id } = await rig.watched();
    const fromMs = systemClock.now() - 60_000;
    footage.add(id, fromMs, { seconds: 4 });
    footage.add(id, fromMs + 10_000, { seconds: 4 });
    const span = { from: toRfc3339(fromMs), to: toRfc3339(fromMs + 14_000) };
    const shown = await open((await make(id, 'clip', span)).url);
    expect(shown.headers.get('content-type')).toBe('video/mp4');
    const bytes = Buffer.from(await shown.arrayBuffer());
    const tracks = tracksOf(bytes);
    const moofs = boxesIn(bytes).filter(({ type }) => type === 'moof');
    expect(boxesIn(bytes).filter(({ type }) => type === 'moov')).toHaveLength(1);
    expect(moofs.length).toBeGreaterThanOrEqual(14);
    const last = bytes.subarray(offsetIn(bytes, moofs.at(-1)!.bytes));
    expect(readFragment(last, tracks)!.runs[0]!.decodeTime / tracks[0]!.timescale).toBeGreaterThan(7);
    const old = { from: toRfc3339(1_000), to: toRfc3339(5_000) };
    expect(await codeOf(await open((await make(id, 'clip', old)).url))).toBe('gone');
  });
});

const probe = async (url: string): Promise<string> =>
  (
    await run('ffprobe', [
      ...['-v', 'error', '-rtsp_transport', 'tcp', '-read_intervals', '%+2', '-count_frames'],
      ...['-show_entries', 'stream=codec_name,width,height,nb_read_frames', '-of', 'csv=p=0', url],
    ])
  ).stdout;

describe('the RTSP re-stream', () => {
  it('gives H.264 with sound to ffmpeg, in time, also over a camera that comes back', async () => {
    const { id, main } = await rig.watched();
    await rig.streams.connect(main, { width: 320, height: 180, audio: true });
    const { url } = await make(id, 'rtsp');
    const seen = await probe(url);
    expect(seen).toMatch(/^h264,320,180,[3-9]\d$/m);
    expect(seen).toMatch(/^aac,\d+$/m);
    const recording = run('ffmpeg', [
      ...['-nostdin', '-v', 'warning', '-rtsp_transport', 'tcp', '-i', url, '-t', '6', '-c', 'copy'],
      ...['-f', 'mp4', '-y', `${rig.directory}/restream.mp4`],
    ]);
    await until(() => rig.streams.listeners(main) > 0);
    await new Promise((done) => setTimeout(done, 2_000));
    await rig.streams.disconnect(main);
    await rig.streams.connect(main, { width: 320, height: 180, audio: true });
    const { stderr } = await recording;
    expect(stderr).not.toMatch(/Non-monotonous|missed|corrupt/i);
    const { stdout } = await run('ffprobe', [
      ...['-v', 'error', '-show_entries', 'stream=codec_name,duration', '-of', 'csv=p=0'],
      `${rig.directory}/restream.mp4`,
    ]);
    expect(stdout).toMatch(/h264,[56]\./);
    await until(() => rig.streams.listeners(main) === 0);
  });

  it('gives H.265 as it is', async () => {
    const { id, main } = await rig.watched();
    await rig.streams.connect(main, { codec: 'h265', width: 640, height: 360 });
    expect(await probe((await make(id, 'rtsp')).url)).toMatch(/^hevc,640,360,[3-9]\d$/m);
  });

  it('refuses UDP with 461, so that players try TCP, and tells nothing without a token', async () => {
    const { id, main } = await rig.watched();
    await rig.streams.connect(main, { width: 320, height: 180 });
    const { url } = await make(id, 'rtsp');
    const client = await Client.open(rtspPort);
    expect(await client.ask('OPTIONS', '*')).toMatch(/^RTSP\/1\.0 200 OK/);
    expect(await client.ask('DESCRIBE', `rtsp://127.0.0.1/${'A'.repeat(43)}`)).toMatch(/ 404 /);
    expect(await client.ask('DESCRIBE', url)).toMatch(/a=rtpmap:96 H264\/90000/);
    const udp = { Transport: 'RTP/AVP;unicast;client_port=5000-5001' };
    expect(await client.ask('SETUP', `${url}/trackID=0`, udp)).toMatch(/ 461 /);
    expect(await client.ask('PLAY', url)).toMatch(/ 455 /);
    expect(await client.ask('RECORD', url)).toMatch(/ 405 /);
    const tcp = { Transport: 'RTP/AVP/TCP;unicast;interleaved=0-1' };
    expect(await client.ask('SETUP', `${url}/trackID=0`, tcp)).toMatch(/interleaved=0-1/);
    expect(await client.ask('PLAY', url)).toMatch(/RTP-Info: url=.*seq=\d+;rtptime=\d+/);
    await until(() => client.bytes.includes(Buffer.from([0x24, 0])));
    await rig.rest('DELETE', `/camera/links/${((await links())[0] as Made).id}`);
    await until(() => client.socket.destroyed);
    const live = await make(id, 'live');
    const other = await Client.open(rtspPort);
    expect(await other.ask('DESCRIBE', `rtsp://127.0.0.1/${live.url.split('/').at(-1)!}`)).toMatch(/ 404 /);
    other.socket.destroy();
  });

  it('outlives whatever is sent to it, and the bound of one address', async () => {
    const { id, main } = await rig.watched();
    await rig.streams.connect(main, { width: 320, height: 180 });
    const { url } = await make(id, 'rtsp');
    const seeds = [
      `OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n`,
      `DESCRIBE ${url} RTSP/1.0\r\nCSeq: 2\r\nContent-Length: 4096\r\n\r\n`,
      `SETUP ${url}/trackID=9 RTSP/1.0\r\nCSeq: 3\r\nTransport: RTP/AVP/TCP;interleaved=999-1\r\n\r\n`,
      `$\0\xff\xff`,
      `\r\n\r\n${'X'.repeat(9_000)}`,
    ];
    let number = 1;
    const random = (below: number): number => (number = (number * 48_271) % 2_147_483_647) % below;
    for (let round = 0; round < 150; round += 1) {
      const bytes = Buffer.from(seeds[round % seeds.length]!, 'latin1');
      for (let flips = random(6); flips > 0; flips -= 1) bytes[random(bytes.length)] = random(256);
      const client = await Client.open(rtspPort);
      client.socket.write(bytes.subarray(0, random(bytes.length) + 1));
      await new Promise((done) => setTimeout(done, 2));
      client.socket.destroy();
    }
    expect(await probe(url)).toMatch(/^h264,320,180/m);
    const clients = await Promise.all(Array.from({ length: 20 }, () => Client.open(rtspPort)));
    await until(() => clients.filter(({ socket }) => socket.destroyed).length >= 4);
    for (const { socket } of clients) socket.destroy();
    expect(rig.log.filter((line) => /"level":"error"/.test(line))).toEqual([]);
  });
});

const links = async (): Promise<unknown[]> =>
  ((await rig.rest('GET', '/camera/links')).body as { items: unknown[] }).items;

class Client {
  bytes = Buffer.alloc(0);
  #cseq = 0;
  readonly socket: Socket;

  static async open(port: number): Promise<Client> {
    const socket = createConnection(port, '127.0.0.1');
    socket.on('error', () => socket.destroy());
    await new Promise<void>((resolve) => {
      socket.once('connect', resolve);
      socket.once('close', () => resolve());
    });
    return new Client(socket);
  }

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => (this.bytes = Buffer.concat([this.bytes, chunk])));
  }

  async ask(method: string, url: string, headers: Record<string, string> = {}): Promise<string> {
    this.bytes = Buffer.alloc(0);
    this.#cseq += 1;
    const lines = Object.entries({ CSeq: String(this.#cseq), ...headers }).map(
      ([name, value]) => `${name}: ${value}`,
    );
    this.socket.write(`${method} ${url} RTSP/1.0\r\n${lines.join('\r\n')}\r\n\r\n`);
    return until(() => {
      const text = this.bytes.toString('latin1');
      const [head = '', ...rest] = text.split('\r\n\r\n');
      const length = Number(/^Content-Length: *(\d+)/im.exec(head)?.[1] ?? 0);
      return rest.length > 0 && rest.join('\r\n\r\n').length >= length ? text : undefined;
    });
  }
}

it('has no RTSP, and says how to switch it on, unless it is asked for', async () => {
  await rig.stop();
  rig = await startLiveRig();
  const { id } = await rig.watched();
  const refused = await rig.rest('POST', '/camera/links', { camera_id: id, kind: 'rtsp', name: 'x' });
  expect(refused).toMatchObject({ status: 503, body: { code: 'unavailable' } });
  expect(JSON.stringify(refused.body)).toContain('CAMERA_RTSP_LISTEN');
});
