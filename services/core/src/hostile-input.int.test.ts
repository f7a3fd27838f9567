/** Bad input at core's doors: each gets a clear refusal that is counted, and nothing good is lost beside it. */
import { execFileSync } from 'node:child_process';
import { deviceTopic, type FeedEntry } from '@siphera/contract';
import {
  call,
  callRaw,
  openConsole,
  setupAdmin,
  startBox,
  waitFor,
  type Box,
  type Console,
  type SetUp,
  TestAgent,
} from '@siphera/testkit';
import type { MqttClient } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let box: Box;
let admin: SetUp;
let watch: Console;
let agent: TestAgent;
let raw: MqttClient;
let orgId: string;
let areaId: string;
let doorId: string;
let strangerId: string;

beforeAll(async () => {
  box = await startBox({ services: ['signaling'] });
  admin = await setupAdmin(box);
  orgId = admin.me.org.id;
  const { token } = admin;
  areaId = (await call(box, 'listAreas', { token, query: {} })).items[0]?.id ?? '';
  const controller = await call(box, 'createDevice', {
    token,
    body: { area_id: areaId, kind: 'controller', name: 'Controller' },
  });
  doorId = (
    await call(box, 'createDevice', {
      token,
      body: { area_id: areaId, kind: 'door', name: 'Door', parent_id: controller.id },
    })
  ).id;
  strangerId = (
    await call(box, 'createDevice', {
      token,
      body: { area_id: areaId, kind: 'panic', name: 'Not behind this controller' },
    })
  ).id;
  watch = await openConsole(box, token);
  agent = await TestAgent.connect(box.mosquitto, orgId, controller.id);
  raw = agent.client;
});

afterAll(async () => {
  await agent.close();
  await watch.close();
  await box.stop();
});

const deadLetter = (code: string, after: number): Promise<FeedEntry> =>
  watch.waitFor(
    `a dead letter ${code}`,
    (entry) =>
      entry.kind === 'dead_letter' &&
      entry.seq > after &&
      (entry.data as { code?: string } | undefined)?.code === code,
  );
const position = (): number => watch.frames.at(-1)?.upto ?? 0;
const event = (more: Record<string, unknown>) => ({
  specversion: '1.0',
  id: crypto.randomUUID(),
  source: 'test/hostile',
  type: 'door.opened',
  ...more,
});

async function expectGoodStillWorks(): Promise<void> {
  agent.add({ type: 'door.opened', subject: doorId });
  await waitFor('a good event to be committed', () => agent.done());
}

describe('messages of a device', () => {
  it.each([
    ['not JSON', '{"specversion":', 'not_json'],
    ['an unknown type', JSON.stringify(event({ type: 'door.exploded' })), 'unknown_type'],
    ['data that does not fit', JSON.stringify(event({ data: { note: 7 } })), 'schema'],
    [
      'an unknown device',
      JSON.stringify(event({ subject: '01a201d0-0000-7000-8000-00000000dead' })),
      'unknown_device',
    ],
    [
      'a newer version',
      JSON.stringify(event({ dataschema: 'https://example.org/v9' })),
      'unsupported_version',
    ],
  ])('keeps %s as a dead letter with the reason', async (_name, payload, code) => {
    const after = position();
    await raw.publishAsync(deviceTopic(orgId, agent.id, 'event'), payload, { qos: 1 });
    expect((await deadLetter(code, after)).data).toMatchObject({
      reason: expect.stringMatching(/./) as string,
    });
    await expectGoodStillWorks();
  });

  it('refuses one that speaks for a device that does not hang on it', async () => {
    const after = position();
    await raw.publishAsync(
      deviceTopic(orgId, agent.id, 'event'),
      JSON.stringify(event({ subject: strangerId })),
      { qos: 1 },
    );
    await deadLetter('foreign_device', after);
    await expectGoodStillWorks();
  });

  it("does not let it write to another device's topic", async () => {
    const before = await call(box, 'listEvents', { token: admin.token, query: {} });
    await raw.publishAsync(
      deviceTopic(orgId, strangerId, 'event'),
      JSON.stringify(event({ type: 'panic.pressed' })),
      { qos: 1 },
    );
    await expectGoodStillWorks();
    const now = await call(box, 'listEvents', { token: admin.token, query: { type: 'panic.pressed' } });
    expect(now.items).toEqual([]);
    expect(before.feed_seq).toBeGreaterThan(0);
  });

  it('refuses one that is too large, and goes on', async () => {
    const after = position();
    await raw.publishAsync(
      deviceTopic(orgId, agent.id, 'event'),
      JSON.stringify(event({ data: { note: 'x', blob: 'y'.repeat(80_000) } })),
      { qos: 1 },
    );
    await deadLetter('too_large', after);
    await expectGoodStillWorks();
  });

  it('survives a payload of 10 MB, which the broker already refuses', async () => {
    const flood = await box.mosquitto.connect(await box.mosquitto.issueClientCert(strangerId), {
      reconnectPeriod: 0,
    });
    flood.on('error', () => undefined);
    flood.publish(deviceTopic(orgId, strangerId, 'event'), Buffer.alloc(10_000_000, 0x20), { qos: 0 });
    await waitFor('the broker to hang up', () => !flood.connected);
    await expectGoodStillWorks();
    await flood.endAsync(true);
  });

  it('keeps an event from the far future under our time, and marks it', async () => {
    const id = crypto.randomUUID();
    await raw.publishAsync(
      deviceTopic(orgId, agent.id, 'event'),
      JSON.stringify(event({ id, subject: doorId, time: '2099-01-01T00:00:00Z' })),
      { qos: 1 },
    );
    const entry = await watch.waitFor(
      'the event',
      (one) => one.kind === 'event' && (one.data as { id?: string }).id === id,
    );
    expect(entry.data).toMatchObject({ clock_suspect: true, delivery: 'live' });
    expect(Date.parse((entry.data as { time: string }).time)).toBeLessThan(Date.parse('2090-01-01'));
  });

  it('fires no edge for a retained message, and rings for a panic that waited ten minutes', async () => {
    const time = new Date(Date.now() - 600_000).toISOString();
    await raw.publishAsync(
      deviceTopic(orgId, agent.id, 'event'),
      JSON.stringify(event({ type: 'panic.pressed', subject: agent.id, time })),
      { qos: 1 },
    );
    const incident = await watch.waitFor('the late panic to ring', (entry) => entry.kind === 'incident');
    expect(incident.data).toMatchObject({ severity: 'critical', state: 'new' });
    expect((incident.data as { late_ms: number }).late_ms).toBeGreaterThan(590_000);
    const motion = event({ type: 'smoke.alarm', subject: agent.id });
    await raw.publishAsync(deviceTopic(orgId, agent.id, 'event'), JSON.stringify(motion), {
      qos: 1,
      retain: true,
    });
    await box.core.daemon.restart();
    await expectGoodStillWorks();
    const smoke = await call(box, 'listIncidents', { token: admin.token, query: { q: 'smoke' } });
    // Heard live once, and again as retained after the restart: that second time opens and counts nothing.
    expect(smoke.items.map((incident) => incident.event_count)).toEqual([1]);
  });
});

describe('requests', () => {
  it.each([
    ['a body that is not JSON', { headers: { 'content-type': 'application/json' }, body: undefined }, 400],
  ])('answers %s with a problem', async (_name, input, status) => {
    const answer = await callRaw(box, 'createIncident', { ...input, token: admin.token });
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toContain('application/problem+json');
  });

  it('keeps SQL and HTML in text fields as the text they are', async () => {
    const name = `<img src=x onerror=alert(1)>'; DROP TABLE devices; --`;
    const made = await call(box, 'createDevice', {
      token: admin.token,
      body: { area_id: areaId, kind: 'door', name },
    });
    expect((await call(box, 'getDevice', { token: admin.token, params: { id: made.id } })).name).toBe(name);
    expect(
      (await call(box, 'listDevices', { token: admin.token, query: { q: `'; DROP` } })).items.map(
        (device) => device.id,
      ),
    ).toEqual([made.id]);
  });

  it('refuses a token that was tampered with, and one that is none', async () => {
    const [head = '', body = '', signature = ''] = admin.token.split('.');
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<string, unknown>;
    const forged = [
      head,
      Buffer.from(JSON.stringify({ ...claims, name: 'Mallory' })).toString('base64url'),
      signature,
    ].join('.');
    const unsigned = [Buffer.from('{"alg":"none"}').toString('base64url'), body, ''].join('.');
    for (const bad of [forged, unsigned, 'x', `${admin.token}x`]) {
      expect((await callRaw(box, 'getMe', { token: bad })).status).toBe(401);
    }
  });

  it('draws an SVG plan anew, so that its script is gone', async () => {
    const site = (await call(box, 'listSites', { token: admin.token })).items[0]?.id ?? '';
    const floor = await call(box, 'createFloor', {
      token: admin.token,
      body: { site_id: site, name: 'Ground', level: 0 },
    });
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="200" height="100"><script>alert(1)</script><image href="file:///etc/passwd" width="10" height="10"/><rect width="50" height="50"/></svg>`;
    const saved = await call(box, 'putFloorPlan', {
      token: admin.token,
      params: { id: floor.id },
      upload: { mediaType: 'image/svg+xml', bytes: Buffer.from(svg) },
    });
    expect(saved.plan).toMatchObject({ width: expect.any(Number) as number });
    const png = await call(box, 'getFloorPlan', { token: admin.token, params: { id: floor.id } });
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    expect(png.includes('script')).toBe(false);
  });

  it.each([
    'http://127.0.0.1:1/',
    'http://[::1]/',
    'http://169.254.169.254/latest',
    'http://localhost/',
    'http://0.0.0.0/',
    'http://10.0.0.7/',
  ])('does not call the webhook target %s', async (url) => {
    const hook = await call(box, 'createWebhook', {
      token: admin.token,
      body: { name: 'Hook', url, kinds: ['incident'], severity_min: 'info', active: false },
    });
    const tested = await call(box, 'testWebhook', { token: admin.token, params: { id: hook.id } });
    expect(tested).toMatchObject({ ok: false, answer: expect.stringContaining('refused') as string });
  });

  it('gives the first answer again for a repeated idempotency key, and refuses it for another request', async () => {
    const body = { title: 'By hand', severity: 'low' as const, area_id: areaId };
    const first = await call(box, 'createIncident', { token: admin.token, idempotencyKey: 'k-1', body });
    const again = await call(box, 'createIncident', { token: admin.token, idempotencyKey: 'k-1', body });
    expect(again.id).toBe(first.id);
    const other = await callRaw(box, 'createIncident', {
      token: admin.token,
      idempotencyKey: 'k-1',
      body: { ...body, title: 'Other' },
    });
    expect(other.status).toBe(409);
  });

  it('tells the second of two guards who was first', async () => {
    const incident = await call(box, 'createIncident', {
      token: admin.token,
      body: { title: 'Race', severity: 'low', area_id: areaId },
    });
    const answers = await Promise.all(
      [1, 2].map(() =>
        callRaw(box, 'acknowledgeIncident', { token: admin.token, params: { id: incident.id }, body: {} }),
      ),
    );
    expect(answers.map((answer) => answer.status).sort((a, b) => a - b)).toEqual([200, 409]);
    const loser = answers.find((answer) => answer.status === 409);
    expect(JSON.parse(loser?.body.toString() ?? '{}')).toMatchObject({
      code: 'already_done',
      by: { name: 'Ada Admin' },
    });
  });
});

describe('a full disk', () => {
  const limit = (bytes: string): void =>
    void execFileSync('prlimit', ['--pid', String(box.core.daemon.pid), `--fsize=${bytes}`]);

  it('is said, refused cleanly, and recovered from, and the agent loses nothing', async () => {
    // The kernel refuses every write beyond this size, as a full disk would.
    limit('1:unlimited');
    const refused = await waitFor('a refusal', async () => {
      const answer = await callRaw(box, 'createIncident', {
        token: admin.token,
        body: { title: 'On a full disk', severity: 'low', area_id: areaId },
      });
      return answer.status === 507 ? answer : undefined;
    });
    expect(JSON.parse(refused.body.toString())).toMatchObject({
      code: 'disk_full',
      hint: expect.stringMatching(/disk/i) as string,
    });
    agent.add({ type: 'door.closed', subject: doorId });
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(agent.done()).toBe(false);
    limit('unlimited:unlimited');
    await waitFor('the agent to be acknowledged', () => agent.done());
    await call(box, 'createIncident', {
      token: admin.token,
      body: { title: 'There is room again', severity: 'low', area_id: areaId },
    });
    const kept = await call(box, 'listIncidents', { token: admin.token, query: { q: 'full disk' } });
    expect(kept.items).toEqual([]);
  });
});
