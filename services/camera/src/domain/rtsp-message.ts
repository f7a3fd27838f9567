/**
 * Requests of RTSP 1.0 (RFC 2326) out of a TCP stream, with interleaved binary data (§10.12) between them. Hostile bytes: what
 * is too long or is no request ends the connection, and nothing is ever held beyond the bounds.
 */

export type RtspRequest = {
  method: string;
  url: string;
  /** Names in small letters. */
  headers: ReadonlyMap<string, string>;
  cseq: string;
};

const headBytesMax = 8 * 1024;
const headersMax = 64;
const bodyBytesMax = 4 * 1024;

export class RtspReader {
  #rest: Buffer = Buffer.alloc(0);

  /** @returns the requests that became whole. @throws Error when the bytes are no RTSP. */
  push(chunk: Buffer): RtspRequest[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const requests: RtspRequest[] = [];
    for (;;) {
      const taken = this.#interleaved() ?? this.#request();
      if (taken === undefined) return requests;
      if (taken !== 'skipped') requests.push(taken);
    }
  }

  /** RTCP from the client: `$`, channel, 16 bits of length. Nothing in it is needed. */
  #interleaved(): 'skipped' | undefined {
    if (this.#rest[0] !== 0x24 || this.#rest.length < 4) return undefined;
    const bytes = 4 + this.#rest.readUInt16BE(2);
    if (this.#rest.length < bytes) return undefined;
    this.#rest = this.#rest.subarray(bytes);
    return 'skipped';
  }

  #request(): RtspRequest | 'skipped' | undefined {
    if (this.#rest.length === 0 || this.#rest[0] === 0x24) return undefined;
    // Empty lines between requests are borne, as HTTP asks (RFC 9112 §2.2).
    if (this.#rest[0] === 0x0d || this.#rest[0] === 0x0a) {
      this.#rest = this.#rest.subarray(1);
      return 'skipped';
    }
    const end = this.#rest.indexOf('\r\n\r\n');
    if (end > headBytesMax || (end < 0 && this.#rest.length > headBytesMax))
      throw new Error('The request is too long');
    if (end < 0) return undefined;
    const request = parseHead(this.#rest.toString('latin1', 0, end));
    const length = request.headers.get('content-length') ?? '0';
    if (!/^\d{1,5}$/.test(length) || Number(length) > bodyBytesMax) throw new Error('The body is too long');
    const bytes = end + 4 + Number(length);
    if (this.#rest.length < bytes) return undefined;
    this.#rest = this.#rest.subarray(bytes);
    return request;
  }
}

function parseHead(head: string): RtspRequest {
  const [first = '', ...lines] = head.split('\r\n');
  const [, method, url] = /^([A-Z_]{3,20}) (\S{1,2000}) RTSP\/1\.0$/.exec(first) ?? [];
  if (method === undefined || url === undefined) throw new Error('That is no RTSP request');
  if (lines.length > headersMax) throw new Error('The request has too many headers');
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = /^([\w-]{1,60}):[ \t]*([^\0-\x08\x0a-\x1f\x7f]*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) throw new Error('A header cannot be read');
    headers.set(name.toLowerCase(), value.trim());
  }
  const cseq = headers.get('cseq') ?? '';
  if (!/^\d{1,10}$/.test(cseq)) throw new Error('The request has no CSeq');
  return { method, url, headers, cseq };
}

const reasons = {
  200: 'OK',
  400: 'Bad Request',
  404: 'Not Found',
  405: 'Method Not Allowed',
  410: 'Gone',
  415: 'Unsupported Media Type',
  454: 'Session Not Found',
  455: 'Method Not Valid In This State',
  459: 'Aggregate Operation Not Allowed',
  461: 'Unsupported Transport',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
} as const;
export type RtspStatus = keyof typeof reasons;

export function rtspAnswer(
  status: RtspStatus,
  cseq: string,
  headers: Readonly<Record<string, string>> = {},
  body = '',
): string {
  const all = {
    CSeq: cseq,
    Server: 'Siphera',
    ...headers,
    ...(body === '' ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }),
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return `RTSP/1.0 ${status} ${reasons[status]}\r\n${lines.join('\r\n')}\r\n\r\n${body}`;
}

/** The channel pair the client asks for, e.g. `RTP/AVP/TCP;unicast;interleaved=0-1`; undefined for any other transport. */
export function interleavedChannels(transport: string): { rtp: number; rtcp: number } | undefined {
  for (const choice of transport.split(',')) {
    const [kind, ...parameters] = choice.trim().split(';');
    if (kind?.toUpperCase() !== 'RTP/AVP/TCP') continue;
    const asked = parameters.find((parameter) => parameter.startsWith('interleaved='));
    const [, rtp, rtcp] = /^interleaved=(\d{1,3})(?:-(\d{1,3}))?$/.exec(asked ?? 'interleaved=0-1') ?? [];
    if (rtp === undefined) continue;
    const channels = { rtp: Number(rtp), rtcp: Number(rtcp ?? Number(rtp) + 1) };
    if (channels.rtp <= 255 && channels.rtcp <= 255 && channels.rtp !== channels.rtcp) return channels;
  }
  return undefined;
}
