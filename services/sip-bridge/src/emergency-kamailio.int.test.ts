/** Places as they are set here, in emergency calls of a real Kamailio: what the PSAP gets, what core hears, and drills. */
import {
  Drill,
  EmergencyCall,
  EmergencyLocation,
  EmergencyLocationInput,
  internalPaths,
} from '@siphera/contract';
import {
  openSipPeer,
  phoneSdp,
  startSipServer,
  tempDir,
  waitFor,
  type SipMessage,
  type SipPeer,
  type SipServer,
  type TempDir,
} from '@siphera/testkit';
import { SaxesParser } from 'saxes';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { createAlarmCallsPart } from './alarm-calls.part.ts';
import { createEmergencyPart } from './emergency.part.ts';
import { createPlanPart } from './plan.part.ts';
import { office, startBridgeRig, testSite, yard, type BridgeRig } from './testing/bridge-rig.ts';
import { incidentId, posted } from './testing/emergency-kit.ts';
import { civic } from './testing/location-kit.ts';

const typed = `Größe "Süd" & <Öl> 100 % $5; a=b`;
const callback = '+13035550100';
let directory: TempDir;
let server: SipServer;
let rig: BridgeRig;
let psap: SipPeer;
let drills: SipPeer;
let lobby: EmergencyLocation;
let gate: EmergencyLocation;
let people = 0;

beforeAll(async () => {
  directory = await tempDir('places');
  server = await startSipServer({ dir: directory.path });
  const to = { address: server.address, port: server.port, domain: server.domain };
  psap = await openSipPeer({ server: to, address: '127.0.0.2' });
  drills = await openSipPeer({ server: to, address: '127.0.0.3' });
  rig = await startBridgeRig({
    realSwitch: true,
    env: {
      SIP_DIR: server.sipDir,
      SIP_DOMAIN: server.domain,
      SIP_SECRET: server.secret,
      KAMAILIO_RPC_URL: server.rpcUrl,
      KAMAILIO_RPC_SECRET: server.rpcSecret,
      KAMAILIO_EVENTS: server.events,
      SIP_ADDRESS: `${server.address}:${server.port}`,
    },
    parts: (ground) => {
      const { part, book } = createPlanPart(ground);
      const { part: alarmCalls, caller } = createAlarmCallsPart(ground, book);
      return [part, alarmCalls, createEmergencyPart(ground, { book, caller })];
    },
    before: (core) => {
      core.answers.set(internalPaths.openIncident, () => ({ incident_id: incidentId, opened: true }));
      core.answers.set(internalPaths.incidentLine, () => ({}));
    },
  });
  await made('/sip/extensions', { number: '2001', kind: 'phone', name: 'Office phone', area_id: office });
  const trunk = { kind: 'address', location_style: 'pidf-lo' };
  const numbers = [{ number: callback, extension: '2001' }];
  await made('/sip/trunks', {
    ...trunk,
    name: 'Main',
    host: psap.address,
    port: psap.port,
    uses: ['emergency'],
    numbers,
  });
  await made('/sip/trunks', {
    ...trunk,
    name: 'Test',
    host: drills.address,
    port: drills.port,
    uses: ['drill'],
  });
  lobby = await place('Lobby', {
    area_ids: [office],
    civic: civic({ LMK: typed }),
    callback_number: callback,
  });
  gate = await place('Gate', { is_default: true, networks: ['127.0.77.0/24'], area_ids: [yard] });
  await rig.published();
}, 120_000);
afterAll(async () => {
  await rig?.stop();
  await Promise.all([psap?.close(), drills?.close()]);
  await server?.stop();
  await directory?.remove();
});

async function made(path: string, body: Record<string, unknown>): Promise<unknown> {
  const answer = await rig.rest('POST', path, body);
  expect(answer, JSON.stringify(answer.body)).toMatchObject({ status: 201 });
  return answer.body;
}
const place = async (label: string, more: Record<string, unknown>): Promise<EmergencyLocation> =>
  EmergencyLocation.parse(
    await made('/sip/emergency/locations', {
      label,
      site_id: testSite,
      civic: civic({ ROOM: label }),
      ...more,
    }),
  );

/** Calls from a new address, is answered at the far end, and hangs up. @returns the INVITE that came there. */
async function dial(
  dialled: string,
  { at, ...from }: { number?: string; at?: string; headers?: string[] } = {},
): Promise<SipMessage> {
  people += 1;
  const to = { address: server.address, port: server.port, domain: server.domain };
  const phone = await openSipPeer({
    server: to,
    address: at ?? `127.0.60.${people}`,
    ...(from.number === undefined ? {} : { number: from.number }),
  });
  try {
    const call = phone.call(dialled, {
      body: phoneSdp(phone.address, 40_000),
      ...(from.headers === undefined ? {} : { headers: from.headers }),
    });
    call.catch(() => undefined);
    const invite = await psap.nextRequest('INVITE');
    psap.answer(invite, 200, { body: phoneSdp(psap.address, 41_000) });
    const dialog = await call;
    const over = phone.within(dialog, 'BYE');
    psap.answer(await psap.nextRequest('BYE'), 200);
    await over;
    return invite;
  } finally {
    await phone.close();
  }
}

/** Civic elements of the PIDF-LO in an INVITE, by a strict parser. */
function civicOf(invite: SipMessage): Record<string, string> {
  const xml = Buffer.from(/<\?xml.*<\/presence>/s.exec(invite.body)?.[0] ?? '', 'latin1').toString('utf8');
  const parser = new SaxesParser({ xmlns: true });
  const found: Record<string, string> = {};
  let name = '';
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', (tag) => {
    name = tag.uri.endsWith(':civicAddr') ? tag.local : '';
  });
  parser.on('text', (text) => {
    if (name !== '' && name !== 'civicAddress') found[name] = (found[name] ?? '') + text;
  });
  parser.on('closetag', () => {
    name = '';
  });
  parser.write(xml).close();
  expect(xml).toContain(`entity="pres:${callback}@${server.domain}"`);
  expect(xml).toMatch(/<timestamp>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ<\/timestamp>/);
  return found;
}

const calls = async (): Promise<EmergencyCall[]> =>
  z.object({ items: z.array(EmergencyCall) }).parse((await rig.rest('GET', '/sip/emergency/calls')).body)
    .items;
const newest = (count: number): Promise<EmergencyCall> =>
  waitFor('the call is over', async () => {
    const all = await calls();
    return all.length === count && all[0]?.state === 'ended' ? all[0] : undefined;
  });

it('sends the place of the phone whatever its texts hold, and tells core of each step', async () => {
  const invite = await dial('9911', { number: '2001' });
  expect(invite.startLine).toBe(`INVITE sip:911@${psap.address} SIP/2.0`);
  expect(civicOf(invite)).toEqual({
    country: 'US',
    A1: 'CO',
    A3: 'Denver',
    RD: 'Larimer',
    STS: 'Street',
    HNO: '1400',
    LMK: typed,
    FLR: '2',
    NAM: 'Siphera Works',
    PC: '80202',
    ROOM: 'Guard room',
  });
  const call = await newest(1);
  expect(call).toMatchObject({
    kind: 'emergency',
    number: '911',
    dialled: '9911',
    caller: { number: '2001', name: 'Office phone', verified: false },
    location_id: lobby.id,
    location_by: 'area',
    area_id: office,
    callback_number: callback,
    trunk_name: 'Main',
    style: 'pidf-lo',
    attempts: [],
  });
  const [incident] = await waitFor('the incident', () => {
    const all = posted(rig, internalPaths.openIncident);
    return all.length > 0 ? all : undefined;
  });
  expect(incident).toMatchObject({
    title: 'Emergency call 911 from 2001 Office phone',
    severity: 'critical',
    area_id: office,
  });
  await waitFor('its lines', () => posted(rig, internalPaths.incidentLine).length >= 3);
  expect(posted(rig, internalPaths.incidentLine).map(({ data }) => (data as { step: string }).step)).toEqual([
    'sent',
    'answered',
    'ended',
  ]);
}, 60_000);

it('sends an unknown phone from the place of its network, or from where its caller says he is', async () => {
  expect(civicOf(await dial('911', { at: '127.0.77.9' }))['ROOM']).toBe('Gate');
  expect(await newest(2)).toMatchObject({ location_by: 'network', location_id: gate.id });
  const headers = [`X-Siphera-Location: ${lobby.id}`];
  expect(civicOf(await dial('911', { at: '127.0.77.9', headers }))['ROOM']).toBe('Guard room');
  expect(await newest(3)).toMatchObject({ location_by: 'caller', location_id: lobby.id });
  // Nothing at all is known: the default of the site.
  expect(civicOf(await dial('112'))['ROOM']).toBe('Gate');
  expect(await newest(4)).toMatchObject({ location_by: 'site', dialled: '112', number: '911' });
}, 60_000);

it('sends a place as it was changed a moment ago, without a restart', async () => {
  const changed = await rig.rest('PUT', `/sip/emergency/locations/${lobby.id}`, {
    ...EmergencyLocationInput.parse(lobby),
    revision: lobby.revision,
    civic: civic({ ROOM: 'Vault' }),
  });
  expect(changed.status).toBe(200);
  await rig.published();
  expect(civicOf(await dial('911', { number: '2001' }))['ROOM']).toBe('Vault');
  await newest(5);
}, 60_000);

it('goes out while core and the bridge are down, and is told to core afterwards', async () => {
  const before = posted(rig, internalPaths.openIncident).length;
  await rig.halt();
  await rig.core.stop();
  expect(civicOf(await dial('911', { number: '2001' }))['ROOM']).toBe('Vault');
  await rig.core.start();
  await rig.restart();
  await newest(6);
  await waitFor('the incident', () => posted(rig, internalPaths.openIncident).length === before + 1);
}, 90_000);

it('drills each place at the test PSAP alone, with figures of the real call', async () => {
  const real = psap.received.length;
  const { body, status } = await rig.rest('POST', '/sip/emergency/drills', {
    name: 'Monday',
    site_id: testSite,
  });
  expect(status, JSON.stringify(body)).toBe(202);
  const { id } = Drill.parse(body);
  const rooms: (string | undefined)[] = [];
  for (let count = 0; count < 2; count += 1) {
    const invite = await drills.nextRequest('INVITE');
    rooms.push(civicOf(invite)['ROOM']);
    drills.answer(invite, 200, { body: phoneSdp(drills.address, 41_000) });
    drills.answer(await drills.nextRequest('BYE'), 200);
  }
  expect(rooms).toEqual(['Vault', 'Gate']);
  const drill = await waitFor('the drill is over', async () => {
    const now = Drill.parse((await rig.rest('GET', `/sip/emergency/drills/${id}`)).body);
    return now.state === 'running' ? undefined : now;
  });
  expect(
    drill.results.map(({ label, passed }) => [label, passed]),
    JSON.stringify(drill),
  ).toEqual([
    ['Lobby', true],
    ['Gate', true],
  ]);
  for (const { steps } of drill.results)
    for (const { what, ms } of steps) if (/INVITE|Answered/.test(what)) expect(ms).toBeGreaterThanOrEqual(0);
  expect(psap.received.length).toBe(real);
  expect((await calls()).filter(({ kind }) => kind === 'drill')).toHaveLength(2);
  expect(posted(rig, internalPaths.openIncident).every(({ title }) => !String(title).includes('*911'))).toBe(
    true,
  );
}, 60_000);
