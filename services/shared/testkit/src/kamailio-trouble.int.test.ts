/** What goes on while Kamailio, a relay or the plan is gone: calls that are on, new calls, who signed in. */
import { existsSync } from 'node:fs';
import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '@siphera/runtime';
import { connectCall, openSipHouse, pickUp, type SipHouse } from './sip-house.ts';
import { softphoneOffer } from './sip-link.ts';
import { phoneSdp } from './sip-message.ts';
import type { SipDialog, SipPeer } from './sip-peer.ts';
import { tempDir } from './temp-dir.ts';
import { waitFor } from './wait.ts';

let house: SipHouse;

beforeAll(async () => {
  house = await openSipHouse();
});
afterEach(() => house.hangUp());
afterAll(async () => {
  await house[Symbol.asyncDispose]();
});

const mediaPort = (body: string): number => Number(/m=audio (\d+)/.exec(body)?.[1]);

async function hangUp(caller: SipPeer, dialog: SipDialog, called: SipPeer): Promise<void> {
  const bye = caller.within(dialog, 'BYE');
  called.answer(await called.nextRequest('BYE'), 200);
  expect((await bye).status).toBe(200);
}

/** Registrations are written behind. */
const written = () =>
  waitFor('registrations to be on the disk', async () => {
    const dump = JSON.stringify(await house.server.rpc('ul.dump'));
    const inMemory = [...dump.matchAll(/"Address":"([^"]+)"/g)].map(([, contact]) => contact);
    const db = openDatabase(join(house.server.sipDir, 'registrations.sqlite'), { readonly: true });
    try {
      const onDisk = db.prepare<[], string>('SELECT contact FROM location').pluck().all();
      return (
        inMemory.length > 0 &&
        new Set([...inMemory, ...onDisk]).size === onDisk.length &&
        inMemory.length === onDisk.length
      );
    } finally {
      db.close();
    }
  });

describe.each([
  ['restarted', () => house.server.daemon.restart()],
  [
    'killed and started again',
    async () => {
      await written();
      await house.server.crash();
      await house.server.daemon.start();
    },
  ],
] as const)('Kamailio %s', (_, again) => {
  it('lets a call go on and end, and reaches who had signed in', async () => {
    const [caller, called] = [await house.phone('101'), await house.phone('102')];
    const { dialled } = await connectCall(caller, called, '102');
    await again();
    const held = caller.within(dialled, 'INVITE', {
      contentType: 'application/sdp',
      body: phoneSdp('127.0.0.11', 20_000, 'sendonly'),
    });
    const invite = await called.nextRequest('INVITE');
    expect(mediaPort(invite.body)).not.toBe(20_000);
    called.answer(invite, 200, { body: phoneSdp('127.0.0.12', 21_000) });
    expect((await held).status).toBe(200);
    await hangUp(caller, dialled, called);
    await house.server.report({ kind: 'call', call: dialled.callId, state: 'ended' });
    // 102 did not sign in anew.
    const second = await connectCall(caller, called, '102');
    await hangUp(caller, second.dialled, called);
  });
});

describe('the relays', () => {
  const ports = (name: 'a' | 'b') => house.server.relays[name];

  it('stand in for each other, and a call whose relay was lost gets sound again by a re-INVITE', async () => {
    const [caller, called] = [await house.phone('101'), await house.phone('102')];
    const { dialled } = await connectCall(caller, called, '102');
    await ports('a').daemon.kill9();
    for (let made = 0; made < 3; made += 1) {
      const { dialled: other, taken } = await connectCall(caller, called, '102');
      expect(mediaPort(taken.message.body)).not.toBe(20_000);
      await hangUp(caller, other, called);
    }
    await ports('a').daemon.start();
    await ports('b').daemon.restart();
    const again = caller.within(dialled, 'INVITE', {
      contentType: 'application/sdp',
      body: phoneSdp('127.0.0.11', 20_000),
    });
    const invite = await called.nextRequest('INVITE');
    expect(mediaPort(invite.body)).not.toBe(20_000);
    called.answer(invite, 200, { body: phoneSdp('127.0.0.12', 21_000) });
    expect(mediaPort((await again).body)).not.toBe(21_000);
    await hangUp(caller, dialled, called);
  });

  it('both gone: phones talk past them, and a browser is told the nearest phone', async () => {
    const [caller, called] = [await house.phone('103'), await house.phone('102')];
    const one = await house.peer({
      address: '',
      number: '101',
      credentials: house.server.softphone('101'),
      websocket: { url: house.server.wsUrl, origin: 'https://siphera.test' },
    });
    await one.register();
    await Promise.all([ports('a').daemon.kill9(), ports('b').daemon.kill9()]);
    const { dialled, taken } = await connectCall(caller, called, '102');
    expect(mediaPort(taken.message.body)).toBe(20_000);
    expect(mediaPort(dialled.message.body)).toBe(21_000);
    expect(await house.server.report({ call: dialled.callId, state: 'answered' })).toMatchObject({
      relayed: false,
    });
    await hangUp(caller, dialled, called);
    const refused = await one.request('INVITE', {
      uri: 'sip:102@siphera.test',
      contentType: 'application/sdp',
      body: softphoneOffer(),
    });
    expect(refused.status).toBe(503);
    expect(refused.header('x-siphera-nearest-phone')).toBe('104');
    await expect(caller.call('101')).rejects.toThrow(/503/);
    await one.close();
    await Promise.all([ports('a').daemon.start(), ports('b').daemon.start()]);
    await waitFor('a call by a relay again', async () => {
      const next = await connectCall(caller, called, '102');
      await hangUp(caller, next.dialled, called);
      return mediaPort(next.taken.message.body) !== 20_000;
    });
  });
});

describe('the addresses of the machine', () => {
  it('that come with containers change nothing; others wait until no call is being set up', async () => {
    await using dir = await tempDir('sip-ip');
    const list = join(dir.path, 'addresses');
    const has = (...interfaces: string[]) =>
      writeFile(
        list,
        interfaces.map((name, at) => `${at}: ${name} inet 127.0.0.${at + 1}/8 scope global\n`).join(''),
      );
    await has('eth0');
    await writeFile(join(dir.path, 'ip'), `#!/bin/sh\ncat ${list}\n`, { mode: 0o755 });
    await using other = await openSipHouse((plan) => plan, {
      env: { SIP_ADDRESSES: '', PATH: `${dir.path}:${process.env['PATH'] ?? ''}` },
    });
    const listens = async () => JSON.stringify(await other.server.rpc('core.psx')).includes('127.0.0.3:');
    const [caller, called] = [await other.phone('101'), await other.phone('102')];
    await has('eth0', 'docker0');
    const call = caller.call('102');
    const invite = await called.nextRequest('INVITE');
    called.answer(invite, 180);
    await has('eth0', 'docker0', 'eth1');
    await waitFor('run.sh to wait', () => other.server.daemon.logs().includes('waiting'));
    expect(await listens()).toBe(false);
    await pickUp(called, invite);
    const dialog = await call;
    await waitFor('Kamailio to listen there, too', listens);
    expect(JSON.stringify(await other.server.rpc('core.psx'))).not.toContain('127.0.0.2:');
    await hangUp(caller, dialog, called);
  });
});

describe('a plan', () => {
  it('that is damaged is put aside for the one that worked last', async () => {
    await house.server.daemon.restart();
    await house.server.daemon.stop();
    await writeFile(join(house.server.sipDir, 'plan', 'plan.sqlite'), 'not a database');
    await house.server.daemon.start();
    const [caller, called] = [await house.phone('101'), await house.phone('102')];
    const call = caller.call('102');
    await pickUp(called);
    expect((await call).message.status).toBe(200);
    // It has passwords.
    await waitFor(
      'the damaged one to be deleted',
      () => !existsSync(join(house.server.sipDir, 'plan', 'plan.sqlite.damaged')),
    );
  });

  it('that is missing altogether leaves a Kamailio that answers, and takes the next one', async () => {
    await house.server.daemon.stop();
    for (const name of [
      'plan/plan.sqlite',
      'plan/last-good/plan.sqlite',
      'registrations.sqlite',
      'spool/events.sqlite',
    ])
      await copyFile('/dev/null', join(house.server.sipDir, name));
    await writeFile(join(house.server.sipDir, 'registrations.sqlite'), 'no database either');
    await house.server.daemon.start();
    const stranger = await house.peer({ address: '127.0.0.70', number: '101' });
    expect((await stranger.request('INVITE', { uri: 'sip:102@siphera.test' })).status).toBe(407);
    await house.server.plan(house.plan);
    await house.phone('102');
    await house.server.report({ kind: 'registration', number: '102', state: 'registered' });
  });
});
