/**
 * The only file that knows the npm package `onvif` (docs/adr/0007). The package makes the requests and the credentials
 * (WS-Security UsernameToken with the camera's clock, HTTP digest); the transport below it and the reading of answers are
 * ours, because both touch hostile bytes.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { Cam } from 'onvif';
import { escapeXml, find, parseXml, textAt, xmlBytesMax, type XmlNode } from '../../domain/onvif/xml.ts';
import type { CameraNetwork } from '../camera-network.ts';
import { boundedRequest, type HttpAnswer } from './bounded-request.ts';
import { asOnvifError, OnvifError } from './onvif-error.ts';

/** A picture of a 4K camera is about 2 MB. */
const pictureBytesMax = 16_000_000;

type Callback = (error: Error | null, data?: unknown, xml?: string, status?: number) => void;
type Target = { hostname: string; port: number | string | null; path: string };
type RequestOptions = {
  service?: string;
  url?: Target;
  body: string;
  action?: string;
  replyTimeout?: number;
};

const { parseSOAPString } = createRequire(import.meta.url)('onvif/lib/utils.js') as {
  parseSOAPString: (xml: string, callback: Callback, status: number) => void;
};

/** Parts of the package that its types leave out. */
type Internals = {
  _envelopeHeader(open?: boolean): string;
  _envelopeFooter(): string;
  _request(options: RequestOptions, callback: Callback): void;
  uri?: Record<string, Target | undefined>;
};

export class BoundedCam extends Cam {
  readonly #network: CameraNetwork;

  constructor(options: ConstructorParameters<typeof Cam>[0], network: CameraNetwork) {
    super(options);
    this.#network = network;
  }

  /** The package's own transport has no bound in bytes and waits for two minutes. */
  _request(options: RequestOptions, callback: Callback): void {
    this.#exchange(options).then(
      ({ xml, status }) => deliver(xml, status, callback),
      (error: unknown) => deliverError(error as Error, callback),
    );
  }

  /** UTF-8, where the package drops what is not ASCII (WS-Security UsernameToken Profile §4.1). */
  _passwordDigest(): { passdigest: string; nonce: string; timestamp: string } {
    const timestamp = new Date(process.uptime() * 1_000 + (this.timeShift ?? 0)).toISOString();
    const nonce = randomBytes(16);
    const digest = createHash('sha1')
      .update(nonce)
      .update(timestamp)
      .update(this.password ?? '', 'utf8');
    return { passdigest: digest.digest('base64'), nonce: nonce.toString('base64'), timestamp };
  }

  _envelopeHeader(open?: boolean): string {
    const raw = this.username;
    // The package puts it into the XML as it is.
    if (raw !== undefined) this.username = escapeXml(raw);
    try {
      return (Cam.prototype as unknown as Internals)._envelopeHeader.call(this, open);
    } finally {
      if (raw !== undefined) this.username = raw;
    }
  }

  /** Addresses that the camera tells are used at the host that is known to work, never elsewhere. */
  _parseUrl(address: unknown): Target {
    const text = typeof address === 'string' ? address : '';
    const url = URL.canParse(text) ? new URL(text) : undefined;
    const ours = { hostname: this.hostname, port: this.port };
    if (!url) return { ...ours, path: this.path };
    const same = url.hostname.replace(/^\[(.*)\]$/, '$1') === this.hostname;
    const port = url.port === '' ? (this.useSecure ? 443 : 80) : Number(url.port);
    return { hostname: this.hostname, port: same ? port : this.port, path: url.pathname + url.search };
  }

  async picture(url: string, timeoutMs: number): Promise<HttpAnswer> {
    const target = this._parseUrl(url);
    const ask = (headers: Record<string, string>): Promise<HttpAnswer> =>
      boundedRequest(this.#http(target), this.#network, {
        method: 'GET',
        headers,
        timeoutMs,
        bytesMax: pictureBytesMax,
      });
    const first = await ask({});
    const authorization = this.#digest(first, 'GET', target.path);
    return authorization === undefined ? first : ask({ authorization });
  }

  async #exchange({
    service,
    url,
    body,
    replyTimeout,
  }: RequestOptions): Promise<{ xml: string; status: number }> {
    const { uri } = this as unknown as Internals;
    const target = url ??
      uri?.[service ?? ''] ?? { hostname: this.hostname, port: this.port, path: this.path };
    const post = (text: string, headers: Record<string, string>): Promise<HttpAnswer> =>
      boundedRequest(this.#http(target), this.#network, {
        method: 'POST',
        headers: {
          ...headers,
          'content-type': 'application/soap+xml; charset=utf-8',
          'content-length': Buffer.byteLength(text),
        },
        body: text,
        timeoutMs: replyTimeout ?? this.timeout,
        bytesMax: xmlBytesMax,
      });
    let answer = await post(body, {});
    let text = body;
    if (answer.status !== 401 && isNotAuthorised(answer)) {
      // It dislikes our token: without one it may ask for a digest instead.
      text = withoutToken(body);
      if (text !== body) answer = await post(text, {});
    }
    const authorization = this.#digest(answer, 'POST', target.path);
    if (authorization !== undefined) answer = await post(text, { authorization });
    if (answer.status === 401) throw new OnvifError('unauthorised', 'it does not take these credentials');
    return { xml: answer.body.toString('utf8'), status: answer.status };
  }

  /** Answer to a challenge (RFC 7616 §3.4); undefined when there is none. */
  #digest(answer: HttpAnswer, method: string, path: string): string | undefined {
    if (answer.status !== 401 || this.username === undefined) return undefined;
    const challenges = answer.rawHeaders.filter(
      (value, index) =>
        index % 2 === 1 &&
        answer.rawHeaders[index - 1]?.toLowerCase() === 'www-authenticate' &&
        value.startsWith('Digest '),
    );
    if (challenges.length === 0) return undefined;
    try {
      return this.digestAuth(challenges, { method, path });
    } catch (error) {
      throw new OnvifError('nonsense', 'its digest challenge cannot be read', { cause: error });
    }
  }

  has(service: string): boolean {
    return (this as unknown as Internals).uri?.[service] !== undefined;
  }

  /** An envelope of our own, for what the package has no call for. */
  envelope(header: string, body: string): string {
    const internals = this as unknown as Internals;
    return `${internals._envelopeHeader(true)}${header}</s:Header><s:Body>${body}${internals._envelopeFooter()}`;
  }

  /** One call of the package as a promise for the answer's XML. Ends within three requests' time, whatever the package does. */
  invoke(call: (done: Callback) => void, timeoutMs: number = this.timeout): Promise<XmlNode> {
    const answer = new Promise<XmlNode>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new OnvifError('nonsense', 'its answer could not be read')),
        timeoutMs * 3 + 500,
      );
      call((error, _data, xml) => {
        clearTimeout(timer);
        const root = error ? undefined : parseXml(xml ?? '');
        if (error) reject(error);
        else if (root) resolve(root);
        else reject(new OnvifError('nonsense', 'its answer could not be read'));
      });
    });
    return asOnvifError(answer);
  }

  #http({ hostname, port, path }: Target) {
    return { host: hostname, port: Number(port ?? this.port), path, secure: this.useSecure };
  }
}

/** The package's callbacks throw on answers that they do not expect; that must end in the callback, once, and nowhere else. */
function deliver(xml: string, status: number, callback: Callback): void {
  const root = parseXml(xml);
  if (!find(root, 'Body')) {
    deliverError(new OnvifError('nonsense', `its answer is not SOAP (status ${status})`), callback);
    return;
  }
  const fault = find(root, 'Body', 'Fault');
  if (fault) {
    deliverError(faultError(fault), callback);
    return;
  }
  try {
    parseSOAPString(
      xml,
      (error, data) => {
        if (error) throw error;
        callback(null, data, xml, status);
      },
      status,
    );
  } catch (cause) {
    deliverError(new OnvifError('nonsense', 'its answer is not what ONVIF says', { cause }), callback);
  }
}

function deliverError(error: Error, callback: Callback): void {
  try {
    callback(error, null, '', 0);
  } catch (second) {
    // The package reads on in spite of the error; whoever waits is told by `invoke`'s own time limit.
    if (!(second instanceof TypeError)) throw second;
  }
}

function faultError(fault: XmlNode): OnvifError {
  const reason = textAt(fault, 'Reason', 'Text') ?? textAt(fault, 'faultstring') ?? 'no reason given';
  const kind = JSON.stringify(fault).includes('NotAuthorized') ? 'unauthorised' : 'refused';
  return new OnvifError(kind, reason.replaceAll(/\p{Cc}+/gu, ' ').slice(0, 200));
}

const isNotAuthorised = ({ status, body }: HttpAnswer): boolean =>
  status >= 400 && body.includes('NotAuthorized');

const withoutToken = (body: string): string => body.replace(/<Security [\s\S]*?<\/Security>/, '');
