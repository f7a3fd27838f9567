/**
 * RTSP DESCRIBE (RFC 2326 §10.2): whether a stream is there, takes the credentials, and of what codec it is, without a child
 * process. Bounded in bytes and time; follows no redirect; a password goes as a digest only, or not at all.
 */
import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { hostOf } from '../../domain/address.ts';
import type { Login } from '../../domain/camera-row.ts';
import { readSdp, type DescribedStream } from '../../domain/sdp.ts';
import { RefusedAddressError, type CameraNetwork } from '../camera-network.ts';
import { OnvifError } from './onvif-error.ts';

const answerBytesMax = 64 * 1_024;
const timeoutMs = 5_000;

type Answer = { status: number; headers: readonly (readonly [string, string])[]; body: string };

/** @throws OnvifError by kind. */
export async function describeRtsp(
  url: string,
  login: Login | null | undefined,
  network: CameraNetwork,
): Promise<DescribedStream> {
  const to = await addressOf(url, network);
  const first = await ask(url, to, 1, undefined);
  const challenge = first.headers.find(
    ([name, value]) => name === 'www-authenticate' && /^digest /i.test(value),
  );
  let answer = first;
  if (first.status === 401 && login && challenge)
    answer = await ask(url, to, 2, digestOf(challenge[1], url, login));
  if (answer.status === 401) {
    const basicOnly = login && !challenge;
    throw new OnvifError(
      'unauthorised',
      basicOnly
        ? 'the stream takes passwords only in the open (Basic), which is not done'
        : 'the stream does not take these credentials',
    );
  }
  if (answer.status !== 200)
    throw new OnvifError('refused', `the stream is answered with status ${answer.status}`);
  const stream = readSdp(answer.body);
  if (stream.video === null) throw new OnvifError('nonsense', 'the stream has no picture');
  return stream;
}

async function ask(
  url: string,
  to: string,
  sequence: number,
  authorization: string | undefined,
): Promise<Answer> {
  const socket = open(url, to);
  const timer = setTimeout(() => socket.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  try {
    socket.write(
      `DESCRIBE ${url} RTSP/1.0\r\nCSeq: ${sequence}\r\nAccept: application/sdp\r\nUser-Agent: Siphera\r\n` +
        `${authorization === undefined ? '' : `Authorization: ${authorization}\r\n`}\r\n`,
    );
    let text = '';
    for await (const part of socket as AsyncIterable<Buffer>) {
      text += part.toString('latin1');
      const answer = readAnswer(text);
      if (answer) return answer;
      if (text.length > answerBytesMax) throw new OnvifError('nonsense', 'the stream’s answer is too large');
    }
    throw new OnvifError('nonsense', 'the stream’s answer breaks off');
  } catch (error) {
    if (error instanceof OnvifError) throw error;
    throw new OnvifError('unreachable', (error as NodeJS.ErrnoException).code ?? (error as Error).message, {
      cause: error,
    });
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

/** @throws OnvifError when nothing is asked there, or nobody knows the name. */
async function addressOf(url: string, network: CameraNetwork): Promise<string> {
  try {
    return (await network.address(hostOf(url))).address;
  } catch (error) {
    if (error instanceof RefusedAddressError)
      throw new OnvifError('forbidden', error.message, { cause: error });
    const { code, message } = error as NodeJS.ErrnoException;
    throw new OnvifError('unreachable', code ?? message, { cause: error });
  }
}

function open(url: string, host: string): Socket {
  const { protocol, port } = new URL(url);
  return protocol === 'rtsps:'
    ? connectTls({ host, port: port === '' ? 322 : Number(port), rejectUnauthorized: false })
    : connect({ host, port: port === '' ? 554 : Number(port) });
}

/** The answer when all of it is there. */
function readAnswer(text: string): Answer | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [first = '', ...lines] = text.slice(0, end).split('\r\n');
  const status = Number(/^RTSP\/1\.\d (\d{3})/.exec(first)?.[1]);
  if (!(status > 0)) throw new OnvifError('nonsense', 'the port does not speak RTSP');
  const headers = lines.flatMap((line) => {
    const colon = line.indexOf(':');
    return colon < 0 ? [] : [[line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const];
  });
  const length = Number(headers.find(([name]) => name === 'content-length')?.[1] ?? 0);
  const body = text.slice(end + 4);
  return body.length >= Math.min(length, answerBytesMax) ? { status, headers, body } : undefined;
}

/** RFC 7616 §3.4, without `qop` where the server names none (RFC 2069). */
function digestOf(challenge: string, url: string, { username, password }: Login): string {
  const part = (name: string): string | undefined =>
    new RegExp(`(?:^|[ ,])${name}=(?:"([^"]*)"|([^ ,"]+))`, 'i').exec(challenge)?.slice(1).find(Boolean);
  const algorithm = part('algorithm')?.toUpperCase() ?? 'MD5';
  if (algorithm !== 'MD5' && algorithm !== 'SHA-256')
    throw new OnvifError('nonsense', 'the stream asks for a digest that is not known');
  const hash = (text: string): string =>
    createHash(algorithm === 'MD5' ? 'md5' : 'sha256')
      .update(text, 'utf8')
      .digest('hex');
  const [realm = '', nonce = ''] = [part('realm'), part('nonce')];
  const withQop =
    part('qop')
      ?.split(',')
      .some((word) => word.trim() === 'auth') === true;
  const cnonce = hash(`${nonce}${url}`).slice(0, 16);
  const [ha1, ha2] = [hash(`${username}:${realm}:${password}`), hash(`DESCRIBE:${url}`)];
  const response = hash(
    withQop ? `${ha1}:${nonce}:00000001:${cnonce}:auth:${ha2}` : `${ha1}:${nonce}:${ha2}`,
  );
  const quoted = (text: string): string =>
    `"${text.replaceAll(/["\\\r\n]/g, (char) => (char < ' ' ? '' : `\\${char}`))}"`;
  return (
    `Digest username=${quoted(username)}, realm="${realm}", nonce="${nonce}", uri="${url}", response="${response}"` +
    (part('algorithm') === undefined ? '' : `, algorithm=${algorithm}`) +
    (withQop ? `, qop=auth, nc=00000001, cnonce="${cnonce}"` : '')
  );
}
