/** The same alarm by MQTT, by a DC-09 frame sent with nc, and by REST: each opens an incident that a console hears of. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  type Box,
  call,
  type Console,
  deviceEvent,
  encodePanelFrame,
  openConsole,
  setupAdmin,
  startBox,
  waitFor,
} from '@siphera/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let box: Box;
let token: string;
let console: Console;
let door: { id: string; org_id: string; site_id: string; area_id: string };

beforeAll(async () => {
  box = await startBox({ frontDoor: true });
  ({ token } = await setupAdmin(box));
  console = await openConsole(box, token);
  const { items } = await call(box, 'listAreas', { token });
  const body = { area_id: items[0]?.id ?? '', kind: 'door', name: 'Loading dock door' } as const;
  door = await call(box, 'createDevice', { token, body });
});
afterAll(async () => {
  await console.close();
  await box.stop();
});

/** The incident whose title holds the words, as the console hears of it. */
const incident = (words: string) =>
  console.waitFor(
    `an incident about ${words}`,
    ({ kind, data }) => kind === 'incident' && (data as { title: string }).title.includes(words),
  );

/** Sends bytes with nc and returns what came back. */
async function netcat(port: number, bytes: Buffer): Promise<string> {
  const child = spawn('nc', ['-q', '2', '-w', '5', '127.0.0.1', String(port)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let answer = '';
  child.stdout.setEncoding('latin1').on('data', (text: string) => {
    answer += text;
  });
  child.stdin.end(bytes);
  await once(child, 'close');
  return answer;
}

describe('an alarm', () => {
  it('by MQTT is acknowledged after its commit and opens an incident', async () => {
    const agent = await box.mosquitto.connect(await box.mosquitto.issueClientCert(door.id));
    const event = { id: 'e2e-mqtt', type: 'door.forced', subject: door.id };
    await deviceEvent(agent, { org: door.org_id, device: door.id, sequence: 1, event });
    await agent.endAsync();
    expect(await incident('Loading dock door')).toMatchObject({ action: 'created' });
  });

  it('by a DC-09 frame sent with nc is acknowledged and opens an incident that names the zone', async () => {
    const body = { account: 'AB12', name: 'Warehouse panel', site_id: door.site_id };
    const account = await waitFor('panel to know the token', () =>
      call(box, 'createPanelAccount', { token, body }),
    );
    const zone = {
      partition: '1',
      zone: '5',
      name: 'Cold store window',
      device_id: null,
      area_id: door.area_id,
    };
    await call(box, 'putZones', { token, params: { id: account.id }, body: { items: [zone] } });
    const frame = encodePanelFrame({
      id: 'ADM-CID',
      sequence: '0001',
      account: 'AB12',
      data: '#AB12|1130 01 005',
    });
    expect(await netcat(box.panel?.dc09Port ?? 0, frame)).toContain('"ACK"');
    expect(await incident('Cold store window')).toMatchObject({ action: 'created' });
  });

  it('by REST is answered after its commit and opens an incident', async () => {
    const event = { specversion: '1.0', id: 'e2e-rest', source: 'integrator', type: 'panic.pressed', subject: door.id, data: {} } as const; // prettier-ignore
    const { results } = await call(box, 'appendEvents', { token, body: event });
    expect(results).toMatchObject([{ status: 'accepted' }]);
    expect(await incident('Panic')).toMatchObject({ action: 'created' });
  });
});
