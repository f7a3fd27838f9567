/**
 * The phone of the console as guards use it, each in a real browser, with the box's own Kamailio and relays: ringing each other, and a call
 * for help from a browser where nobody is signed in while no service of ours runs. Screenshots as in talk.test.ts.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  call,
  openSipPeer,
  phoneSdp,
  repositoryRoot,
  setupAdmin,
  startBox,
  startPsap,
  tempDir,
  waitFor,
  withChromium,
  type Box,
  type Psap,
  type SetUp,
  type SipServer,
  type TempDir,
} from '@siphera/testkit';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { accessibilityFaults } from './accessibility.ts';
import { signIn } from './sign-in.ts';
import { addGuard, skipSoundTest, withTalker, type Person } from './talk-people.ts';

const screens = join(repositoryRoot, 'docs', 'guide', 'screens');
const trunkNumber = '+15550100100';
let box: Box;
let dir: TempDir;
let phones: SipServer;
let psap: Psap;
let anna: Person;
let bert: Person;
let setUp: SetUp;

beforeAll(async () => {
  dir = await tempDir('phone');
  box = await startBox({ frontDoor: true, services: ['signaling'], phones: true });
  if (!box.sip) throw new Error('this box has no phones');
  phones = box.sip;
  psap = await startPsap({ dir: dir.path, address: '127.0.0.44' });
  setUp = await setupAdmin(box);
  const { token } = setUp;
  anna = await addGuard(box, setUp, 'Anna');
  bert = await addGuard(box, setUp, 'Bert');
  for (const [number, { id, name }] of [
    ['201', anna],
    ['202', bert],
  ] as const)
    // The bridge hears of a new person a moment after core has answered.
    await waitFor(`a number for ${name}`, () =>
      call(box, 'createExtension', { token, body: { number, kind: 'user', name, user_id: id } }).catch(
        () => undefined,
      ),
    );
  await call(box, 'createTrunk', {
    token,
    body: {
      name: 'County',
      host: psap.address,
      port: psap.port,
      kind: 'address',
      uses: ['calls', 'emergency'],
      location_style: 'pidf-lo',
      numbers: [{ number: trunkNumber, extension: '202' }],
    },
  });
  const { items: sites } = await call(box, 'listSites', { token });
  const civic = {
    country: 'US',
    A1: 'NY',
    A3: 'Albany',
    RD: 'Dock',
    STS: 'St',
    HNO: '7',
    PC: '12207',
    FLR: '2',
  };
  for (const [label, isDefault] of [
    ['Lobby', true],
    ['Boiler room', false],
  ] as const)
    await call(box, 'createEmergencyLocation', {
      token,
      body: {
        label,
        site_id: sites[0]?.id ?? '',
        civic: { ...civic, LOC: label },
        is_default: isDefault,
        nearest_phone: '202',
      },
    });
  const plan = await call(box, 'getNumberPlan', { token });
  await call(box, 'putNumberPlan', { token, body: { ...plan, desk: '202' } });
});
afterAll(async () => {
  await box.stop();
  await psap.stop();
  await dir[Symbol.asyncDispose]();
});

async function shot(page: Page, name: string): Promise<void> {
  if (process.env['SCREENSHOTS'] === undefined) return;
  mkdirSync(screens, { recursive: true });
  await page.screenshot({ path: join(screens, `${name}.png`) });
}

/** Keeps the connections of a page, so that what is heard can be counted. */
const keepConnections = (page: Page): Promise<unknown> =>
  page.addInitScript(`{
    const made = (globalThis.madeConnections = []);
    const Own = RTCPeerConnection;
    globalThis.RTCPeerConnection = class extends Own {
      constructor(...args) { super(...args); made.push(this); }
    };
  }`);

/** Packets of sound that came, and how loud it was in all. */
const heard = (page: Page): Promise<{ packets: number; energy: number }> =>
  page.evaluate(`(async () => {
    let packets = 0, energy = 0;
    for (const one of globalThis.madeConnections)
      for (const row of (await one.getStats()).values())
        if (row.type === 'inbound-rtp' && row.kind === 'audio') {
          packets += row.packetsReceived;
          energy += row.totalAudioEnergy ?? 0;
        }
    return { packets, energy };
  })()`);

/** More sound than at this moment. */
async function hearsMore(page: Page): Promise<void> {
  const before = await heard(page);
  await waitFor('sound of the other side', async () => {
    const now = await heard(page);
    return now.packets > before.packets + 25 && now.energy > before.energy;
  });
}

async function openPhone(page: Page, person: Person): Promise<void> {
  await keepConnections(page);
  await skipSoundTest(page);
  await signIn(page, box.origin, person);
  await page.goto(`${box.origin}/phone`);
  await page.locator('[data-test="phone-state"][data-state="ready"]').waitFor();
}

const noMicrophone = () => ({
  hosts: [box.hostName],
  args: ['--allow-loopback-in-peer-connection', '--autoplay-policy=no-user-gesture-required'],
});

const phase = (page: Page, wanted: string): Promise<void> =>
  page.locator(`[data-test="phone-call"][data-phase="${wanted}"]`).waitFor();

it('carries a call between two consoles: ring, talk, hold, keys, hang up', async () => {
  await withTalker(box, async ({ page: annas }) => {
    await withTalker(box, async ({ page: berts }) => {
      await openPhone(annas, anna);
      await openPhone(berts, bert);
      await annas.locator('[data-test="phone-number"]').fill('202');
      await annas.locator('[data-test="phone-words"]').getByText(/Bert/).waitFor();
      await annas.locator('[data-test="phone-dial"]').click();
      await phase(berts, 'ringing');
      await shot(berts, 'phone-rings');
      await berts.locator('[data-test="phone-answer"]').click();
      await Promise.all([phase(annas, 'connected'), phase(berts, 'connected')]);
      await Promise.all([hearsMore(annas), hearsMore(berts)]);
      await annas.getByText('Not end-to-end encrypted').waitFor();
      await shot(annas, 'phone-call');
      expect(await accessibilityFaults(annas)).toEqual([]);

      await annas.locator('[data-test="phone-hold"]').click();
      await berts.getByText('They have put you on hold').waitFor();
      // There before here: it holds once the answer is back.
      await annas.locator('[data-test="phone-call"][data-held="true"]').waitFor();
      await annas.locator('[data-test="phone-hold"]').click();
      await annas.locator('[data-test="phone-call"][data-held="false"]').waitFor();
      await hearsMore(berts);
      await annas.locator('[data-test="phone-keys"]').click();
      await annas.locator('[data-test="phone-call"] [data-key="5"]').click();

      // Another tab shows the same phone, and acts for it.
      const second = await annas.context().newPage();
      await skipSoundTest(second);
      await second.goto(`${box.origin}/phone/board`);
      await second.getByRole('cell', { name: 'Bert (202)' }).waitFor();
      await second.getByText('in another tab of this browser').waitFor();
      await shot(second, 'phone-board');
      expect(await accessibilityFaults(second)).toEqual([]);
      await second.locator('[data-test="phone-hang-up"]').click();
      await Promise.all([phase(annas, 'ended'), phase(berts, 'ended')]);

      await second.close();
      await annas.locator('[data-number="202"] button').click();
      await berts.locator('[data-test="phone-decline"]').click();
      await annas.getByText('Bert declined').waitFor();
      await annas.locator('[data-number="202"] button').click();
      await phase(berts, 'ringing');
      await annas.locator('[data-test="phone-hang-up"]').click();
      await berts.getByText('Missed call from Anna').waitFor();
      await berts.getByRole('tab', { name: 'Calls' }).click();
      await berts.getByRole('cell', { name: 'Anna (201)' }).nth(2).waitFor();
      await shot(berts, 'phone-calls');
      expect(await accessibilityFaults(berts)).toEqual([]);
    });
  });
});

it('gives a call to a desk phone, where it goes on', async () => {
  const { extension, secret } = await call(box, 'createExtension', {
    token: setUp.token,
    body: { number: '203', kind: 'phone', name: 'Desk' },
  });
  await using desk = await openSipPeer({
    server: phones,
    address: '127.0.0.52',
    number: '203',
    credentials: { username: extension.auth_username, password: secret ?? '' },
  });
  await withTalker(box, async ({ page: annas }) => {
    await withTalker(box, async ({ page: berts }) => {
      await openPhone(annas, anna);
      await openPhone(berts, bert);
      await waitFor('Kamailio to know the desk', async () => (await desk.register()).status === 200);
      await annas.locator('[data-test="phone-number"]').fill('202');
      await annas.locator('[data-test="phone-dial"]').click();
      await berts.locator('[data-test="phone-answer"]').click();
      await phase(annas, 'connected');
      await annas.locator('[data-test="phone-transfer"]').click();
      await annas.getByLabel('Transfer to').fill('203');
      await annas.locator('[data-test="phone-transfer-go"]').click();
      const invite = await desk.nextRequest('INVITE');
      desk.answer(invite, 180);
      desk.answer(invite, 200, { body: phoneSdp(desk.address, 21_000) });
      await phase(annas, 'ended');
      await berts.locator('[data-test="phone-call"][data-phase="connected"]').getByText('203').waitFor();
      await berts.locator('[data-test="phone-hang-up"]').click();
      await desk.nextRequest('BYE');
    });
  });
});

it('rings for a door station, sends the command for its door, and says what came of it', async () => {
  const { token } = setUp;
  const { items: areas } = await call(box, 'listAreas', { token });
  const device = (kind: 'door' | 'intercom', name: string) =>
    call(box, 'createDevice', { token, body: { kind, name, area_id: areas[0]?.id ?? '' } });
  const [gate, station] = await Promise.all([device('door', 'Gate'), device('intercom', 'Gate station')]);
  const { extension, secret } = await waitFor('a number for the door station', () =>
    call(box, 'createExtension', {
      token,
      body: {
        number: '300',
        kind: 'door',
        name: 'Gate station',
        device_id: station.id,
        door_id: gate.id,
        rings: '202',
      },
    }).catch(() => undefined),
  );
  await using visitor = await openSipPeer({
    server: phones,
    address: '127.0.0.51',
    number: '300',
    credentials: { username: extension.auth_username, password: secret ?? '' },
  });
  await withTalker(box, async ({ page: berts }) => {
    await openPhone(berts, bert);
    await waitFor('Kamailio to know the station', async () => (await visitor.register()).status === 200);
    const rung = visitor.call('202').catch(() => undefined);
    await phase(berts, 'ringing');
    await berts.getByText('Gate station rings').waitFor();
    const open = berts.locator('[data-test="open-door"]:not([disabled])');
    await open.click();
    await shot(berts, 'phone-door');
    await open.click();
    // This door hangs on no controller, and core says so: the command went its whole way.
    await berts.getByText('hangs on no enrolled controller').waitFor();
    await berts.locator('[data-test="phone-decline"]').click();
    await rung;
  });
});

it('calls for help where nobody is signed in, with no service of ours running, and tells the desk', async () => {
  await withTalker(box, async ({ page: berts }) => {
    await openPhone(berts, bert);
    await waitFor('the file of emergency calls', () =>
      berts.evaluate(
        `fetch('/emergency.json').then((answer) => answer.json()).then(({ locations }) => locations.length === 2, () => false)`,
      ),
    );
    await Promise.all([box.core, box.signaling, box.sipBridge].map(async (one) => one?.daemon.stop()));
    await withTalker(box, async ({ page }) => {
      await keepConnections(page);
      await page.goto(`${box.origin}/login`);
      await page.locator('[data-test="emergency-open"]').first().click();
      await page.getByLabel('Where are you?').selectOption({ label: 'Boiler room' });
      await shot(page, 'emergency-line');
      await page.locator('[data-test="emergency-call-911"]').click();
      const invite = await psap.invite();
      expect(invite.text).toContain('Geolocation-Routing: yes');
      expect(invite.text).toContain('Boiler room');
      await page.locator('[data-test="emergency"][data-phase="connected"]').waitFor();
      await shot(page, 'emergency-call');
      expect(await accessibilityFaults(page)).toEqual([]);

      const notice = berts.locator('[data-test="emergency-notice"]');
      await notice.getByText('Boiler room').waitFor();
      await shot(berts, 'emergency-notice');
      // The far end sends back what it hears.
      await hearsMore(page);
      await page.locator('[data-test="emergency-hang-up"]').click();
      await page.getByText('You have hung up').waitFor();
      await notice.getByText('call has ended').waitFor();
      expect(await accessibilityFaults(berts)).toEqual([]);

      // Whoever was called rings back: on this screen, where nobody is signed in.
      await using center = await openSipPeer({ server: phones, address: psap.address, number: '+15550911' });
      const back = center.call(trunkNumber);
      back.catch(() => undefined);
      await page.locator('[data-test="emergency"][data-phase="callback"]').waitFor();
      await page.locator('[data-test="emergency-answer"]').click();
      await back;
      await page.locator('[data-test="emergency"][data-phase="connected"]').waitFor();
      await page.locator('[data-test="emergency-hang-up"]').click();
      await center.nextRequest('BYE');
    });

    // A browser that refuses the microphone calls and listens.
    await withChromium({ ...noMicrophone(), caFile: box.mosquitto.ca.caFile }, async ({ page }) => {
      await keepConnections(page);
      await page.goto(`${box.origin}/emergency`);
      await page.locator('[data-test="emergency-call-911"]').click();
      await psap.invite(2);
      await page.locator('[data-test="emergency"][data-phase="connected"]').waitFor();
      await page.getByText('They cannot hear you').waitFor();
      await waitFor('sound of the other side', async () => (await heard(page)).packets > 25);
      await page.locator('[data-test="emergency-hang-up"]').click();
      await page.getByText('You have hung up').waitFor();

      await Promise.all([phones.relays.a, phones.relays.b].map(({ daemon }) => daemon.stop()));
      await page.locator('[data-test="emergency-call-911"]').click();
      await page.getByText('Go to the phone 202').waitFor();
      await shot(page, 'emergency-go-to');
    });
  });
});
