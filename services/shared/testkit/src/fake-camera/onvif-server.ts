/**
 * The HTTP half of a fake camera: ONVIF by SOAP over POST, snapshots over GET. It finds the operation by the namespace and
 * name of the element in the body, as most cameras do, and asks for credentials in the ways the test has chosen.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CameraState } from './camera-state.ts';
import { deviceIoService, deviceService, openOperations } from './device-service.ts';
import {
  actionOf,
  addressing,
  eventService,
  notificationService,
  subscriptionPath,
} from './event-service.ts';
import { DigestCheck } from './http-digest.ts';
import { snapshotJpeg } from './media-files.ts';
import { media2Service, mediaService, snapshotPath } from './media-service.ts';
import { ptzService } from './ptz-service.ts';
import type { Operation, Service } from './service.ts';
import { envelope, faultBody, namespaces, notAuthorized, notSupported, SoapFault } from './soap.ts';
import { TokenCheck } from './wsse.ts';
import { child, parseXml, textOf, type XmlNode } from './xml.ts';

export const realm = 'Fake Camera';

/** A SOAP request of a client is a few kilobytes. */
const bodyBytesMax = 256 * 1024;
/** Calls remembered for the test. */
const callsMax = 10_000;

export class OnvifServer {
  readonly #camera: CameraState;
  readonly #tokens: TokenCheck;
  readonly #digests: DigestCheck;
  #server: Server | undefined;

  constructor(camera: CameraState) {
    this.#camera = camera;
    this.#tokens = new TokenCheck(camera.spec, camera.spec.tokenWindowMs);
    this.#digests = new DigestCheck(camera.spec, realm);
  }

  async listen(): Promise<void> {
    const { host, httpPort } = this.#camera.addresses;
    const server = createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        // The client, or a reboot, cut the connection: there is nobody to answer.
        response.destroy(error as Error);
      });
    });
    server.listen(httpPort, host);
    await once(server, 'listening');
    this.#server = server;
  }

  /** Closes the port and every connection at once, as a power cut would. */
  async close(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request);
    if (this.#camera.faults.slowMs !== undefined) await sleep(this.#camera.faults.slowMs);
    if (request.method === 'GET') await this.#snapshot(request, response);
    else await this.#soap(request, response, body);
  }

  async #snapshot(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { auth, streams } = this.#camera.spec;
    const stream = streams.find(({ name }) => request.url === `${snapshotPath}/${name}.jpg`);
    if (!stream) response.writeHead(404).end();
    else if (auth !== 'none' && !this.#digestIsGood(request)) this.#challenge(response, '');
    else {
      const jpeg = await snapshotJpeg(stream.width, stream.height);
      response.writeHead(200, { 'content-type': 'image/jpeg', 'content-length': jpeg.length }).end(jpeg);
    }
  }

  async #soap(request: IncomingMessage, response: ServerResponse, body: string): Promise<void> {
    const root = parseXml(body);
    const element = child(root, 'Body')?.children[0];
    const name = element?.name ?? '';
    this.#camera.calls.push(name);
    if (this.#camera.calls.length > callsMax) this.#camera.calls.shift();
    try {
      if (!root || !element) throw new SoapFault({ reason: 'No SOAP', subcodes: ['ter:WellFormed'] });
      const refused = this.#refusal(request, root, name);
      if (refused === 'challenge') {
        this.#challenge(response, faultBody(notAuthorized('Credentials, please')));
        return;
      }
      if (refused) throw refused;
      const answer = await this.#operation(element)({
        request: element,
        camera: this.#camera,
        subscription: this.#subscription(request.url ?? ''),
      });
      const action = actionOf(element.namespace, name);
      const header = action === undefined ? '' : addressing(action, textOf(root, 'Header', 'MessageID'));
      this.#send(response, 200, this.#maybeBroken(name, envelope(answer, header)));
    } catch (error) {
      const fault =
        error instanceof SoapFault
          ? error
          : new SoapFault({ reason: String(error), subcodes: ['ter:Action'], sender: false });
      this.#send(response, fault.status, envelope(faultBody(fault)));
    }
  }

  /** Whether the request may go on; else what it is told. */
  #refusal(request: IncomingMessage, root: XmlNode, name: string): SoapFault | 'challenge' | undefined {
    const { auth } = this.#camera.spec;
    const open =
      name === 'GetSystemDateAndTime' ||
      (this.#camera.faults.authForAll !== true && openOperations.has(name));
    if (auth === 'none' || open) return undefined;
    if (auth !== 'wsse' && this.#digestIsGood(request)) return undefined;
    if (auth === 'digest') return 'challenge';
    const verdict = this.#tokens.verdict(root, this.#camera.now());
    if (verdict === 'good') return undefined;
    if (auth === 'both' && verdict === 'absent') return 'challenge';
    return notAuthorized(`The UsernameToken is ${verdict}`);
  }

  #digestIsGood(request: IncomingMessage): boolean {
    const { method = '', url = '' } = request;
    return this.#digests.good(request.headers.authorization, { method, url });
  }

  #challenge(response: ServerResponse, body: string): void {
    response.setHeader('WWW-Authenticate', this.#digests.challenge());
    this.#send(response, 401, body === '' ? '' : envelope(body));
  }

  #operation(element: XmlNode): Operation {
    const { ptz, profileT } = this.#camera.spec;
    const services: Readonly<Record<string, Service>> = {
      [namespaces.tds]: deviceService,
      [namespaces.trt]: mediaService,
      [namespaces.tev]: eventService,
      [namespaces.wsnt]: notificationService,
      [namespaces.tmd]: deviceIoService,
      ...(ptz ? { [namespaces.tptz]: ptzService } : {}),
      ...(profileT ? { [namespaces.tr2]: media2Service } : {}),
    };
    const operation = services[element.namespace]?.[element.name];
    if (!operation || this.#camera.faults.unsupported?.includes(element.name) === true) {
      throw notSupported(`There is no ${element.name} of ${element.namespace}`);
    }
    return operation;
  }

  #subscription(url: string) {
    return url.startsWith(subscriptionPath)
      ? this.#camera.subscriptions.get(url.slice(subscriptionPath.length))
      : undefined;
  }

  #maybeBroken(name: string, text: string): string {
    const { malformed = false } = this.#camera.faults;
    const broken = typeof malformed === 'boolean' ? malformed : malformed.includes(name);
    // Up to the middle, and there inside a tag.
    return broken ? text.slice(0, text.indexOf('>', text.length / 2)) : text;
  }

  #send(response: ServerResponse, status: number, text: string): void {
    response
      .writeHead(status, {
        'content-type': 'application/soap+xml; charset=utf-8',
        'content-length': Buffer.byteLength(text),
      })
      .end(text);
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bodyBytesMax) throw new Error('The body is too big');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
