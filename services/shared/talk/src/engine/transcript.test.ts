import { randomUUID } from 'node:crypto';
import { canonicalJson, TranscriptDocument } from '@siphera/contract';
import { afterEach, describe, expect, it } from 'vitest';
import type { ConversationId } from '../content.ts';
import { closeAll, pair } from '../testing/acquainted.ts';
import type { MemoryServer } from '../testing/memory-server.ts';
import { until, type Person } from '../testing/people.ts';

afterEach(closeAll);

async function filed(one: Person, conv: ConversationId): Promise<TranscriptDocument> {
  const { document } = await one.first.engine.transcript(conv);
  return TranscriptDocument.parse(JSON.parse(document));
}
/** Once the server has so many events of its only room; the engine is asked for nothing. */
const events = (server: MemoryServer, count: number): Promise<true> =>
  until(() => [...server.rooms.values()][0]?.events.length === count || undefined);

describe('the transcript of an incident', () => {
  it('has the form that the box takes and readers know, signed by the device that read it', async () => {
    const { server, ann } = await pair();
    const incident = randomUUID();
    const conv = await ann.first.engine.joinIncident(incident);
    await ann.first.engine.send(conv, { body: 'written down', mustAck: true });
    await events(server, 1);
    await until(async () => (await filed(ann, conv)).messages.length === 2 || undefined);
    const { document, device_id, device_key: key, signature } = await ann.first.engine.transcript(conv);
    const read = TranscriptDocument.parse(JSON.parse(document));
    expect(canonicalJson(read)).toBe(document);
    expect(read).toMatchObject({ incident_id: incident, filed_by: ann.userId, device_id });
    expect(read).toMatchObject({ first_seq: 1, last_seq: 1, count: 1, members: [ann.userId] });
    expect(read.messages).toMatchObject([
      { event: { what: 'joined', user_ids: [ann.userId] }, seq: null },
      { text: 'written down', must_ack: true, sender: ann.userId, device: device_id, seq: 1, acks: [] },
    ]);
    const raw = await crypto.subtle.importKey('raw', Buffer.from(key, 'base64'), 'Ed25519', false, [
      'verify',
    ]);
    const signed = (text: string): Promise<boolean> =>
      crypto.subtle.verify('Ed25519', raw, Buffer.from(signature, 'base64'), Buffer.from(text));
    expect(await signed(document)).toBe(true);
    expect(await signed(document.replace('written', 'wiped'))).toBe(false);
  });

  it('reads the room back to its opening first, and says where it could not', async () => {
    const { server, ann } = await pair();
    const conv = await ann.first.engine.joinIncident(randomUUID());
    await ann.first.engine.send(conv, { body: 'smoke' });
    await events(server, 1);
    ann.first.disconnect();
    expect(await filed(ann, conv)).toMatchObject({ complete: false });
    ann.first.connect();
    expect(await filed(ann, conv)).toMatchObject({ complete: true, count: 1 });
  });

  it('names files and gives no key that opens them, and has who acknowledged', async () => {
    const { ann, bob } = await pair();
    const incident = randomUUID();
    const conv = await ann.first.engine.joinIncident(incident);
    await ann.first.engine.send(conv, {
      body: 'see',
      mustAck: true,
      file: { blob: new Blob(['picture'], { type: 'image/png' }), name: 'gate.png' },
    });
    expect(await bob.first.engine.joinIncident(incident)).toBe(conv);
    const picture = await until(async () =>
      (await bob.first.engine.messages(conv)).items.find(({ content }) => content.t === 'file'),
    );
    await bob.first.engine.acknowledge(picture.id);
    const line = await until(async () => {
      const found = (await filed(ann, conv)).messages.find((one) => one.file);
      return found && found.acks.length > 0 ? found : undefined;
    });
    expect(line).toMatchObject({
      text: 'see',
      file: { name: 'gate.png', media_type: 'image/png', bytes: 7 },
      acks: [{ user_id: bob.userId }],
    });
    const { document } = await ann.first.engine.transcript(conv);
    expect(document).not.toContain('"k":');
    expect(document).not.toContain('"iv":');
  });
});
