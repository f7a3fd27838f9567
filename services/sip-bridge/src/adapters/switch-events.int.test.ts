/** Reports come over a real socket and out of a real file; only who writes them is made up. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  createLogger,
  createMetrics,
  migrate,
  openDatabase,
  systemClock,
  type Sqlite,
} from '@siphera/runtime';
import { tempDir, waitFor, type TempDir } from '@siphera/testkit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { SwitchEvent } from '../domain/switch-event.ts';
import { DeadReportStore } from '../store/dead-report.store.ts';
import { FakeEvapi, fakeSpool, spoolRow, spoolRows } from '../testing/fake-evapi.ts';
import { SwitchEvents } from './switch-events.ts';

let directory: TempDir;
let evapi: FakeEvapi;
let db: Sqlite;
let spool: Sqlite;
let events: SwitchEvents;
let heard: { uid: string; late: boolean }[];
let log: string[];
let fail: ((event: SwitchEvent) => void) | undefined;

const report = (uid: string, atMs = systemClock.now()) => ({
  v: 1,
  uid,
  at_ms: atMs,
  kind: 'call',
  call: `call-${uid}`,
  state: 'dialled',
});
const uids = (): string[] => heard.map(({ uid }) => uid);
const dead = (): { body: string; reason: string }[] => new DeadReportStore(db).list();

function listen(): SwitchEvents {
  const made = new SwitchEvents({
    address: evapi.address,
    spool: join(directory.path, 'spool'),
    db,
    clock: systemClock,
    metrics: createMetrics('sip_bridge'),
    log: createLogger({
      service: 'sip-bridge',
      level: 'debug',
      destination: { write: (line) => void log.push(line) },
    }),
  });
  made.on((event, late) => {
    fail?.(event);
    heard.push({ uid: event.uid, late });
  });
  return made;
}

beforeEach(async () => {
  directory = await tempDir('reports');
  evapi = await FakeEvapi.create();
  db = openDatabase(join(directory.path, 'bridge.db'));
  migrate(db, join(import.meta.dirname, '../../migrations'), 0);
  spool = fakeSpool(join(directory.path, 'spool'));
  heard = [];
  log = [];
  fail = undefined;
  events = listen();
});
afterEach(async () => {
  await events.stop();
  await evapi.stop();
  spool.close();
  db.close();
  await directory.remove();
});

it('takes what lay in the spool first, in order, then what comes, each once by whichever way', async () => {
  for (const uid of ['a', 'b', 'c']) spoolRow(spool, report(uid, systemClock.now() - 60_000));
  await evapi.start();
  events.start();
  await waitFor('evapi is connected', () => events.isUp());
  spoolRow(spool, report('d'));
  evapi.tell(report('d'));
  evapi.tell(report('e'));
  spoolRow(spool, report('e'));
  await waitFor('all five', () => uids().includes('e'));
  await waitFor('the spool is empty', () => spoolRows(spool) === 0);
  expect(heard).toEqual([
    { uid: 'a', late: true },
    { uid: 'b', late: true },
    { uid: 'c', late: true },
    { uid: 'd', late: false },
    { uid: 'e', late: false },
  ]);
  expect(events.check().state).toBe('ok');
});

it('takes a long spool whole and in order, though evapi speaks meanwhile', async () => {
  for (let index = 0; index < 330; index += 1) spoolRow(spool, report(`s${index}`));
  await evapi.start();
  let told = false;
  fail = () => {
    if (heard.length < 60 || told || evapi.clients === 0) return;
    told = true;
    evapi.tell(report('new'));
  };
  events.start();
  await waitFor('evapi is connected', () => events.isUp());
  if (!told) evapi.tell(report('new'));
  await waitFor('the new one', () => uids().includes('new'));
  expect(uids()).toEqual([...Array.from({ length: 330 }, (_, index) => `s${index}`), 'new']);
});

it('connects again when Kamailio comes back, tells of it each time, and loses its place in no stream', async () => {
  let ups = 0;
  events.onUp(() => (ups += 1));
  await evapi.start();
  events.start();
  await waitFor('evapi is connected', () => events.isUp());
  evapi.tell(report('a'));
  await waitFor('the first', () => uids().includes('a'));
  await evapi.stop();
  await waitFor('it is seen as gone', () => !events.isUp());
  await evapi.start();
  await waitFor('it is connected again', () => events.isUp());
  evapi.raw('this is no netstring');
  await waitFor('what speaks otherwise is left', () =>
    log.some((line) => line.includes('switch_unreadable')),
  );
  await waitFor('it is connected once more', () => events.isUp() && evapi.clients === 1);
  evapi.tell(report('b'));
  await waitFor('the second', () => uids().includes('b'));
  expect(ups).toBeGreaterThanOrEqual(3);
});

it('works from evapi alone while the spool is missing or broken, and says so', async () => {
  spool.close();
  const file = join(directory.path, 'spool', 'events.sqlite');
  for (const end of ['', '-wal', '-shm']) rmSync(file + end, { force: true });
  await evapi.start();
  events.start();
  await waitFor('evapi is connected', () => events.isUp());
  evapi.tell(report('a'));
  await waitFor('the first', () => uids().includes('a'));
  expect(events.check()).toMatchObject({
    state: 'degraded',
    detail: expect.stringContaining('missing') as string,
  });
  writeFileSync(file, Buffer.alloc(8_192, 'x'));
  evapi.tell(report('b'));
  await waitFor('the second', () => uids().includes('b'));
  await waitFor('it is seen as broken', () => events.check().detail.includes('broken'));
  rmSync(file);
  spool = fakeSpool(join(directory.path, 'spool'));
  spoolRow(spool, report('c'));
  await waitFor('the third, out of a new spool', () => uids().includes('c'));
  expect(events.check().state).toBe('ok');
});

it('keeps what it cannot read, with the reason and once, and goes on', async () => {
  const wrong = { ...report('w'), state: 'levitating' };
  spoolRow(spool, 'not json');
  spoolRow(spool, wrong);
  spoolRow(spool, { ...report('q'), kind: 'gossip' });
  spoolRow(spool, report('a'));
  await evapi.start();
  events.start();
  await waitFor('evapi is connected', () => events.isUp());
  evapi.tell(wrong);
  evapi.tell(report('b'));
  await waitFor('the last', () => uids().includes('b'));
  expect(uids()).toEqual(['a', 'b']);
  expect(dead().map(({ reason }) => reason)).toEqual([
    'not JSON',
    expect.stringContaining('state') as string,
    expect.stringContaining('kind') as string,
  ]);
  await waitFor('the spool is empty', () => spoolRows(spool) === 0);
});

it('keeps a report that a handler could not take, and hands on those after it', async () => {
  fail = ({ uid }) => {
    if (uid === 'b') throw new Error('a fault of ours');
  };
  for (const uid of ['a', 'b', 'c']) spoolRow(spool, report(uid));
  events.start();
  await waitFor('the last', () => uids().includes('c'));
  expect(uids()).toEqual(['a', 'c']);
  expect(dead()).toMatchObject([{ reason: 'failed: a fault of ours' }]);
  await waitFor('the spool is empty', () => spoolRows(spool) === 0);
});

it('leaves in the spool what it can neither take nor keep, and takes it when it can', async () => {
  fail = () => {
    throw new Error('disk full');
  };
  db.exec('ALTER TABLE dead_reports RENAME TO away');
  for (const uid of ['a', 'b']) spoolRow(spool, report(uid));
  events.start();
  expect(spoolRows(spool)).toBe(2);
  fail = undefined;
  db.exec('ALTER TABLE away RENAME TO dead_reports');
  await waitFor('both', () => uids().length === 2);
  expect(uids()).toEqual(['a', 'b']);
  expect(dead()).toEqual([]);
});

it('takes after a restart what was not deleted before, marked as late', async () => {
  spoolRow(spool, report('a', systemClock.now() - 6_000));
  events.start();
  await events.stop();
  expect(heard).toEqual([{ uid: 'a', late: true }]);
  spoolRow(spool, report('a', systemClock.now() - 6_000));
  events = listen();
  events.start();
  expect(uids()).toEqual(['a', 'a']);
});
