/**
 * WS-Discovery 1.0 (April 2005) as ONVIF Core, chapter 7 wants it: answers Probe, says Hello and Bye. One socket listens to
 * the multicast group, one to the camera's own address, so that a probe sent straight to it works on loopback too.
 */
import { randomUUID } from 'node:crypto';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { CameraState } from './camera-state.ts';
import { scopesOf } from './device-service.ts';
import type { DiscoveryOptions } from './options.ts';
import { tag } from './service.ts';
import { child, escapeXml, parseXml, textOf } from './xml.ts';

export const discoveryGroup = '239.255.255.250';
const discoveryPort = 3702;

const soap = 'http://www.w3.org/2003/05/soap-envelope';
const wsa = 'http://schemas.xmlsoap.org/ws/2004/08/addressing';
const wsd = 'http://schemas.xmlsoap.org/ws/2005/04/discovery';
const types = ['NetworkVideoTransmitter', 'Device'];

export class Discovery {
  readonly #camera: CameraState;
  readonly #options: DiscoveryOptions;
  #sockets: Socket[] = [];

  constructor(camera: CameraState, options: DiscoveryOptions) {
    this.#camera = camera;
    this.#options = options;
  }

  async start(): Promise<void> {
    const { host } = this.#camera.addresses;
    const port = this.#options.port ?? discoveryPort;
    const direct = await this.#open(host, port);
    const group = await this.#open(discoveryGroup, port);
    const near = this.#options.interfaceAddress ?? host;
    group.addMembership(discoveryGroup, near);
    direct.setMulticastInterface(near);
    this.#sockets = [direct, group];
    this.#say('Hello');
  }

  async stop(options: { bye: boolean }): Promise<void> {
    if (options.bye) this.#say('Bye');
    const sockets = this.#sockets;
    this.#sockets = [];
    // A datagram that was just handed over goes out before the socket closes.
    await Promise.all(
      sockets.map(async (socket) => {
        const closed = once(socket, 'close');
        setImmediate(() => socket.close());
        await closed;
      }),
    );
  }

  async #open(address: string, port: number): Promise<Socket> {
    const socket = createSocket({ type: 'udp4', reuseAddr: true });
    socket.on('message', (bytes, from) => this.#hear(bytes, from));
    socket.bind(port, address);
    await once(socket, 'listening');
    return socket;
  }

  #hear(bytes: Buffer, from: RemoteInfo): void {
    const root = parseXml(bytes.toString('utf8'));
    const probe = child(root, 'Body', 'Probe');
    if (!root || !probe || !this.#isMeant(textOf(probe, 'Types'), textOf(probe, 'Scopes'))) return;
    const relates = textOf(root, 'Header', 'MessageID') ?? '';
    const answer = message(
      'ProbeMatches',
      tag('d:ProbeMatches', tag('d:ProbeMatch', this.#self())),
      tag('a:RelatesTo', escapeXml(relates)) + tag('a:To', `${wsa}/role/anonymous`),
    );
    this.#sockets[0]?.send(answer, from.port, from.address);
  }

  /** Every type that is asked for must be ours, and every scope must begin one of ours (WS-Discovery §5.1, RFC 3986 rule). */
  #isMeant(asked: string | undefined, scopes: string | undefined): boolean {
    const words = (text: string | undefined) => (text ?? '').split(/\s+/).filter((word) => word !== '');
    const own = scopesOf(this.#camera);
    return (
      words(asked).every((type) => types.includes(type.replace(/^.*:/, ''))) &&
      words(scopes).every((scope) => own.some((one) => `${one}/`.startsWith(`${scope.replace(/\/$/, '')}/`)))
    );
  }

  #self(): string {
    return (
      tag('a:EndpointReference', tag('a:Address', `urn:uuid:${this.#camera.spec.uuid}`)) +
      tag('d:Types', 'dn:NetworkVideoTransmitter tds:Device') +
      tag('d:Scopes', escapeXml(scopesOf(this.#camera).join(' '))) +
      tag('d:XAddrs', this.#camera.httpUrl('/onvif/device_service')) +
      tag('d:MetadataVersion', '1')
    );
  }

  #say(what: 'Hello' | 'Bye'): void {
    const [direct] = this.#sockets;
    const text = message(
      what,
      tag(`d:${what}`, this.#self()),
      tag('a:To', 'urn:schemas-xmlsoap-org:ws:2005:04:discovery'),
    );
    direct?.send(text, this.#options.port ?? discoveryPort, discoveryGroup, () => {
      // Without a route to the group nobody hears it, as with a cable that is pulled.
    });
  }
}

function message(action: string, body: string, header: string): string {
  const names = `xmlns:s="${soap}" xmlns:a="${wsa}" xmlns:d="${wsd}" xmlns:dn="http://www.onvif.org/ver10/network/wsdl" xmlns:tds="http://www.onvif.org/ver10/device/wsdl"`;
  const head = `${tag('a:MessageID', `urn:uuid:${randomUUID()}`)}${tag('a:Action', `${wsd}/${action}`)}${header}`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<s:Envelope ${names}><s:Header>${head}</s:Header><s:Body>${body}</s:Body></s:Envelope>`;
}
