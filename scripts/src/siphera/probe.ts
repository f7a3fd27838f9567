/** Small questions to the running parts: is the port open, does it answer, which certificate does it show. */
import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { get } from 'node:http';
import { createConnection } from 'node:net';
import { connect, type DetailedPeerCertificate } from 'node:tls';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import mqtt from 'mqtt';
import type { Address, BoxPlace, Place, Probe } from './box.ts';
import { pkiFile } from './box.ts';

/** All of them are on this machine or its container network. */
const probeTimeoutMs = 4_000;

/** STUN: an Allocate request of nobody, and the type of its refusal. */
const allocateRequest = Buffer.from('000300002112a442736970686572612d63616c6c', 'hex');
const allocateError = 0x0113;

/** What `/healthz` said; undefined when nobody answered in time. */
export function askHealth(place: Place): Promise<{ ok: boolean; text: string } | undefined> {
  return new Promise((resolve) => {
    // Not answering is an answer here; the caller says what it means.
    const nobody = (): void => resolve(undefined);
    const signal = AbortSignal.timeout(probeTimeoutMs);
    get({ ...place, path: '/healthz', agent: false, signal }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text = (text + part).slice(0, 2_000)));
      response.on('end', () => resolve({ ok: response.statusCode === 200, text }));
      response.on('error', nobody);
    }).on('error', nobody);
  });
}

/** Does it answer? undefined when nobody here can tell. */
export function askDaemon(probe: Probe): Promise<boolean | undefined> {
  if ('up' in probe) return Promise.resolve(probe.up);
  const env = { ...process.env, ...probe.env };
  return new Promise((resolve) => {
    execFile(probe.healthcheck, { timeout: probeTimeoutMs, env }, (error) => resolve(error === null));
  });
}

/** Does the relay ask a stranger for credentials (401, RFC 8656)? By UDP, as most calls come to it. */
export function askRelay({ host, port }: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    const end = (answers: boolean): void => {
      clearTimeout(timer);
      socket.close();
      resolve(answers);
    };
    const timer = setTimeout(() => end(false), probeTimeoutMs);
    socket.once('error', () => end(false));
    socket.once('message', (answer) => end(answer.readUInt16BE(0) === allocateError));
    socket.send(allocateRequest, port, host);
  });
}

export function isOpen({ host, port }: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port, timeout: probeTimeoutMs });
    const end = (open: boolean): void => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });
}

/** The certificate that a TLS server shows for `serverName`. Whether it is to be trusted is another question. */
export function shownCertificate(address: Address, serverName: string): Promise<X509Certificate | undefined> {
  return new Promise((resolve) => {
    const socket = connect({
      ...address,
      servername: serverName,
      // Only looked at, nothing is sent: an expired or foreign certificate is just what the doctor must be able to see.
      rejectUnauthorized: false,
      timeout: probeTimeoutMs,
    });
    const end = (certificate?: X509Certificate): void => {
      socket.destroy();
      resolve(certificate);
    };
    socket.once('secureConnect', () => {
      const peer: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
      end(peer?.raw ? new X509Certificate(peer.raw) : undefined);
    });
    socket.once('error', () => end());
    socket.once('timeout', () => end());
  });
}

/** Seconds the broker has been up, asked with the health check's certificate. @throws when it does not let us in. */
export async function askBroker(box: BoxPlace): Promise<string> {
  const client = await mqtt.connectAsync(`mqtts://${box.mqtt.host}:${box.mqtt.port}`, {
    protocolVersion: 5,
    clientId: `siphera-doctor-${process.pid}`,
    reconnectPeriod: 0,
    connectTimeout: probeTimeoutMs,
    ca: readFileSync(pkiFile(box, 'ca', 'ca.crt')),
    cert: readFileSync(pkiFile(box, 'mqtt', 'siphera-health.crt')),
    key: readFileSync(pkiFile(box, 'mqtt', 'siphera-health.key')),
  });
  try {
    const answer = new Promise<string>((resolve, reject) => {
      setTimeout(() => reject(new Error('the broker says nothing')), probeTimeoutMs).unref();
      client.once('message', (_topic, payload) => resolve(payload.toString()));
    });
    await client.subscribeAsync('$SYS/broker/uptime');
    return await answer;
  } finally {
    await client.endAsync(true);
  }
}
