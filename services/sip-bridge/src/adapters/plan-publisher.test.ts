import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLogger, openDatabase, systemClock } from '@siphera/runtime';
import { tempDir, waitFor } from '@siphera/testkit';
import { expect, it, onTestFinished } from 'vitest';
import { tableNames, type SwitchTables } from '../domain/switch-tables.ts';
import { FakeSwitch } from '../testing/fake-switch.ts';
import { PlanPublisher } from './plan-publisher.ts';

const log = createLogger({ service: 'sip-bridge', level: 'error', destination: { write: () => undefined } });
const numbers = (number: Record<string, string>): Partial<SwitchTables> => ({ tables: { number } });
const registration = {
  id: 't1',
  username: 'box',
  domain: 'sip.example',
  realm: '',
  password: 'secret',
  proxy: 'sip:sip.example:5060',
  expires: 600,
};

async function start(directory?: string) {
  const dir = await tempDir('plan');
  onTestFinished(() => dir.remove());
  const path = directory ?? join(dir.path, 'plan');
  mkdirSync(path, { recursive: true });
  const kamailio = new FakeSwitch();
  const publisher = new PlanPublisher({ directory: path, kamailio, clock: systemClock, log });
  onTestFinished(() => publisher.stop());
  const rows = (sql: string): unknown[] => {
    const db = openDatabase(join(path, 'plan.sqlite'), { readonly: true });
    try {
      return db.prepare(sql).all();
    } finally {
      db.close();
    }
  };
  return { path, kamailio, publisher, rows };
}

it('writes what Kamailio reads, in one file that is whole, and has it loaded', async () => {
  const { path, kamailio, publisher, rows } = await start();
  publisher.add(() => ({
    ...numbers({ '2001': 'kind=user' }),
    addresses: [
      { group: 1, network: '192.0.2.7', tag: 't1' },
      { group: 2, network: '2001:db8::/32', tag: 'place' },
    ],
    destinations: [
      { set: 2, uri: 'sip:192.0.2.7:5060', priority: 90, fields: { trunk: 't1', style: 'elin' } },
    ],
    registrations: [registration],
  }));
  publisher.add(() => ({ tables: { setting: { out: '+15550100' } } }));
  await publisher.published();
  expect(rows('SELECT key_name, key_value, key_type, value_type FROM number')).toEqual([
    { key_name: '2001', key_value: 'kind=user', key_type: 0, value_type: 0 },
  ]);
  expect(rows('SELECT grp, ip_addr, mask, port, tag FROM address ORDER BY id')).toEqual([
    { grp: 1, ip_addr: '192.0.2.7', mask: 32, port: 0, tag: 't1' },
    { grp: 2, ip_addr: '2001:db8::', mask: 32, port: 0, tag: 'place' },
  ]);
  expect(rows('SELECT l_uuid, r_domain, auth_password, auth_proxy, expires FROM uacreg')).toEqual([
    {
      l_uuid: 't1',
      r_domain: 'sip.example',
      auth_password: 'secret',
      auth_proxy: 'sip:sip.example:5060',
      expires: 600,
    },
  ]);
  expect(rows('SELECT table_name AS name FROM version')).toHaveLength(tableNames.length + 3);
  expect(readFileSync(join(path, 'dispatcher.list'), 'utf8')).toBe(
    '2 sip:192.0.2.7:5060 0 90 trunk=t1;style=elin\n',
  );
  expect(readdirSync(path).sort()).toEqual(['applied', 'dispatcher.list', 'plan.sqlite']);
  for (const name of ['dispatcher.list', 'plan.sqlite'])
    expect(statSync(join(path, name)).mode & 0o777).toBe(0o640);
  expect(readFileSync(join(path, 'plan.sqlite')).subarray(18, 20)).toEqual(Buffer.from([1, 1]));
  for (const name of tableNames) expect(kamailio.count('htable.reload', [name])).toBe(1);
  for (const method of ['permissions.addressReload', 'dispatcher.reload'])
    expect(kamailio.count(method)).toBe(1);
  expect(kamailio.count('uac.reg_refresh', ['t1'])).toBe(1);
  expect(publisher.state()).toEqual({ revision: 1, applied: true, error: undefined });
});

it('loads what has changed alone, and writes nothing when nothing has', async () => {
  const { kamailio, publisher } = await start();
  let number: Record<string, string> = { '2001': 'a=1' };
  publisher.add(() => numbers(number));
  await publisher.published();
  kamailio.calls.length = 0;
  await publisher.published();
  expect(kamailio.calls).toEqual([]);
  expect(publisher.state().revision).toBe(1);
  number = { '2001': 'a=2' };
  await publisher.published();
  expect(kamailio.calls).toEqual([{ method: 'htable.reload', params: ['number'] }]);
  expect(publisher.state().revision).toBe(2);
});

it('has one trunk register anew when that one changes, and ends the registration of one that is gone', async () => {
  const { kamailio, publisher } = await start();
  let registrations = [registration, { ...registration, id: 't2' }];
  publisher.add(() => ({ registrations }));
  await publisher.published();
  kamailio.calls.length = 0;
  registrations = [registration, { ...registration, id: 't2', password: 'another' }];
  await publisher.published();
  registrations = [registration];
  await publisher.published();
  expect(kamailio.calls).toEqual([
    { method: 'uac.reg_refresh', params: ['t2'] },
    { method: 'uac.reg_remove', params: ['t2'] },
  ]);
});

it('goes together for changes of one moment', async () => {
  const { kamailio, publisher } = await start();
  let made = 0;
  publisher.add(() => numbers({ '2001': `made=${(made += 1)}` }));
  for (let index = 0; index < 20; index += 1) publisher.publish();
  expect(publisher.state().applied).toBe(false);
  await waitFor('it is applied', () => publisher.state().applied);
  expect([made, kamailio.count('htable.reload', ['number'])]).toEqual([1, 1]);
});

it('leaves all as it was when one part cannot say its share, and says so', async () => {
  const { kamailio, publisher, rows } = await start();
  let fails = false;
  let number: Record<string, string> = { '2001': 'a=1' };
  publisher.add(() => numbers(number));
  publisher.add(() => {
    if (fails) throw new Error('The places cannot be read');
    return {};
  });
  await publisher.published();
  kamailio.calls.length = 0;
  fails = true;
  number = { '2001': 'a=2' };
  await expect(publisher.published()).rejects.toThrow('The places cannot be read');
  expect(kamailio.calls).toEqual([]);
  expect(rows('SELECT key_value FROM number')).toEqual([{ key_value: 'a=1' }]);
  expect(publisher.state()).toEqual({ revision: 1, applied: false, error: 'The places cannot be read' });
  fails = false;
  await waitFor('it is tried again by itself', () => publisher.state().applied);
  expect(rows('SELECT key_value FROM number')).toEqual([{ key_value: 'a=2' }]);
});

it('refuses two parts that differ on one key', async () => {
  const { publisher } = await start();
  publisher.add(() => numbers({ '2001': 'a=1' }));
  publisher.add(() => numbers({ '2001': 'a=2' }));
  await expect(publisher.published()).rejects.toThrow('differ on 2001');
});

it('has the files ready for a Kamailio that is down, and asks again until it works with them', async () => {
  const { kamailio, publisher, rows } = await start();
  kamailio.down = true;
  publisher.add(() => numbers({ '2001': 'a=1' }));
  await expect(publisher.published()).rejects.toThrow('does not answer');
  expect(rows('SELECT key_name FROM number')).toEqual([{ key_name: '2001' }]);
  expect(publisher.state().applied).toBe(false);
  kamailio.down = false;
  await waitFor('it is applied', () => publisher.state().applied);
  expect(kamailio.count('dispatcher.reload')).toBe(1);
});

it('has all loaded after its own start, but trunks that are registered do not register anew', async () => {
  const first = await start();
  const share = (): Partial<SwitchTables> => ({
    ...numbers({ '2001': 'a=1' }),
    registrations: [registration],
  });
  first.publisher.add(share);
  await first.publisher.published();
  first.publisher.stop();
  const second = await start(first.path);
  second.publisher.add(share);
  await second.publisher.published();
  expect(second.publisher.state().revision).toBe(1);
  expect(second.kamailio.count('htable.reload', ['number'])).toBe(1);
  expect(second.kamailio.count('uac.reg_refresh')).toBe(0);
});

it('writes a damaged file anew', async () => {
  const first = await start();
  first.publisher.add(() => numbers({ '2001': 'a=1' }));
  await first.publisher.published();
  first.publisher.stop();
  const file = join(first.path, 'plan.sqlite');
  chmodSync(file, 0o640);
  writeFileSync(file, 'this is no database');
  const second = await start(first.path);
  second.publisher.add(() => numbers({ '2001': 'a=1' }));
  await second.publisher.published();
  expect(second.rows('SELECT key_name FROM number')).toEqual([{ key_name: '2001' }]);
});

it('leaves both files as they were when one cannot be written', async () => {
  const { path, publisher, rows } = await start();
  let host = 'a.example';
  publisher.add(() => ({
    ...numbers({ '2001': `host=${host}` }),
    destinations: [{ set: 1, uri: `sip:${host}`, priority: 1, fields: { trunk: 't' } }],
  }));
  await publisher.published();
  const before = [readFileSync(join(path, 'dispatcher.list'), 'utf8'), rows('SELECT * FROM number')];
  host = 'b.example';
  // Where the next file should come, something is in the way.
  mkdirSync(join(path, 'plan.sqlite.next', 'full'), { recursive: true });
  await expect(publisher.published()).rejects.toThrow();
  expect([readFileSync(join(path, 'dispatcher.list'), 'utf8'), rows('SELECT * FROM number')]).toEqual(before);
  rmSync(join(path, 'plan.sqlite.next'), { recursive: true });
  await waitFor('it is tried again by itself', () => publisher.state().applied);
  expect(rows('SELECT key_value FROM number')).toEqual([{ key_value: 'host=b.example' }]);
});

it('refuses a destination that would be read as two lines', async () => {
  const { publisher } = await start();
  publisher.add(() => ({
    destinations: [{ set: 1, uri: 'sip:a.example\n2', priority: 1, fields: { trunk: 't' } }],
  }));
  await expect(publisher.published()).rejects.toThrow('cannot be written down');
});

it('writes the narrowest range of addresses first, and names that are looked up when a call goes there', async () => {
  const { path, publisher, rows } = await start();
  const range = (network: string) => ({ group: 2, network, tag: network });
  const to = (uri: string) => ({ set: 1, uri, priority: 1, fields: { trunk: 't' } });
  publisher.add(() => ({
    addresses: ['10.0.0.0/8', '10.1.2.3', '2001:db8::/32', '10.1.0.0/16', '2001:db8::1'].map(range),
    destinations: [
      'sip:trunk.example:5061;transport=tls',
      'sip:192.0.2.7:5060',
      'sip:[2001:db8::7]:5060',
      'sip:192.0.2.7.example:5060',
    ].map(to),
  }));
  await publisher.published();
  expect(rows('SELECT tag FROM address ORDER BY id')).toEqual(
    ['2001:db8::1', '10.1.2.3', '2001:db8::/32', '10.1.0.0/16', '10.0.0.0/8'].map((tag) => ({ tag })),
  );
  const lines = readFileSync(join(path, 'dispatcher.list'), 'utf8').trim().split('\n');
  expect(lines.map((line) => line.split(' ')[2])).toEqual(['16', '0', '0', '16']);
});
