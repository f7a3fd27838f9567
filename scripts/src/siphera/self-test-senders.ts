/** The three ways an alarm comes in, each as its sender does it: connect first, then send, and say what to look for. */
import { randomUUID } from 'node:crypto';
import { request } from 'node:https';
import { createConnection, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { deviceTopic, type FeedEntry } from '@siphera/contract';
import { AppError, systemClock, systemRandom } from '@siphera/runtime';
import mqtt from 'mqtt';
import type { BoxPlace } from './box.ts';
import { dc09Frame, isDc09Ack } from './dc09.ts';
import { frontAgent, type SelfTestKit } from './self-test-console.ts';

const answerMsMax = 10_000;
const connectAttemptsMax = 10;
const connectPauseMs = 500;

export type ReadyAlarm = AsyncDisposable & {
  send: () => Promise<void>;
  /** Is this feed entry our alarm? */
  fits: (entry: FeedEntry) => boolean;
};
export type TestAlarm = (input: { box: BoxPlace; kit: SelfTestKit }) => Promise<ReadyAlarm>;

const dataOf = (entry: FeedEntry): Record<string, unknown> =>
  entry.kind === 'event' && typeof entry.data === 'object' && entry.data !== null
    ? (entry.data as Record<string, unknown>)
    : {};

function testEvent(kit: SelfTestKit, channel: string) {
  const id = systemRandom.uuid();
  const event = {
    specversion: '1.0',
    id,
    source: `siphera/self-test/${channel}`,
    type: 'system.test_alarm',
    time: new Date(systemClock.now()).toISOString(),
    subject: kit.device_id,
    data: { run_id: kit.run_id, channel },
  };
  return { event, fits: (entry: FeedEntry) => dataOf(entry)['id'] === id };
}

export const sendByMqtt: TestAlarm = async ({ box, kit }) => {
  const { event, fits } = testEvent(kit, 'mqtt');
  const client = await connectDevice(box, kit);
  const payload = JSON.stringify({ ...event, stream: kit.run_id.slice(0, 64), sequence: 1, floor: 1 });
  return {
    fits,
    send: async () => {
      await client.publishAsync(deviceTopic(kit.org_id, kit.device_id, 'event'), payload, { qos: 1 });
    },
    [Symbol.asyncDispose]: () => client.endAsync(true),
  };
};

/**
 * As an agent: it tries again. The broker restarts for a second when the list of revoked certificates changes, and the
 * end of the run before this one changed it.
 */
async function connectDevice(box: BoxPlace, kit: SelfTestKit): Promise<mqtt.MqttClient> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await mqtt.connectAsync(`mqtts://${box.mqtt.host}:${box.mqtt.port}`, {
        protocolVersion: 5,
        clientId: kit.device_id,
        reconnectPeriod: 0,
        connectTimeout: answerMsMax,
        ca: kit.ca_pem,
        cert: kit.device_certificate_pem,
        key: kit.device_key_pem,
      });
    } catch (error) {
      if (attempt === connectAttemptsMax) throw error;
      await pause(connectPauseMs);
    }
  }
}

export const sendByDc09: TestAlarm = async ({ box, kit }) => {
  const socket = await openSocket(box.dc09);
  // Contact ID 601, "manual trigger test": a panel's own test report, which no rule of ours takes for an alarm.
  const frame = dc09Frame({ account: kit.panel_account, eventCode: '1601', sequence: 1 });
  return {
    fits: (entry) => {
      const data = dataOf(entry)['data'] as { account?: unknown } | undefined;
      return data?.account === kit.panel_account;
    },
    send: async () => {
      const answer = nextLine(socket);
      socket.write(frame);
      const line = await answer;
      if (!isDc09Ack(line))
        throw new AppError('unavailable', `the receiver answered ${JSON.stringify(line)}`);
    },
    [Symbol.asyncDispose]: async () => {
      socket.destroy();
      await Promise.resolve();
    },
  };
};

export const sendByRest: TestAlarm = async ({ box, kit }) => {
  const { event, fits } = testEvent(kit, 'rest');
  const agent = await frontAgent(box);
  return {
    fits,
    send: () => post(box, agent, kit.api_key, JSON.stringify(event)),
    [Symbol.asyncDispose]: async () => {
      agent.destroy();
      await Promise.resolve();
    },
  };
};

function post(
  box: BoxPlace,
  agent: Awaited<ReturnType<typeof frontAgent>>,
  key: string,
  body: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = request(
      {
        agent,
        host: box.hostName,
        port: box.front.port,
        path: '/api/v1/events',
        method: 'POST',
        timeout: answerMsMax,
        headers: {
          authorization: `Bearer ${key}`,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          'idempotency-key': randomUUID(),
        },
      },
      (answer) => {
        answer.resume();
        if ((answer.statusCode ?? 0) < 300) resolve();
        else reject(new AppError('unavailable', `POST /api/v1/events answered ${answer.statusCode ?? 0}`));
      },
    );
    call.once('error', reject);
    call.once('timeout', () => call.destroy(new Error('no answer')));
    call.end(body);
  });
}

function openSocket(address: { host: string; port: number }): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ ...address, timeout: answerMsMax, noDelay: true });
    socket.once('connect', () => resolve(socket));
    socket.once('error', reject);
  });
}

/** A DC-09 answer ends with CR. */
function nextLine(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const timer = setTimeout(() => reject(new Error('the receiver does not acknowledge')), answerMsMax);
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      if (!text.includes('\r')) return;
      clearTimeout(timer);
      resolve(text);
    });
    socket.once('close', () => reject(new Error('the receiver closed the connection')));
  });
}
