import { randomUUID } from 'node:crypto';
import { canonicalJson, incidentsRoutes, TranscriptDocument, transcriptMessagesMax } from '@siphera/contract';
import { afterEach, describe, expect, it } from 'vitest';
import type { ConversationId } from '../content.ts';
import { closeAll, pair } from '../testing/acquainted.ts';
import { until, type Person } from '../testing/people.ts';
import { newestThatFit } from './transcript.ts';

afterEach(closeAll);

async function filed(one: Person, conv: ConversationId): Promise<TranscriptDocument> {
  const { document } = await one.first.engine.transcript(conv);
  return TranscriptDocument.parse(JSON.parse(document));
}
/** Once the box has what was sent last. Asks for no messages, which would read the room back. */
const sent = (one: Person): Promise<true> =>
  until(async () => {
    const [conversation] = await one.first.engine.conversations();
    return conversation?.lastMessage?.delivery === 'sent' || undefined;
  });

describe('the transcript of an incident', () => {
  it('has the form that the box takes and readers know, signed by the device that read it', async () => {
    const { ann } = await pair();
    const incident = randomUUID();
    const conv = await ann.first.engine.joinIncident(incident);
    await ann.first.engine.send(conv, { body: 'written down', mustAck: true });
    await sent(ann);
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
    const { ann } = await pair();
    const conv = await ann.first.engine.joinIncident(randomUUID());
    await ann.first.engine.send(conv, { body: 'smoke' });
    await sent(ann);
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
    // Who came later has read it from its opening too, by a key that was given to him.
    expect(await filed(bob, conv)).toMatchObject({ complete: true, filed_by: bob.userId, count: 1 });
    const { document } = await ann.first.engine.transcript(conv);
    expect(document).not.toContain('"k":');
    expect(document).not.toContain('"iv":');
  });

  it('has of talk that is too long for the box its end', () => {
    const line = { seq: 1, sender: randomUUID(), device: 'ABCDEFGHIJ', at: '2026-11-28T10:00:00Z', acks: [] };
    const lines = (count: number, text: string) =>
      Array.from({ length: count }, (_, at) => ({ ...line, id: String(at), text }));
    const many = newestThatFit(lines(transcriptMessagesMax + 3, 'short'));
    expect([many.length, many[0]?.id]).toEqual([transcriptMessagesMax, '3']);
    const long = newestThatFit(lines(1_000, '闪'.repeat(4_000)));
    expect(long.at(-1)?.id).toBe('999');
    const { fileTranscript } = incidentsRoutes;
    const body = JSON.stringify({ document: JSON.stringify(long) });
    expect(Buffer.byteLength(body)).toBeLessThan(fileTranscript.bodyBytesMax);
    expect(long.length).toBeGreaterThan(400);
    expect(newestThatFit(lines(3, 'short'))).toHaveLength(3);
  });
});
