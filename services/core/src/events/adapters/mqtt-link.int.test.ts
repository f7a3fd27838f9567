/**
 * The contract that the link leans on and mqtt.js does not promise: a PUBACK waits for `acknowledge()`, and nothing else
 * waits for the PUBACK. A new mqtt version is taken only when this passes with it.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { createLogger } from '@siphera/runtime';
import {
  coreUser,
  freePort,
  startMosquitto,
  tempDir,
  waitFor,
  type Mosquitto,
  type TempDir,
} from '@siphera/testkit';
import type { MqttClient } from 'mqtt';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MqttLink, type BrokerMessage } from './mqtt-link.ts';

const org = '01a201d0-0000-7000-8000-00000000000a';
const device = '01a201d0-0000-7000-8000-00000000000b';
const topic = `siphera/v1/${org}/${device}/event`;

let dir: TempDir;
let mosquitto: Mosquitto;
let agent: MqttClient;
/** Stands between link and broker, so that a test can cut the line as a network does. */
let line: { server: Server; port: number; cut: () => void };
let link: MqttLink;
let heard: BrokerMessage[] = [];
let onMessage: (message: BrokerMessage) => void;

beforeAll(async () => {
  dir = await tempDir('link');
  mosquitto = await startMosquitto({ dir: dir.path });
  agent = await mosquitto.connect(await mosquitto.issueClientCert(device), { clientId: device });
  line = await startLine(mosquitto.port);
});
afterAll(async () => {
  await agent.endAsync(true);
  line.cut();
  line.server.close();
  await mosquitto.stop();
  await dir.remove();
});

async function startLine(to: number): Promise<typeof line> {
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const broker = createConnection(to, '127.0.0.1');
    for (const [socket, other] of [
      [client, broker],
      [broker, client],
    ] as const) {
      open.add(socket);
      // A line that is cut is an error at both ends.
      socket.on('error', () => undefined);
      socket.on('close', () => {
        open.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { server, port, cut: () => open.forEach((socket) => socket.destroy()) };
}

async function startLink(): Promise<MqttLink> {
  const made = await makeLink();
  made.start();
  await waitFor('the link to be connected', () => made.connected());
  return made;
}

async function makeLink(onConnect: () => void = () => undefined): Promise<MqttLink> {
  const files = await mosquitto.issueClientCert(coreUser);
  return new MqttLink({
    url: `mqtts://localhost:${line.port}`,
    ...files,
    topics: ['siphera/v1/+/+/event'],
    log: createLogger({ service: 'test', destination: { write: () => undefined } }),
    onConnect,
    onMessage: (message) => onMessage(message),
  });
}

const textOf = (message: BrokerMessage): string => message.payload.toString();
const texts = (): string[] => heard.map(textOf);
const send = (text: string): Promise<unknown> => agent.publishAsync(topic, text, { qos: 1 });

/** The broker keeps core's session; each test begins with an empty one. */
async function forgetSession(): Promise<void> {
  const files = await mosquitto.issueClientCert(coreUser);
  const client = await mosquitto.connect(files, { clientId: 'siphera-core', clean: true });
  await client.endAsync();
}

beforeEach(async () => {
  await forgetSession();
  heard = [];
  onMessage = (message) => void heard.push(message);
  link = await startLink();
  // Before the subscription is made the broker drops them; order shows that none is still on its way.
  let sent = 0;
  await waitFor('the subscription', async () => {
    await send(`begin ${++sent}`);
    return heard.length > 0;
  });
  await waitFor('the last of the first ones', () => texts().includes(`begin ${sent}`));
  for (const message of heard) message.acknowledge();
  heard = [];
});
afterEach(() => link.stop());

/** Cuts the line and waits until the link is back and something new came through, behind what comes again. */
async function reconnect(mark: string): Promise<void> {
  line.cut();
  await waitFor('the link to notice', () => !link.connected());
  await waitFor('the link to be back', () => link.connected());
  await send(mark);
  await waitFor('the mark', () => texts().includes(mark));
}

/** What the link wrote before this has reached the broker: its own message came through there to the agent. */
async function roundTrip(): Promise<void> {
  const ack = `siphera/v1/${org}/${device}/ack`;
  await agent.subscribeAsync(ack, { qos: 1 });
  const came = new Promise<void>((resolve) => agent.once('message', () => resolve()));
  link.publish(ack, '{}', false);
  await came;
}

describe('the link to the broker', () => {
  it('runs with the very mqtt version whose inside this test knows', () => {
    const manifest = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    const installed = createRequire(import.meta.url)('mqtt/package.json') as { version: string };
    expect(manifest.dependencies['mqtt']).toBe('5.16.0');
    expect(installed.version).toBe('5.16.0');
  });

  it('hands over the next message while none before it is acknowledged, in order', async () => {
    const sent = Array.from({ length: 200 }, (_, n) => `m${n}`);
    await Promise.all(sent.map(send));
    await waitFor('all of them', () => heard.length >= sent.length);
    expect(texts()).toEqual(sent);
    expect(heard.every((message) => message.qos === 1 && !message.dup && !message.retain)).toBe(true);
  });

  it('gets again, in order, what it did not acknowledge before the line broke, and nothing else', async () => {
    for (const text of ['a', 'b', 'c', 'd']) await send(text);
    await waitFor('all four', () => heard.length === 4);
    heard.find((message) => textOf(message) === 'b')?.acknowledge();
    await roundTrip();
    const old = heard;
    heard = [];
    await reconnect('mark');
    expect(texts()).toEqual(['a', 'c', 'd', 'mark']);
    expect(heard.filter((message) => message.dup).map(textOf)).toEqual(
      expect.arrayContaining(['a', 'c', 'd']),
    );
    // What the broken connection was still told counts for nothing on the new one.
    for (const message of old) message.acknowledge();
    await roundTrip();
    heard = [];
    await reconnect('mark 2');
    expect(texts()).toEqual(['a', 'c', 'd', 'mark', 'mark 2']);
  });

  it('gets nothing again of what it acknowledged, late or at once, once or twice', async () => {
    const late: BrokerMessage[] = [];
    onMessage = (message) => {
      heard.push(message);
      if (textOf(message).startsWith('early')) {
        message.acknowledge();
        message.acknowledge();
      } else late.push(message);
    };
    for (const text of ['early 1', 'late 1', 'early 2', 'late 2']) await send(text);
    await waitFor('all four', () => heard.length === 4);
    for (const message of late) {
      message.acknowledge();
      message.acknowledge();
    }
    // Ids are used again by the broker: these must wait for their own acknowledgement all the same.
    onMessage = (message) => void heard.push(message);
    const held = Array.from({ length: 30 }, (_, n) => `held ${n}`);
    for (const text of held) await send(text);
    await waitFor('the held ones', () => heard.length === 4 + held.length);
    await roundTrip();
    heard = [];
    await reconnect('mark');
    expect(texts()).toEqual([...held, 'mark']);
  });

  it('gets after its own restart what came while it was away', async () => {
    await link.stop();
    await send('while away');
    link = await startLink();
    await waitFor('what came meanwhile', () => texts().includes('while away'));
  });

  it('calls nobody back once it was stopped, even while it still connected', async () => {
    await link.stop();
    let connects = 0;
    for (const waitMs of [0, 2, 5, 10, 20, 40]) {
      const brief = await makeLink(() => (connects += 1));
      brief.start();
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      await brief.stop();
      const before = connects;
      // One that comes after it on the same line is through: whatever the first had under way is over.
      link = await startLink();
      expect(connects).toBe(before);
      await link.stop();
    }
  });

  it('publishes nothing for later: false while the broker is away', async () => {
    line.cut();
    await waitFor('the link to notice', () => !link.connected());
    expect(link.publish(`siphera/v1/${org}/${device}/command`, '{}', false)).toBe(false);
    await waitFor('the link to be back', () => link.connected());
    expect(link.publish(`siphera/v1/${org}/${device}/command`, '{}', false)).toBe(true);
  });
});
