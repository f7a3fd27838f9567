/** Evidence through the whole service: from core's feed to lock, clip, stills and the line on the timeline; commands; locks. */
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { IncidentClip } from '@siphera/contract';
import { AppError, systemClock, systemRandom, toRfc3339 } from '@siphera/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startEvidenceRig, type EvidenceRig } from './testing/evidence-rig.ts';
import { allCameraPermissions, office, testOrg, until, yard } from './testing/rig.ts';

type Line = { incident_id: string; device_id: string; text: string; data: Record<string, unknown> };

let rig: EvidenceRig;
beforeEach(async () => {
  rig = await startEvidenceRig();
});
afterEach(() => rig.stop());

const lines = (): Line[] => rig.core.evidence as Line[];
const clips = async (incidentId: string): Promise<IncidentClip[]> => {
  const { status, body } = await rig.rest('GET', `/camera/incidents/${incidentId}/evidence`);
  return status === 200 ? (body as { items: IncidentClip[] }).items : [];
};
const clipWith = (incidentId: string, is: (clip: IncidentClip) => boolean): Promise<IncidentClip> =>
  until(async () => (await clips(incidentId)).find(is));
/** A camera that is recorded from `agoMs` ago on, for a minute. */
const recorded = async (
  name: string,
  agoMs = 15_000,
  options: Parameters<EvidenceRig['addCamera']>[1] = {},
): Promise<string> => {
  const id = await rig.addCamera(name, options);
  rig.footage.add(id, rig.now() - agoMs, { seconds: 60 });
  return id;
};
const hashOf = async (stillId: string): Promise<string> => {
  const answer = await rig.fetch('GET', `/camera/stills/${stillId}`);
  return createHash('sha256')
    .update(Buffer.from(await answer.arrayBuffer()))
    .digest('hex');
};
const audits = (action: string) => rig.core.audits.filter((row) => row['action'] === action);
const command = (name: string, cameraId: string, args = {}, more: Record<string, unknown> = {}): string => {
  const id = systemRandom.uuid();
  rig.core.tell({
    kind: 'command',
    action: 'created',
    id,
    audience: 'registry.read',
    scopes: [],
    data: {
      id,
      org_id: testOrg,
      device_id: cameraId,
      device_name: 'Dock',
      name,
      args,
      state: 'pending',
      requested_by: 'Ada Admin',
      created_at: toRfc3339(rig.now()),
      ...more,
    },
  });
  return id;
};
const resultOf = (id: string) =>
  until(() => (rig.core.commandResults as { id: string }[]).find((result) => result.id === id));

describe('an incident', () => {
  it('gets footage, stills and a line on its timeline from each camera that sees the place', async () => {
    const dock = await recorded('Dock');
    const far = await recorded('Elsewhere', 15_000, { area: office });
    const watching = await recorded('Mast', 15_000, { area: office, watches: { area_ids: [yard] } });
    const incident = rig.incident();
    await until(() => lines().length === 2);
    expect(
      lines()
        .map((line) => line.device_id)
        .sort(),
    ).toEqual([dock, watching].sort());
    expect(lines().some((line) => line.device_id === far)).toBe(false);
    const line = lines().find((one) => one.device_id === dock);
    expect(line?.text).toMatch(/^Dock: footage \d\d:\d\d:\d\d–\d\d:\d\d:\d\d is kept, 3 stills\.$/);
    expect(line?.incident_id).toBe(incident.id);

    const early = await clipWith(incident.id, (one) => one.camera_id === dock);
    expect(early.state).toBe('pending');
    expect(early.stills.map(({ at }) => Date.parse(at) - Date.parse(incident.opened_at))).toEqual([
      -2_000, 0, 2_000,
    ]);
    expect(Date.parse(early.to) - Date.parse(early.from)).toBe(30_000);
    rig.advance(25_000);
    const done = await clipWith(incident.id, (one) => one.camera_id === dock && one.state === 'ready');
    expect(done.problem).toBeNull();
    // All went as was said, so nothing more is said.
    expect(lines()).toHaveLength(2);

    const still = await rig.fetch('GET', `/camera/stills/${done.stills[1]?.id ?? ''}`);
    expect(still.headers.get('content-type')).toBe('image/jpeg');
    const picture = Buffer.from(await still.arrayBuffer());
    expect(picture.subarray(0, 3).toString('hex')).toBe('ffd8ff');
    expect(new Set(await Promise.all(done.stills.map(({ id }) => hashOf(id)))).size).toBe(3);
    const { body } = await rig.rest('GET', '/camera/locks');
    expect((body as { items: unknown[] }).items).toHaveLength(2);
    expect(JSON.stringify(body)).toContain('Incident 12: Dock door was forced open');
    expect(audits('evidence.viewed')).toHaveLength(1);
    expect(audits('evidence.viewed')[0]).toMatchObject({
      actor: { kind: 'user', name: 'Ada Admin' },
      target: `incident:${incident.id}`,
    });
  });

  it('is seen by a camera that watches its device, or is its device', async () => {
    const door = systemRandom.uuid();
    await recorded('At the door', 15_000, { area: office, watches: { device_ids: [door] } });
    const own = await recorded('Itself', 15_000, { area: office });
    rig.incident({ device_id: door, device_ids: [door], area_id: null });
    rig.incident({ device_id: own, device_ids: [own], area_id: null });
    await until(() => lines().length === 2);
    expect(
      lines()
        .map((line) => line.text.split(':')[0] ?? '')
        .sort(),
    ).toEqual(['At the door', 'Itself']);
  });

  it('that grows by a device gets the cameras of that device too, once', async () => {
    const door = systemRandom.uuid();
    await recorded('Dock');
    const other = await recorded('At the door', 15_000, { area: office, watches: { device_ids: [door] } });
    const incident = rig.incident();
    await until(() => lines().length === 1);
    const grown = { ...incident, device_ids: [door], updated_at: toRfc3339(rig.now()) };
    rig.incident(grown, 'updated');
    rig.incident({ ...grown, state: 'acknowledged' }, 'updated');
    await until(() => lines().length === 2);
    expect(lines()[1]?.device_id).toBe(other);
    expect(await clips(incident.id)).toHaveLength(2);
  });

  it('is told that there is no footage, and why', async () => {
    const dead = await rig.addCamera('Dead');
    rig.footage.gap(dead, rig.now() - 60_000, rig.now() + 60_000, 'The camera does not answer.');
    const incident = rig.incident();
    await until(() => rig.log.some((text) => text.includes('listening')));
    rig.advance(40_000);
    await until(() => lines().length === 1);
    expect(lines()[0]?.text).toBe('No footage of Dead: The camera does not answer.');
    expect(lines()[0]?.data).toMatchObject({ state: 'missing', stills: [] });
    const [clip] = await until(async () => {
      const all = await clips(incident.id);
      return all.length > 0 ? all : undefined;
    });
    expect(clip).toMatchObject({ state: 'missing', problem: 'The camera does not answer.' });
  });

  it('is told of a piece that is missing after all', async () => {
    const dock = await rig.addCamera('Dock');
    rig.footage.add(dock, rig.now() - 15_000, { seconds: 20 });
    rig.footage.gap(dock, rig.now() + 5_000, rig.now() + 60_000, 'The network is gone.');
    const incident = rig.incident();
    await until(() => lines().length === 1);
    rig.advance(45_000);
    await until(() => lines().length === 2);
    expect(lines()[1]?.text).toMatch(
      /is kept, 3 stills\. Not all of it is there\. .*: The network is gone\.$/,
    );
    const clip = await clipWith(incident.id, (one) => one.state === 'ready');
    expect(clip.problem).toContain('The network is gone.');
  });

  it('of the time in which the service was away gets what was recorded, and over a restart nothing is lost', async () => {
    const dock = await recorded('Dock', 40_000);
    await rig.halt();
    const incident = rig.incident({ opened_at: toRfc3339(rig.now() - 20_000) });
    await rig.restart();
    await until(() => lines().length === 1);
    // In the middle: stills are taken, the end is still to come.
    await rig.restart();
    rig.advance(20_000);
    const clip = await clipWith(incident.id, (one) => one.state === 'ready');
    expect(clip).toMatchObject({ camera_id: dock, problem: null });
    expect(clip.stills).toHaveLength(3);
    expect(lines()).toHaveLength(1);
  });

  it('of a test alarm keeps its evidence for a day, and incidents of one moment share their stills', async () => {
    await recorded('Dock');
    const atMs = toRfc3339(rig.now());
    const test = rig.incident({ test: true, opened_at: atMs });
    const real = rig.incident({ opened_at: atMs });
    await until(() => lines().length === 2);
    const of = async (id: string) => (await clips(id))[0]?.stills.map((still) => still.id) ?? [];
    const [one, two] = [await of(test.id), await of(real.id)];
    expect(new Set([...one, ...two]).size).toBe(6);
    expect(await Promise.all(one.map(hashOf))).toEqual(await Promise.all(two.map(hashOf)));
    rig.advance(86_400_000 + 3_700_000);
    await until(() => rig.sql('SELECT id FROM clips').length === 1);
    await until(() => readdirSync(join(rig.directory, 'data', 'stills')).length === 3);
    expect(rig.sql('SELECT incident_id FROM locks')).toEqual([{ incident_id: real.id }]);
  });

  it('keeps its line for core while core is away', async () => {
    await recorded('Dock');
    const incident = rig.incident();
    await until(() => rig.sql('SELECT id FROM clips').length === 1);
    await rig.core.stop();
    await until(() => JSON.stringify(rig.sql('SELECT told FROM clips')).includes('1'));
    expect(lines()).toEqual([]);
    await rig.core.start();
    await until(() => lines().length === 1);
    expect(lines()[0]?.incident_id).toBe(incident.id);
  });

  it('is shown to whom may watch the camera, and to nobody else', async () => {
    const dock = await recorded('Dock');
    const incident = rig.incident();
    await until(() => lines().length === 1);
    const clip = await clipWith(incident.id, () => true);
    const live = [{ permissions: ['camera.live' as const], scope: `org:${testOrg}` }];
    const elsewhere = [{ permissions: ['camera.playback' as const], scope: `area:${office}` }];
    const here = [{ permissions: ['camera.playback' as const], scope: `device:${dock}` }];
    const path = `/camera/incidents/${incident.id}/evidence`;
    expect((await rig.rest('GET', path, undefined, live)).status).toBe(403);
    expect((await rig.rest('GET', path, undefined, elsewhere)).body).toEqual({ items: [] });
    expect((await rig.rest('GET', path, undefined, here)).body).toMatchObject({
      items: [{ camera_id: dock }],
    });
    const still = `/camera/stills/${clip.stills[0]?.id ?? ''}`;
    expect((await rig.fetch('GET', still, undefined, elsewhere)).status).toBe(404);
    expect((await rig.fetch('GET', still, undefined, here)).status).toBe(200);
  });
});

describe('a command from the feed', () => {
  it('to record keeps footage for its time', async () => {
    const dock = await recorded('Dock');
    const id = command('record', dock, { seconds: 30 });
    expect(await resultOf(id)).toMatchObject({ ok: true });
    const [keep] = rig.signals.filter((signal) => signal.kind === 'keep');
    expect(keep).toMatchObject({ cameraId: dock, why: 'Command of Ada Admin' });
    expect(keep?.kind === 'keep' && keep.toMs - keep.fromMs).toBe(40_000);
  });

  it('for a picture puts it to the incident, once, however often the command comes', async () => {
    const dock = await recorded('Dock', 15_000, { area: office });
    const incident = rig.incident({ area_id: null });
    const more = { incident_id: incident.id };
    const id = command('snapshot', dock, {}, more);
    expect(await resultOf(id)).toMatchObject({ ok: true });
    const of = () => lines().filter((line) => line.text.includes('snapshot'));
    await until(() => of().length === 1);
    expect(of()[0]).toMatchObject({ incident_id: incident.id, device_id: dock });
    const clip = await clipWith(incident.id, (one) => one.stills.length > 0);
    const [still] = (of()[0]?.data['stills'] ?? []) as { id: string }[];
    expect(clip.stills.some((one) => one.id === still?.id)).toBe(true);
    rig.sql('UPDATE feed_position SET seq = 1');
    await rig.restart();
    await until(() => rig.core.commandResults.length === 2);
    expect(of()).toHaveLength(1);
  });

  it('to record locks its time too when the incident has a clip of that camera, and the clip goes on', async () => {
    const dock = await recorded('Dock');
    const incident = rig.incident();
    await until(() => lines().length === 1);
    rig.advance(45_000);
    await clipWith(incident.id, (one) => one.state === 'ready');
    const toMs = rig.now() + 120_000;
    const more = { incident_id: incident.id, created_at: toRfc3339(rig.now()) };
    await resultOf(command('record', dock, { seconds: 120 }, more));
    const spans = () =>
      rig.sql(`SELECT from_ms, to_ms FROM locks WHERE incident_id = '${incident.id}' ORDER BY from_ms`) as {
        from_ms: number;
        to_ms: number;
      }[];
    expect(spans()).toHaveLength(2);
    expect(Math.abs((spans()[1]?.to_ms ?? 0) - toMs)).toBeLessThan(1_000);
    const clip = await clipWith(incident.id, () => true);
    expect(clip.state).toBe('pending');
    expect(Date.parse(clip.to)).toBe(spans()[1]?.to_ms);
    expect(Date.parse(clip.from)).toBe(spans()[0]?.from_ms);
    // What is held already is not held twice.
    await resultOf(command('record', dock, { seconds: 120 }, more));
    await resultOf(command('snapshot', dock, {}, more));
    expect(spans()).toHaveLength(2);
  });

  it('turns the camera, or says why not', async () => {
    const dock = await recorded('Dock');
    await resultOf(command('goto_preset', dock, { preset: '3' }));
    expect(rig.presets).toEqual([{ cameraId: dock, preset: '3' }]);
    rig.presetFails = new AppError('device_unavailable', 'The camera does not answer.');
    expect(await resultOf(command('goto_preset', dock, { preset: '3' }))).toMatchObject({
      ok: false,
      error: 'The camera does not answer.',
    });
    const late = command('goto_preset', dock, { preset: '4' }, { created_at: toRfc3339(rig.now() - 60_000) });
    expect(await resultOf(late)).toMatchObject({ ok: false, error: 'The command came too late.' });
    expect(rig.presets).toHaveLength(1);
  });

  it('for a camera without a connection here is answered with that', async () => {
    const id = command('snapshot', systemRandom.uuid());
    expect(await resultOf(id)).toMatchObject({
      ok: false,
      error: expect.stringContaining('no connection') as string,
    });
    command('unlock', systemRandom.uuid());
    command('record', systemRandom.uuid());
    await until(() => rig.core.commandResults.length === 2);
  });
});

describe('locks', () => {
  it('are set and lifted by those who may, and stand in the audit', async () => {
    const dock = await recorded('Dock');
    const body = {
      camera_id: dock,
      from: toRfc3339(rig.now() - 60_000),
      to: toRfc3339(rig.now()),
      reason: 'The police asked for it',
    };
    const watcher = [{ permissions: ['camera.playback' as const], scope: `org:${testOrg}` }];
    expect((await rig.rest('POST', '/camera/locks', body, watcher)).status).toBe(403);
    const made = await rig.rest('POST', '/camera/locks', body);
    expect(made).toMatchObject({
      status: 201,
      body: { camera_name: 'Dock', locked_by: 'Ada Admin', until: null },
    });
    expect((await rig.rest('POST', '/camera/locks', { ...body, to: body.from })).status).toBe(422);
    const { id } = made.body as { id: string };
    expect((await rig.rest('DELETE', `/camera/locks/${id}`, undefined, watcher)).status).toBe(403);
    expect((await rig.rest('DELETE', `/camera/locks/${id}`)).status).toBe(204);
    expect((await rig.rest('DELETE', `/camera/locks/${id}`)).status).toBe(404);
    await until(() => audits('evidence.unlocked').length === 1);
    expect(audits('evidence.locked')[0]).toMatchObject({
      target: `camera:${dock}`,
      detail: { reason: 'The police asked for it' },
    });
  });

  it('of a camera that was removed are seen and lifted by those who may on the whole organisation', async () => {
    const dock = await recorded('Dock');
    const body = { camera_id: dock, from: toRfc3339(rig.now() - 60_000), to: toRfc3339(rig.now()) };
    const made = await rig.rest('POST', '/camera/locks', { ...body, reason: 'For the police' });
    const { id } = made.body as { id: string };
    // Core forgets it before it says that it was deleted; and over a restart it is known what it was.
    rig.core.registry.devices.delete(dock);
    await rig.camera.base.registry.refresh();
    rig.camera.base.registry.remove(dock);
    await rig.restart();
    const here = [{ permissions: [...allCameraPermissions], scope: `area:${yard}` }];
    const watcher = [{ permissions: ['camera.playback' as const], scope: `org:${testOrg}` }];
    const path = `/camera/locks/${id}`;
    expect((await rig.rest('GET', '/camera/locks', undefined, here)).body).toEqual({ items: [] });
    expect((await rig.rest('DELETE', path, undefined, here)).status).toBe(404);
    expect((await rig.rest('GET', '/camera/locks', undefined, watcher)).body).toMatchObject({
      items: [{ id, camera_name: 'Dock' }],
    });
    expect((await rig.rest('DELETE', path, undefined, watcher)).status).toBe(403);
    const strange = systemRandom.uuid();
    const stranger = rig.core.token(
      strange,
      [{ permissions: [...allCameraPermissions], scope: `org:${strange}` }],
      systemClock.now(),
    );
    const foreign = await fetch(`${rig.url}/api/v1${path}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${stranger}` },
    });
    expect(foreign.status).toBe(404);
    expect((await rig.rest('DELETE', path)).status).toBe(204);
    expect(rig.sql('SELECT id FROM locks')).toEqual([]);
  });

  it('end when their time is over', async () => {
    const dock = await recorded('Dock');
    const endsAt = toRfc3339(rig.now() + 3_600_000);
    const span = { from: toRfc3339(rig.now() - 1_000), to: toRfc3339(rig.now()) };
    await rig.rest('POST', '/camera/locks', {
      camera_id: dock,
      ...span,
      reason: 'For an hour',
      until: endsAt,
    });
    rig.advance(3_700_000);
    await until(() => rig.sql('SELECT id FROM locks').length === 0);
  });
});
