/**
 * The camera service beside a real core, as two processes of a box, with cameras that send: what the two say to each other is
 * understood on both sides, over kills of either.
 */
import {
  startFakeCamera,
  startRtspServer,
  call,
  callRaw,
  setupAdmin,
  startBox,
  waitFor,
} from '@siphera/testkit';
import { systemClock, toRfc3339 } from '@siphera/runtime';
import type { Box, FakeCamera, FakeRtspServer } from '@siphera/testkit';
import type { Incident, IncidentClip } from '@siphera/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let box: Box;
let rtsp: FakeRtspServer;
let fake: FakeCamera;
let token: string;
let areaId: string;
let siteId: string;
let cameraId: string;
let doorId: string;

beforeAll(async () => {
  [box, rtsp] = await Promise.all([startBox({ services: ['camera'] }), startRtspServer()]);
  fake = await startFakeCamera({
    rtsp,
    name: 'dock',
    ptz: true,
    main: { width: 320, height: 180, fps: 10, gopSeconds: 1 },
    sub: false,
  });
  const admin = await setupAdmin(box);
  token = admin.token;
  const area = (await call(box, 'listAreas', { token, query: {} })).items[0];
  areaId = area?.id ?? '';
  siteId = area?.site_id ?? '';
  const settings = {
    reason_required: false,
    evidence_before_ms: 3_000,
    evidence_after_ms: 3_000,
    evidence_keep_days: 30,
    transcodes_max: 1,
  };
  await waitFor('the camera service to follow core', async () =>
    (await callRaw(box, 'putFootageSettings', { token, body: settings })).status === 200 ? true : undefined,
  );
  const body = {
    name: 'Dock',
    area_id: areaId,
    address: `127.0.0.1:${fake.httpPort}`,
    credentials: fake.credentials,
  };
  cameraId = (await call(box, 'createCamera', { token, body })).id;
  doorId = (
    await call(box, 'createDevice', { token, body: { area_id: areaId, kind: 'door', name: 'Dock door' } })
  ).id;
  await recording();
});
afterAll(async () => {
  await box.stop();
  await fake.stop();
  await rtsp.stop();
});

/** Some seconds of footage lie on the disk: more than a clip begins before its incident. */
const recording = async (): Promise<void> => {
  await waitFor('the camera to be recorded', async () => {
    const { state } = await call(box, 'getCamera', { token, params: { id: cameraId } });
    return state.recording === 'recording' ? true : undefined;
  });
  await waitFor('some seconds of footage', async () => {
    const [from, to] = [systemClock.now() - 600_000, systemClock.now() + 60_000].map(toRfc3339);
    const { footage } = await call(box, 'getCameraTimeline', {
      token,
      params: { id: cameraId },
      query: { from: from!, to: to! },
    });
    return footage.some((span) => Date.parse(span.to) - Date.parse(span.from) > 5_000);
  });
};
const rule = (action: Record<string, unknown>, types = ['door.forced']) =>
  call(box, 'createRule', {
    token,
    body: {
      name: `To the camera: ${String(action['name'])}`,
      trigger: { kind: 'event', types },
      actions: [
        { kind: 'incident', title: '{device} was forced', severity: 'high', group_by: 'none' },
        { kind: 'command', ...action } as never,
      ],
    },
  });
const force = (): Promise<unknown> =>
  call(box, 'appendEvents', {
    token,
    body: {
      specversion: '1.0',
      id: crypto.randomUUID(),
      source: 'test/door',
      type: 'door.forced',
      subject: doorId,
      data: {},
    } as never,
  });
const incidents = async (): Promise<Incident[]> =>
  (await call(box, 'listIncidents', { token, query: { limit: 200 } })).items;
const timelineOf = async (id: string) =>
  (await call(box, 'listTimeline', { token, params: { id }, query: { limit: 200 } })).items;
const evidenceOf = async (id: string): Promise<IncidentClip[]> =>
  (await call(box, 'getIncidentEvidence', { token, params: { id } })).items;

describe('an incident on a box with cameras', () => {
  it('has its evidence on the timeline and its stills to look at; the rule has told the camera what to do', async () => {
    await rule({ target: cameraId, name: 'snapshot' });
    await force();
    const incident = await waitFor('the incident', async () =>
      (await incidents()).find(({ title }) => title.includes('Dock door was forced')),
    );
    const lines = await waitFor('evidence and command on the timeline', async () => {
      const all = await timelineOf(incident.id);
      const evidence = all.filter(({ kind }) => kind === 'evidence');
      return evidence.length >= 2 && all.some(({ text }) => text.startsWith('snapshot is confirmed'))
        ? evidence
        : undefined;
    });
    expect(lines.map(({ text }) => text).join('\n')).toMatch(/footage .* is kept, 3 stills/);
    expect(lines.map(({ text }) => text).join('\n')).toMatch(/snapshot at/);
    expect(lines[0]?.actor).toMatchObject({ kind: 'device', id: cameraId, name: 'Dock' });
    const clip = await waitFor('the clip', async () =>
      (await evidenceOf(incident.id)).find(({ state }) => state === 'ready'),
    );
    expect(clip.stills).toHaveLength(4);
    const { items } = await call(box, 'listAudit', { token, query: { limit: 200 } });
    expect(items.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['evidence.viewed', 'device.created', 'command.snapshot']),
    );
  });

  it('of the time in which the camera service was killed gets its footage, as far as it was recorded', async () => {
    const before = (await incidents()).length;
    await box.camera?.daemon.kill9();
    await force();
    const incident = await waitFor('the incident', async () => {
      const all = await incidents();
      return all.length > before ? all[0] : undefined;
    });
    await box.camera?.daemon.start();
    const line = await waitFor('a line about the time before the kill', async () =>
      (await timelineOf(incident.id)).find(
        ({ kind, text }) => kind === 'evidence' && text.includes('ootage'),
      ),
    );
    // The still of two seconds before is there; what the dead service could not record is told.
    expect(line.text).toMatch(/^Dock: footage|^No footage of Dock/);
    await waitFor('the verdict', async () =>
      (await evidenceOf(incident.id)).find(({ state }) => state !== 'pending'),
    );
  });

  it('is watched over by the health page', async () => {
    const health = await call(box, 'getSystemHealth', { token });
    expect(health.services.find(({ service }) => service === 'camera')).toBeDefined();
    expect(siteId).not.toBe('');
  });
});

describe('removing a camera', () => {
  it('removes its device, and its evidence stays for those who may see all', async () => {
    await call(box, 'deleteCamera', { token, params: { id: cameraId } });
    expect((await callRaw(box, 'getDevice', { token, params: { id: cameraId } })).status).toBe(404);
    const [last] = await incidents();
    expect(await evidenceOf(last?.id ?? '')).toHaveLength(1);
  });
});
