/** Calls and filed talk on incidents, on a running core. */
import { canonicalJson } from '@siphera/contract';
import { call, callRaw, type CallOutput } from '@siphera/testkit';
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addPerson, makeKey, setUp, type Person } from '../testing/people.ts';
import { jsonOf, startTestCore, type TestCore } from '../testing/test-core.ts';
import { signed, transcriptOf } from '../testing/transcript.ts';

let core: TestCore;
let admin: Person & { orgId: string };
let guard: Person;
let incident: string;
let area: string;
beforeEach(async () => {
  core = await startTestCore();
  admin = await setUp(core);
  const { token } = admin;
  const site = (await call(core, 'listSites', { token })).items[0]?.id ?? '';
  area = (await call(core, 'createArea', { token, body: { site_id: site, name: 'Dock' } })).id;
  const scope = { kind: 'org' as const, id: admin.orgId };
  guard = await addPerson(core, token, { name: 'Gus', role: 'guard', scope });
  incident = await open();
});
afterEach(() => core[Symbol.asyncDispose]());

const open = async (): Promise<string> =>
  (
    await call(core, 'createIncident', {
      token: admin.token,
      body: { title: 'Door forced', severity: 'high', area_id: area },
    })
  ).id;
const timeline = async (id = incident) =>
  (await call(core, 'listTimeline', { token: admin.token, params: { id }, query: {} })).items;
const audited = (action: string) =>
  core.db
    .prepare<[string], { target: string; detail: string }>(
      'SELECT target, detail FROM audit WHERE action = ?',
    )
    .all(action);
/** Another org with a user and an incident of its own, as copies under other ids. */
function elsewhere(): { user: string; incident: string } {
  const ids = { org: randomUUID(), site: randomUUID(), user: randomUUID(), incident: randomUUID() };
  core.db.prepare(`INSERT INTO orgs (id, name, created_ms) VALUES (?, 'Rival', 0)`).run(ids.org);
  core.db
    .prepare(
      `INSERT INTO users (id, org_id, name, email, created_ms) VALUES (?, ?, 'Rita', 'rita@example.org', 0)`,
    )
    .run(ids.user, ids.org);
  core.db
    .prepare(
      `INSERT INTO sites (id, org_id, name, time_zone, address, created_ms) VALUES (?, ?, 'Rival', 'UTC', '', 0)`,
    )
    .run(ids.site, ids.org);
  core.db
    .prepare(
      `INSERT INTO incidents (id, org_id, site_id, number, title, severity, state, opened_ms, updated_ms, event_count, trace_id)
       SELECT ?, ?, ?, number, title, severity, state, opened_ms, updated_ms, event_count, trace_id FROM incidents WHERE id = ?`,
    )
    .run(ids.incident, ids.org, ids.site, incident);
  return ids;
}
const viewer = () =>
  addPerson(core, admin.token, { name: 'Vera', role: 'viewer', scope: { kind: 'org', id: admin.orgId } });

describe('a call from an incident', () => {
  const aCall = (more: Record<string, unknown> = {}) => ({
    call_id: randomUUID(),
    with_user_ids: [admin.id],
    media: 'voice' as const,
    outcome: 'answered' as const,
    started_at: '2026-11-28T10:00:00.000Z',
    duration_ms: 61_000,
    ...more,
  });
  const put = (body: ReturnType<typeof aCall>, { token = guard.token, id = incident } = {}) =>
    callRaw(core, 'addIncidentCall', { token, params: { id }, body });

  it('stands on the timeline once, however often it is sent', async () => {
    const body = aCall();
    const first = jsonOf<CallOutput<'addIncidentCall'>>(await put(body));
    const again = jsonOf<CallOutput<'addIncidentCall'>>(await put(body));
    expect(again).toEqual(first);
    const lines = (await timeline()).filter((entry) => entry.kind === 'call');
    expect(lines).toEqual([first]);
    expect(first).toMatchObject({
      text: 'Call with Ada Admin: 1 min 1 s',
      actor: { kind: 'user', id: guard.id, name: 'Gus' },
      data: { call_id: body.call_id, with: [{ id: admin.id, name: 'Ada Admin' }], outcome: 'answered' },
    });
    expect(audited('incident.called')).toHaveLength(1);
  });

  it('is refused on another incident and from somebody else under the same id', async () => {
    const body = aCall();
    await put(body);
    expect((await put(body, { id: await open() })).status).toBe(409);
    expect((await put({ ...body, with_user_ids: [guard.id] }, { token: admin.token })).status).toBe(409);
    expect((await timeline()).filter((entry) => entry.kind === 'call')).toHaveLength(1);
  });

  it('names people of the org, and somebody else than the caller', async () => {
    const rival = elsewhere();
    for (const with_user_ids of [[randomUUID()], [rival.user], [admin.id, guard.id]])
      expect((await put(aCall({ with_user_ids }))).status).toBe(422);
    expect((await put(aCall(), { id: rival.incident })).status).toBe(404);
    expect((await timeline()).filter((entry) => entry.kind === 'call')).toEqual([]);
  });

  it('is made by people who may act on it, not by viewers and not by keys', async () => {
    expect((await put(aCall(), { token: (await viewer()).token })).status).toBe(403);
    const scope = { kind: 'org' as const, id: admin.orgId };
    const key = await makeKey(core, admin.token, ['incident.read', 'incident.act'], scope);
    expect((await put(aCall(), { token: key.secret })).status).toBe(403);
  });
});

describe('talk that is filed', () => {
  const good = (more: Record<string, unknown> = {}) =>
    transcriptOf({ incidentId: incident, filedBy: guard.id, more }).body;
  const file = (body: ReturnType<typeof good>, { token = guard.token, id = incident } = {}) =>
    callRaw(core, 'fileTranscript', { token, params: { id }, body });

  it('is kept as it was signed, with all that its check needs', async () => {
    const body = good();
    const attachment = jsonOf<CallOutput<'fileTranscript'>>(await file(body));
    expect(attachment).toMatchObject({
      name: 'talk-transcript-1.json',
      media_type: 'application/json',
      created_by: 'Gus',
    });
    const stored = await callRaw(core, 'getAttachment', {
      token: guard.token,
      params: { id: attachment.id },
    });
    expect(jsonOf(stored)).toEqual({ format: 'siphera-talk-transcript-1', ...body });
    expect(stored.headers['content-disposition']).toContain('talk-transcript-1.json');
    const line = (await timeline()).find((entry) => entry.kind === 'transcript');
    expect(line?.data).toMatchObject({
      attachment_id: attachment.id,
      name: 'talk-transcript-1.json',
      sha256: attachment.sha256,
      device_key: body.device_key,
    });
    expect(audited('incident.talk_filed')[0]?.target).toBe(`incident:${incident}`);
    expect(audited('incident.talk_filed')[0]?.detail).toContain(attachment.sha256);
  });

  it('may come several times, and the same file once', async () => {
    const body = good();
    const first = jsonOf<CallOutput<'fileTranscript'>>(await file(body));
    expect(jsonOf<CallOutput<'fileTranscript'>>(await file(body))).toEqual(first);
    const second = jsonOf<CallOutput<'fileTranscript'>>(await file(good({ later: true })));
    expect(second.name).toBe('talk-transcript-2.json');
    expect((await timeline()).filter((entry) => entry.kind === 'transcript')).toHaveLength(2);
  });

  it('is refused when one letter differs from what was signed, or the key is another one', async () => {
    const body = good();
    const bad = [
      { ...body, document: body.document.replace('Door', 'Gate') },
      { ...body, device_key: good().device_key },
      { ...body, device_key: 'short' },
      { ...body, signature: '' },
      { ...body, signature: body.signature.slice(2) },
    ];
    for (const one of bad) expect((await file(one)).status).toBe(422);
    expect(await timeline()).toHaveLength(1);
  });

  it('is refused when it is of another incident, another person or another device', async () => {
    const other = transcriptOf({ incidentId: await open(), filedBy: guard.id }).body;
    const hers = transcriptOf({ incidentId: incident, filedBy: admin.id }).body;
    for (const one of [other, hers, good({ device_id: 'ZZZZZZZZZZ' })])
      expect((await file(one)).status).toBe(422);
  });

  it('is refused when it reads in two ways or is no document', async () => {
    const { document } = good();
    const twice = document.replace('{', `{"filed_by":"${admin.id}",`);
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    for (const text of [twice, `${document} `, 'not JSON', 'null', '{}', deep, canonicalJson({ room_id: 1 })])
      expect((await file(signed(text).body)).status, text.slice(0, 40)).toBe(422);
    expect(await timeline()).toHaveLength(1);
  });

  it('is refused when it has not the form that readers know', async () => {
    const forms: Record<string, unknown>[] = [
      { filed_by: 1 },
      { format: 'siphera-talk-transcript-2' },
      { complete: 'yes' },
      { messages: [{ at: '2026-11-28T10:00:00.000Z', from: guard.id, text: 'Door' }] },
    ];
    for (const more of forms) expect((await file(good(more))).status, JSON.stringify(more)).toBe(422);
    expect(await timeline()).toHaveLength(1);
  });

  it('of another org’s incident has no place, and viewers file nothing', async () => {
    const rival = elsewhere();
    const body = transcriptOf({ incidentId: rival.incident, filedBy: guard.id }).body;
    expect((await file(body, { id: rival.incident })).status).toBe(404);
    const vera = await viewer();
    const hers = transcriptOf({ incidentId: incident, filedBy: vera.id }).body;
    expect((await file(hers, { token: vera.token })).status).toBe(403);
    expect(core.db.prepare('SELECT count(*) AS n FROM transcripts').get()).toEqual({ n: 0 });
  });
});

describe('closing an incident', () => {
  const close = (id = incident) =>
    callRaw(core, 'closeIncident', { token: guard.token, params: { id }, body: {} });
  const resolve = (id = incident) =>
    call(core, 'resolveIncident', { token: guard.token, params: { id }, body: { code: 'test', note: '' } });
  const require = (transcript_required: boolean) =>
    call(core, 'patchSettings', { token: admin.token, body: { transcript_required } });

  it('asks for nothing unless the settings do, which say so and are audited', async () => {
    expect(await call(core, 'getSettings', { token: admin.token })).toMatchObject({
      transcript_required: false,
    });
    await resolve();
    expect((await close()).status).toBe(200);
    expect(await require(true)).toMatchObject({ transcript_required: true, outbound_allow: [] });
    expect(audited('settings.updated').at(-1)?.detail).toBe('{"transcript_required":true}');
  });

  it('waits for the talk where the settings ask for it', async () => {
    await require(true);
    await resolve();
    const refused = await close();
    expect(refused.status).toBe(422);
    expect(jsonOf(refused)).toMatchObject({
      code: 'unprocessable',
      transcript_required: true,
      hint: expect.stringContaining('file the talk') as string,
    });
    // Talk of another incident is not the talk of this one.
    const other = await open();
    await call(core, 'fileTranscript', {
      token: guard.token,
      params: { id: other },
      body: transcriptOf({ incidentId: other, filedBy: guard.id }).body,
    });
    expect((await close()).status).toBe(422);
    await call(core, 'fileTranscript', {
      token: guard.token,
      params: { id: incident },
      body: transcriptOf({ incidentId: incident, filedBy: guard.id }).body,
    });
    expect((await close()).status).toBe(200);
  });

  it('asks for nothing any more once it was switched off', async () => {
    await require(true);
    await resolve();
    expect((await close()).status).toBe(422);
    await require(false);
    expect((await close()).status).toBe(200);
  });
});
