/** The building's intrusion panel: speaks DC-09 to the box, armed at night, tested now and then. */
import { FakePanel } from '@siphera/testkit';
import type { BoxClient } from './box-client.ts';
import type { Building, Report } from './provision.ts';

const panelAccount = '4711';
/** Silence for this long is a fault for the box. Long for a panel, so that stopping the lab for a moment is none. */
const supervisionMs = 15 * 60_000;
const testEveryMs = 30_000;

/** Zones as the panel numbers them, and what they are called here. */
const zones = [
  { zone: '001', name: 'Main entrance', device: 'lab-door-1', room: 'lobby' },
  { zone: '002', name: 'Staff entrance', device: 'lab-door-2', room: 'corridor_ground' },
  { zone: '003', name: 'Warehouse motion', device: 'lab-motion-3', room: 'warehouse' },
  { zone: '004', name: 'Server room', device: undefined, room: 'server' },
  { zone: '005', name: 'Loading dock door', device: 'lab-door-3', room: 'dock' },
  { zone: '006', name: 'Management window', device: 'lab-glass-2', room: 'management' },
] as const;

/** Makes the account and its map on the box, unless they are there. */
export async function provisionPanel(box: BoxClient, building: Building, report: Report): Promise<void> {
  const { items } = await box.call('listPanelAccounts', { query: {} });
  const found = items.find((candidate) => candidate.account === panelAccount);
  const device = building.devices.get('lab-panel-1');
  const settings = {
    name: 'Intrusion panel',
    site_id: building.siteId,
    device_id: device?.id ?? null,
    area_id: building.areas.get('ground') ?? null,
    supervision_ms: supervisionMs,
  };
  if (found?.state === 'active') return;
  const account = found
    ? await box.call('updatePanelAccount', {
        params: { id: found.id },
        body: { ...settings, state: 'active' },
      })
    : await box.call('createPanelAccount', { body: { ...settings, account: panelAccount } });
  await box.call('putZones', {
    params: { id: account.id },
    body: {
      items: [
        { partition: '01', zone: null, name: 'Whole building', device_id: null, area_id: settings.area_id },
        ...zones.map(({ zone, name, device: id, room }) => ({
          partition: '01',
          zone,
          name,
          device_id: (id && building.devices.get(id)?.id) ?? null,
          area_id: building.areas.get(room) ?? null,
        })),
      ],
    },
  });
  report(`made the panel account ${panelAccount}`);
}

export class LabPanel {
  readonly #panel: FakePanel;
  readonly #timer: NodeJS.Timeout;
  readonly #say: (line: string) => void;
  #chain: Promise<void> = Promise.resolve();

  constructor(options: { host: string; port: number; now: () => number; say: (line: string) => void }) {
    this.#panel = new FakePanel({ ...options, account: panelAccount, transport: 'tcp' });
    this.#say = options.say;
    this.#timer = setInterval(() => void this.#send('link test', () => this.#panel.linkTest()), testEveryMs);
    // A periodic test report (Contact ID 602): unlike a link test it is an event, so the panel shows as online.
    void this.#send('test report', () => this.#panel.contactId('1602 00 000'));
  }

  /** Somebody climbs in at the dock. */
  burglary(): Promise<void> {
    return this.#send('burglary, zone 005', () => this.#panel.contactId('1130 01 005'));
  }

  /** The zone is closed again. */
  restore(): Promise<void> {
    return this.#send('zone 005 restored', () => this.#panel.contactId('3130 01 005'));
  }

  setArmed(armed: boolean): Promise<void> {
    // Contact ID 401: opening is a new event (1), closing its restoral (3).
    return this.#send(armed ? 'armed' : 'disarmed', () =>
      this.#panel.contactId(`${armed ? 3 : 1}401 01 012`),
    );
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#panel.close();
    await this.#chain;
  }

  /** One message at a time, as a real panel. */
  #send(what: string, deliver: () => ReturnType<FakePanel['linkTest']>): Promise<void> {
    this.#chain = this.#chain.then(async () => {
      const { answer } = await deliver();
      if (answer?.kind !== 'ACK')
        this.#say(`panel: ${what} was not acknowledged (${answer?.kind ?? 'silence'})`);
      else if (what !== 'link test') this.#say(`panel: ${what}`);
    });
    return this.#chain;
  }
}
