/** RTSP DESCRIBE against a real RTSP server, and against ones that are none. */
import { createServer, type AddressInfo, type Server } from 'node:net';
import { startFakeCamera } from '@siphera/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { CameraNetwork } from '../camera-network.ts';
import { describeRtsp as describeRtspAt } from './rtsp-describe.ts';

const network = new CameraNetwork({ allowLoopback: true });
const describeRtsp = (url: string, login: Parameters<typeof describeRtspAt>[1]) =>
  describeRtspAt(url, login, network);
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** Answers each request in turn with the next of the texts, then says no more. */
async function answering(...texts: string[]): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      asked.push(bytes.toString());
      socket.write(texts.shift() ?? '');
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `rtsp://127.0.0.1:${(server.address() as AddressInfo).port}/a`, asked };
}

const login = { username: 'ad"min', password: 'secret' };
const sdp =
  'v=0\r\nm=audio 0 RTP/AVP 8\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H265/90000\r\na=framerate:12.5\r\n';
const ok = `RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Length: ${sdp.length}\r\n\r\n${sdp}`;
const challenge = (value: string): string =>
  `RTSP/1.0 401 Unauthorized\r\nWWW-Authenticate: ${value}\r\n\r\n`;

describe('DESCRIBE', () => {
  it('tells the codecs of a camera, and whether it takes the credentials', async () => {
    await using camera = await startFakeCamera({ main: { audio: 'pcmu' }, sub: false });
    const url = camera.rtspUrl('main', { credentials: false });
    expect(await describeRtsp(url, camera.credentials)).toMatchObject({ video: 'h264', audio: 'pcmu' });
    await expect(describeRtsp(url, { ...camera.credentials, password: 'no' })).rejects.toMatchObject({
      kind: 'unauthorised',
    });
    await expect(describeRtsp(url, null)).rejects.toMatchObject({ kind: 'unauthorised' });
    await expect(describeRtsp(`${url}x`, camera.credentials)).rejects.toMatchObject({ kind: 'refused' });
  });

  it('answers a challenge with a digest of the strength that is asked for', async () => {
    const { url, asked } = await answering(
      challenge('Digest realm="r", nonce="n", qop="auth-int,auth", algorithm=SHA-256'),
      ok,
    );
    expect(await describeRtsp(url, login)).toEqual({ video: 'h265', audio: 'pcma', fps: 12.5 });
    expect(asked[1]).toMatch(
      /username="ad\\"min".*response="[0-9a-f]{64}", algorithm=SHA-256, qop=auth, nc=00000001/,
    );
    expect(asked.join('')).not.toContain('secret');
  });

  it.each([
    ['Basic alone', [challenge('Basic realm="r"')], /in the open/],
    ['an algorithm nobody knows', [challenge('Digest realm="r", nonce="n", algorithm=ROT13')], /not known/],
    ['a redirect', ['RTSP/1.0 302 Moved\r\nLocation: rtsp://127.0.0.1/x\r\n\r\n'], /status 302/],
    ['no RTSP', ['HTTP/1.1 200 OK\r\n\r\n'], /not speak RTSP/],
    ['an answer without end', ['x'.repeat(100_000)], /too large/],
    ['no picture', ['RTSP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nv=0\r\n'], /no picture/],
  ])('gives up on %s', async (_name, texts, message) => {
    const { url, asked } = await answering(...texts);
    await expect(describeRtsp(url, login)).rejects.toThrow(message);
    expect(asked.join('')).not.toContain('secret');
  });

  it('gives up on silence and on a shut port', async () => {
    const { url } = await answering();
    await expect(describeRtsp(url, login)).rejects.toMatchObject({ kind: 'unreachable' });
    await expect(describeRtsp('rtsp://127.0.0.1:1/x', login)).rejects.toMatchObject({ kind: 'unreachable' });
  });
});
