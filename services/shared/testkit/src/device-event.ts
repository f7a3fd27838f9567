/** One event sent the way an agent sends it, and the box's own acknowledgement awaited. */
import { AgentAck, deviceTopic } from '@siphera/contract';
import type { MqttClient } from 'mqtt';
import { callMsMax } from './bounds.ts';
import { waitFor } from './wait.ts';

export type DeviceEvent = {
  org: string;
  /** As in the client's certificate. */
  device: string;
  /** Place in the agent's queue, from 1. */
  sequence: number;
  stream?: string;
  event: { id: string; type: string; subject?: string; time?: string; data?: Record<string, unknown> };
};

/** Publishes the event and resolves once core says that it is committed. */
export async function deviceEvent(
  client: MqttClient,
  { org, device, sequence, stream = 'test', event }: DeviceEvent,
): Promise<void> {
  let committed = 0;
  const topic = deviceTopic(org, device, 'ack');
  const hear = (from: string, payload: Buffer): void => {
    if (from !== topic) return;
    const ack = AgentAck.parse(JSON.parse(payload.toString('utf8')));
    if (ack.stream === stream) committed = Math.max(committed, ack.committed);
  };
  client.on('message', hear);
  try {
    await client.subscribeAsync(topic, { qos: 1 });
    const body = { specversion: '1.0', source: device, stream, sequence, data: {}, ...event };
    await client.publishAsync(deviceTopic(org, device, 'event'), JSON.stringify(body), { qos: 1 });
    await waitFor(`event ${event.id} to be committed`, () => committed >= sequence, callMsMax);
  } finally {
    client.off('message', hear);
  }
}
