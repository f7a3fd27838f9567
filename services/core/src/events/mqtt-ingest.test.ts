import { deviceTopic } from '@siphera/contract';
import { describe, expect, it } from 'vitest';
import type { Tx } from '../kernel/transaction.ts';
import { RegistryIndex } from '../registry/store/registry-index.ts';
import { openMemory, quietLog, seedBuilding } from '../testing/memory-box.ts';
import type { WriterDeps } from '../writer-deps.ts';
import type { BrokerMessage } from './adapters/mqtt-link.ts';
import { Ingest } from './ingest.ts';
import { MqttIngest } from './mqtt-ingest.ts';

/** Ingest on a database in memory; `onState` stands for a part of core that fails on a message. */
function ingestOn(onState: (tx: Tx) => void) {
  const memory = openMemory();
  const { db, clock, writer } = memory;
  const ids = seedBuilding(db);
  const index = new RegistryIndex(db);
  const deps = {
    db,
    clock,
    index,
    log: quietLog,
    publish: () => true,
    rules: { onEvent: () => undefined },
  } as unknown as WriterDeps;
  const ingest = new Ingest(deps);
  const mqttIngest = new MqttIngest({
    deps,
    writer,
    ingest,
    log: quietLog,
    onState,
    onResult: () => undefined,
  });
  const acknowledged: string[] = [];
  const take = (name: string, leaf: 'event' | 'state' | 'telemetry', value: unknown, qos = 1): void =>
    mqttIngest.take({
      topic: deviceTopic(ids.org, ids.door, leaf),
      payload: Buffer.from(JSON.stringify(value)),
      retain: false,
      dup: false,
      qos,
      acknowledge: () => acknowledged.push(name),
    } satisfies BrokerMessage);
  const count = (table: 'events' | 'dead_letters'): number =>
    db.prepare<[], { n: number }>(`SELECT count(*) AS n FROM ${table}`).get()?.n ?? -1;
  return { ...memory, ids, ingest, mqttIngest, acknowledged, take, count };
}

const opened = { specversion: '1.0', id: 'e-1', source: 'test/door', type: 'door.opened', data: {} };
const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function until(what: () => boolean): Promise<void> {
  for (let n = 0; n < 200 && !what(); n++) await later(25);
  expect(what()).toBe(true);
}

describe('MqttIngest', () => {
  it('puts the one message that core fails on to the dead letters, and keeps the others', async () => {
    const box = ingestOn(() => {
      throw new Error('a bug');
    });
    box.take('state', 'state', { online: true });
    box.take('event', 'event', opened);
    await until(() => box.acknowledged.length === 2);
    expect(box.acknowledged).toEqual(['state', 'event']);
    expect(box.count('events')).toBe(1);
    expect(box.count('dead_letters')).toBe(1);
  });

  it('puts an event that is nested without end to the dead letters, as any other bad one', async () => {
    const box = ingestOn(() => undefined);
    let deep: unknown = 1;
    for (let n = 0; n < 1_000; n++) deep = [deep];
    box.take('deep', 'event', { ...opened, id: 'deep', data: { deep } });
    box.take('event', 'event', opened);
    await until(() => box.acknowledged.length === 2);
    expect([box.count('events'), box.count('dead_letters')]).toEqual([1, 1]);
  });

  it('acknowledges nothing while another program holds the database, and stores it afterwards', async () => {
    let held = true;
    const box = ingestOn((tx) => {
      if (held) throw Object.assign(new Error('database is locked'), { code: 'SQLITE_BUSY' });
      tx.db.prepare(`INSERT INTO facts (name, value) VALUES ('seen', '1')`).run();
    });
    box.take('event', 'event', opened);
    box.take('state', 'state', { online: true });
    await later(100);
    expect(box.acknowledged).toEqual([]);
    expect(box.count('events')).toBe(0);
    held = false;
    await until(() => box.acknowledged.length === 2);
    expect(box.count('events')).toBe(1);
    expect(box.count('dead_letters')).toBe(0);
    // What was undone on the way was not counted as committed.
    expect(box.ingest.counts).toEqual({ committed: 1, duplicates: 0, deadLetters: 0 });
  });

  it('drops messages without a guarantee rather than fill the memory while nothing can be stored', async () => {
    let held = true;
    const box = ingestOn(() => {
      if (held) throw Object.assign(new Error('full'), { code: 'SQLITE_FULL' });
    });
    box.take('state', 'state', { online: true });
    const reading = { note: 'x'.repeat(100_000) };
    for (let n = 0; n < 1_000; n++) box.take(`reading ${n}`, 'telemetry', reading, 0);
    box.take('event', 'event', opened);
    expect(box.mqttIngest.waiting()).toBeLessThan(400);
    held = false;
    await until(() => box.acknowledged.includes('event'));
    expect(box.mqttIngest.waiting()).toBe(0);
    expect(box.count('events')).toBe(1);
  });

  it('acknowledges nothing when the disk fills while it looks for the culprit of a batch', async () => {
    let calls = 0;
    const box = ingestOn(() => {
      calls += 1;
      if (calls <= 2) {
        if (calls === 2) throw Object.assign(new Error('full'), { code: 'SQLITE_FULL' });
        throw new Error('a bug that comes once');
      }
    });
    box.take('state', 'state', { online: true });
    await later(100);
    expect(box.acknowledged).toEqual([]);
    await until(() => box.acknowledged.length === 1);
    expect(box.count('dead_letters')).toBe(0);
    expect(calls).toBe(3);
  });
});

describe('Ingest', () => {
  it('changes the state of a device for what happens, not for a dead letter that is replayed', async () => {
    const { writer, ingest, ids, db } = ingestOn(() => undefined);
    const append = (id: string, type: string, mark?: 'replayed') =>
      writer.submit((tx) =>
        ingest.append(tx, {
          channel: 'mqtt',
          origin: `device:${ids.door}`,
          orgId: ids.org,
          agentId: ids.door,
          value: { ...opened, id, type },
          bytes: 100,
          ...(mark === undefined ? {} : { mark }),
        }),
      );
    await append('now', 'door.opened');
    expect((await append('old', 'door.closed', 'replayed')).status).toBe('accepted');
    expect(db.prepare('SELECT state FROM devices WHERE id = ?').get(ids.door)).toEqual({ state: 'open' });
  });
});
