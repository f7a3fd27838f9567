/** Door stations: what core is told of visitors, and who opens the door how. */
import { internalPaths } from '@siphera/contract';
import { systemClock, systemRandom } from '@siphera/runtime';
import { fakeClock, waitFor, type FakeClock } from '@siphera/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { camera, counted, door, startCallsRig, station, type CallsRig } from './testing/calls-rig.ts';

let rig: CallsRig;
afterEach(() => rig.stop());

const gate = { direction: 'internal', from: '3001', dialled: '4000', to: '4000' };

describe('a visitor', () => {
  // Visits are minutes apart, so the clock is told what time it is.
  let clock: FakeClock;
  beforeEach(async () => {
    clock = fakeClock(systemClock.now());
    rig = await startCallsRig({ clock });
  });
  const unanswered = (call: string, more: Record<string, unknown> = { code: 480 }): void => {
    rig.doorCall(call);
    clock.advance(20_000);
    rig.step(call, 'failed', { ...gate, ...more });
  };
  const told = async (called: number, missed: number): Promise<void> => {
    await waitFor('what core is told', () => rig.events('intercom.called').length === called);
    expect(rig.events('intercom.missed')).toHaveLength(missed);
  };

  it('is told to core when he rings, with the station as device', async () => {
    rig.doorCall('a', '2001');
    rig.step('a', 'ended', gate);
    await told(1, 0);
    expect(rig.events('intercom.called')).toMatchObject([
      {
        subject: station,
        source: expect.stringContaining('sip-bridge/door/') as string,
        data: { door_id: door, camera_id: camera, note: 'Main gate (3001) called Guards (4000)' },
      },
    ]);
  });

  it('is missed once a visit, whether nobody answered, all declined, or he gave up', async () => {
    unanswered('a');
    clock.advance(30_000);
    unanswered('b', { code: 603 });
    clock.advance(61_000);
    unanswered('c', { code: 487 });
    await waitFor('both', () => rig.events('intercom.missed').length === 2);
    await told(3, 2);
    expect(rig.events('intercom.missed')).toMatchObject([
      { subject: station, data: { reason: 'Nobody answered.' } },
      { subject: station, data: { reason: 'The caller hung up before anybody answered.' } },
    ]);
  });

  it('is missed when no phone was there to ring, and told with its time after the bridge was down', async () => {
    const atMs = clock.now() - 600_000;
    rig.step('a', 'dialled', { ...gate, at_ms: atMs });
    rig.step('a', 'failed', { ...gate, code: 480, at_ms: atMs });
    await waitFor('he is missed', () => rig.events('intercom.missed').length === 1);
    await told(1, 1);
    expect(rig.core.events.map(({ time }) => Date.parse(time ?? ''))).toEqual([atMs, atMs]);
  });

  it('is nobody when the station is called, or dials what it may not', async () => {
    rig.step('a', 'dialled', { ...gate, from: '2001', dialled: '3001', to: '3001' });
    rig.step('a', 'failed', { ...gate, from: '2001', to: '3001', code: 480 });
    rig.step('b', 'refused', { ...gate, dialled: '0900', to: '+1900', code: 403 });
    rig.doorCall('c', '2001');
    await told(1, 0);
  });

  it('is told once, though the report comes again after a crash', async () => {
    const report = {
      v: 1,
      uid: 'u',
      kind: 'call',
      call: 'a',
      state: 'ringing',
      at_ms: clock.now(),
      ...gate,
    } as const;
    rig.kamailio.report(report);
    await rig.restart();
    rig.kamailio.report(report);
    unanswered('b');
    await told(2, 1);
  });
});

describe('the door', () => {
  beforeEach(async () => {
    rig = await startCallsRig();
  });
  const press = (event: number, more: Record<string, unknown> = {}): Promise<void> =>
    rig.relayDigit({ callid: 'a', source_tag: 'guard-tag', source_ip: '10.0.0.5', event, ...more });
  const openings = async () => (await rig.board()).find(({ call_id: id }) => id === 'a')?.openings;

  it('opens by button for whom core lets, once in two seconds, and the call tells it', async () => {
    rig.doorCall('a');
    const [call] = await rig.board();
    const open = () =>
      rig.rest('POST', `/sip/calls/${call?.id}/open-door`, undefined, {
        as: 'guard',
        name: 'Ada',
        sub: rig.ada.id,
      });
    const first = await open();
    expect(first.status).toBe(202);
    expect(await open()).toEqual(first);
    expect(rig.commands()).toMatchObject([
      {
        device_id: door,
        name: 'unlock',
        args: { seconds: 7 },
        actor: { kind: 'user', id: rig.ada.id, name: 'Ada' },
        reason: 'By button in the call of Main gate (3001)',
      },
    ]);
    expect(await openings()).toMatchObject([{ by: 'Ada', how: 'button', ok: true }]);
  });

  it('stays shut when core refuses, when the call is over, has no door, or is another house’s', async () => {
    rig.core.answers.delete(internalPaths.command);
    rig.core.unknownPathCode = 'forbidden';
    rig.doorCall('a');
    rig.step('plain', 'dialled', { direction: 'internal', from: '2001', dialled: '2002', to: '2002' });
    const calls = await rig.board();
    const open = (callId: string, asked = {}) =>
      rig.rest(
        'POST',
        `/sip/calls/${calls.find(({ call_id: id }) => id === callId)?.id}/open-door`,
        undefined,
        asked,
      );
    expect(await open('a')).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    expect(await openings()).toMatchObject([{ ok: false, detail: 'forbidden' }]);
    expect((await open('plain')).status).toBe(422);
    expect((await open('a', { org: systemRandom.uuid() })).status).toBe(404);
    expect((await open('a', { as: 'viewer' })).status).toBe(403);
    const commands = rig.commands().length;
    expect((await open('a', { kind: 'service' })).status).toBe(403);
    expect(rig.commands()).toHaveLength(commands);
    rig.step('a', 'ended', gate);
    expect((await open('a')).status).toBe(409);
  });

  it('opens by the key of the user who answered, with his rights', async () => {
    rig.doorCall('a', '2001');
    await press(9);
    await waitFor('the command', () => rig.commands().length === 1);
    expect(rig.commands()).toMatchObject([
      { device_id: door, actor: { kind: 'user', id: rig.ada.id, name: 'Ada', grants: rig.ada.grants } },
    ]);
    await waitFor('it is told', async () => (await openings())?.length === 1);
    expect(await openings()).toMatchObject([{ by: 'Ada', how: 'digit', ok: true }]);
  });

  it('opens by the key of a desk phone, which may open that door alone', async () => {
    rig.doorCall('a', '2100');
    await press(9);
    await waitFor('the command', () => rig.commands().length === 1);
    expect(rig.commands()).toMatchObject([
      {
        actor: {
          kind: 'service',
          name: 'Phone 2100 (Reception)',
          grants: [{ permissions: ['device.command'], scope: `device:${door}` }],
        },
      },
    ]);
  });

  it('never opens by a desk phone that the station does not ring, though it calls the station or is called by it', async () => {
    rig.book.put({ number: '2101', kind: 'phone', name: 'Lobby' });
    const call = { direction: 'internal', from: '2101', dialled: '3001', to: '3001', source: '10.0.0.5' };
    rig.step('a', 'dialled', call);
    rig.step('a', 'answered', {
      ...call,
      by: '3001',
      to_source: '10.0.0.9',
      from_tag: 'guard-tag',
      to_tag: 'door-tag',
    });
    await press(9);
    await counted(rig, 'digits_total', 'nobody');
    rig.doorCall('b', '2101');
    await press(9, { callid: 'b' });
    await counted(rig, 'digits_total', 'nobody', 2);
    expect(rig.commands()).toEqual([]);
    // Where nobody of the group answers it rings: it is one of the guards' phones then.
    rig.book.put({ number: '4000', kind: 'group', name: 'Guards', members: ['2001'], fallback: '2101' });
    await press(9, { callid: 'b' });
    await waitFor('the command', () => rig.commands().length === 1);
  });

  it('hears no key of a phone any more after ten wrong ones in an hour, in whichever calls, and that is told', async () => {
    for (const [index, callid] of ['a', 'b'].entries()) {
      rig.doorCall(callid, '2100');
      for (let count = 0; count < 5; count += 1) await press(3, { callid });
      await counted(rig, 'digits_total', 'shut', index + 1);
    }
    rig.doorCall('c', '2100');
    await press(9, { callid: 'c' });
    await counted(rig, 'digits_total', 'ignored');
    expect(rig.commands()).toEqual([]);
    expect((await rig.board()).find(({ call_id: id }) => id === 'b')?.openings).toMatchObject([
      { ok: false, detail: expect.stringContaining('10 wrong keys of this phone within an hour') as string },
    ]);
    // Others are not hindered.
    rig.doorCall('d', '2001');
    await press(9, { callid: 'd' });
    await waitFor('the command', () => rig.commands().length === 1);
  });

  it('opens by SIP INFO of who answered, and by a key of who called the station', async () => {
    rig.doorCall('a', '2001');
    const info = { kind: 'digit', call: 'a', digit: '9', at_ms: systemClock.now(), from: '4000' } as const;
    rig.kamailio.report({ ...info, from_tag: 'guard-tag', source: '10.0.0.5' });
    await waitFor('the command', () => rig.commands().length === 1);
    const back = { direction: 'internal', from: '2002', dialled: '3001', to: '3001', source: '10.0.0.6' };
    rig.step('back', 'dialled', back);
    rig.step('back', 'answered', {
      ...back,
      by: '3001',
      to_source: '10.0.0.9',
      from_tag: 'bob-tag',
      to_tag: 'door-tag',
    });
    await press(9, { callid: 'back', source_tag: 'bob-tag', source_ip: '10.0.0.6' });
    await waitFor('the second', () => rig.commands().length === 2);
    expect(rig.commands()[1]).toMatchObject({ actor: { name: 'Bob' } });
  });

  it('never opens by a key of its own side, whatever tag it claims', async () => {
    rig.doorCall('a', '2001');
    await press(9, { source_tag: 'door-tag', source_ip: '10.0.0.9' });
    await press(9, { source_ip: '10.0.0.9' });
    // Somebody else in the network, to the port at which the relay hears the guard.
    await press(9, { source_ip: '10.0.0.66' });
    const info = { kind: 'digit', call: 'a', digit: '9', at_ms: systemClock.now() } as const;
    rig.kamailio.report({ ...info, from_tag: 'guard-tag', source: '10.0.0.9' });
    rig.kamailio.report({ ...info, from_tag: 'door-tag', source: '10.0.0.9' });
    rig.kamailio.report({ ...info, from: '4000' });
    await counted(rig, 'digits_total', 'not_ours', 6);
    expect(rig.commands()).toEqual([]);
  });

  it('never opens before an answer, by somebody outside, by a person who left, or by a key of a while ago', async () => {
    rig.doorCall('a');
    await press(9);
    await counted(rig, 'digits_total', 'not_ours');
    rig.step('a', 'answered', {
      ...gate,
      source: '10.0.0.9',
      by: '+15550177',
      to_source: '10.0.0.5',
      from_tag: 'door-tag',
      to_tag: 'guard-tag',
    });
    await press(9);
    await counted(rig, 'digits_total', 'nobody');
    rig.core.directory.changePerson(rig.ada.id, { active: false, grants: [] });
    await waitFor('he has left', () => rig.bridge.ground.people.get(rig.ada.id)?.active === false);
    rig.doorCall('b', '2001');
    await press(9, { callid: 'b' });
    await counted(rig, 'digits_total', 'nobody', 2);
    rig.doorCall('c', '2002');
    const info = { kind: 'digit', call: 'c', digit: '9', at_ms: systemClock.now() } as const;
    rig.kamailio.report({ ...info, from_tag: 'guard-tag', source: '10.0.0.5' }, true);
    expect(rig.commands()).toEqual([]);
  });

  it('hears no key any more after five wrong ones, and that is told and audited', async () => {
    rig.doorCall('a', '2001');
    for (let count = 0; count < 5; count += 1) await press(3);
    await counted(rig, 'digits_total', 'shut');
    await press(9);
    await counted(rig, 'digits_total', 'ignored');
    expect(rig.commands()).toEqual([]);
    expect(await openings()).toMatchObject([
      { ok: false, detail: expect.stringContaining('5 wrong keys') as string },
    ]);
    await waitFor('the audit row', () =>
      rig.core.audits.some(({ action }) => action === 'phone.door_keys_refused'),
    );
  });

  it('takes no key from what is no report of a relay', async () => {
    rig.doorCall('a', '2001');
    await rig.relayDigit('not json');
    await rig.relayDigit({ callid: 'a', source_tag: 'guard-tag', event: 99 });
    await rig.relayDigit({ callid: 'a', event: 9 });
    await rig.relayDigit('x'.repeat(9_000));
    await counted(rig, 'relay_digits_total', 'unreadable', 4);
    await press(9);
    await waitFor('the command', () => rig.commands().length === 1);
  });
});
