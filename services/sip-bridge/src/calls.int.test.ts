/** Calls as Kamailio reports them, up to what people see of them. */
import { systemRandom } from '@siphera/runtime';
import { waitFor } from '@siphera/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { office, testOrg, testSite, yard } from './testing/bridge-rig.ts';
import { camera, door, startCallsRig, type CallsRig } from './testing/calls-rig.ts';

let rig: CallsRig;
beforeEach(async () => {
  rig = await startCallsRig();
});
afterEach(() => rig.stop());

const leg = { direction: 'internal', from: '2001', dialled: '2002', to: '2002' };

describe('the board', () => {
  it('shows a call while it goes on, with names, and the history when it is over', async () => {
    rig.step('a', 'dialled', leg);
    expect(await rig.board()).toMatchObject([
      {
        call_id: 'a',
        state: 'ringing',
        from: { number: '2001', name: 'Ada', user_id: rig.ada.id },
        to: { number: '2002', name: 'Bob', user_id: rig.bob.id },
        outcome: null,
      },
    ]);
    rig.step('a', 'answered', { ...leg, by: '2002' });
    rig.step('a', 'held', { from: '2002' });
    expect(await rig.board()).toMatchObject([
      { state: 'held', answered_by: '2002', from: { number: '2001' } },
    ]);
    rig.step('a', 'ended', { from: '2002' });
    expect(await rig.board()).toEqual([]);
    expect(await rig.calls()).toMatchObject([
      { call_id: 'a', state: 'ended', outcome: 'answered', reason: null },
    ]);
  });

  it('shows the door and the camera of a station that calls, and of one that is called', async () => {
    rig.doorCall('a');
    rig.step('b', 'dialled', { ...leg, dialled: '3001', to: '3001' });
    const board = await rig.board();
    expect(board).toHaveLength(2);
    for (const call of board) expect(call).toMatchObject({ door_id: door, camera_id: camera });
  });

  it('takes a number that a trunk names for no number of the house', async () => {
    const trunk = rig.book.addTrunk('Provider');
    rig.step('a', 'dialled', {
      direction: 'inbound',
      from: '3001',
      from_name: 'Not\u0007 the gate',
      dialled: '+15550100',
      to: '2001',
      trunk: trunk.id,
    });
    expect(await rig.board()).toMatchObject([
      {
        from: { number: '3001', name: 'Not the gate', user_id: null },
        to: { name: 'Ada' },
        trunk_id: trunk.id,
        trunk_name: 'Provider',
        door_id: null,
      },
    ]);
  });

  it('goes on after a restart, and a report that comes twice changes nothing', async () => {
    rig.step('a', 'dialled', leg);
    const [before] = await rig.board();
    await rig.restart();
    expect(await rig.board()).toEqual([before]);
    const answered = { v: 1, uid: 'same', kind: 'call', call: 'a', state: 'answered', at_ms: 10, by: '2002' };
    rig.kamailio.report(answered as never);
    rig.kamailio.report(answered as never);
    expect(await rig.board()).toHaveLength(1);
  });

  it('ends a call by Kamailio, audited; not an emergency call, nor one of elsewhere', async () => {
    const dialog = (id: string, state: number, number: number) => ({
      h_entry: 7,
      h_id: number,
      'call-id': id,
      state,
    });
    rig.kamailio.answers.set('dlg.list', () => [dialog('a', 5, 1), dialog('a', 4, 2), dialog('c', 2, 3)]);
    rig.step('a', 'dialled', leg);
    rig.kamailio.report({
      kind: 'emergency',
      call: 'e',
      mode: 'emergency',
      state: 'dialled',
      from: '2001',
      dialled: '911',
      number: '911',
      at_ms: 5,
    });
    const [call, emergency] = (await rig.board()).toSorted((x) => (x.direction === 'internal' ? -1 : 1));
    const end = (id: string | undefined, asked = {}) =>
      rig.rest('POST', `/sip/calls/${id}/end`, undefined, asked);
    expect((await end(emergency?.id)).status).toBe(409);
    expect((await end(call?.id, { as: 'guard' })).status).toBe(403);
    expect((await end(call?.id, { org: systemRandom.uuid() })).status).toBe(404);
    expect((await end(call?.id)).status).toBe(204);
    expect(rig.kamailio.count('dlg.end_dlg', [7, 2])).toBe(1);
    rig.step('a', 'ended', leg);
    expect(await rig.board()).toMatchObject([{ call_id: 'e', direction: 'emergency' }]);
    expect((await end(call?.id)).status).toBe(409);
    await waitFor('the audit row', () => rig.core.audits.some(({ action }) => action === 'phone.call_ended'));
    for (const id of ['c', 'unknown']) rig.step(id, 'dialled', leg);
    const others = (await rig.board()).filter(({ direction }) => direction === 'internal');
    // One rings, one is of before Kamailio's start.
    for (const { id } of others) expect((await end(id)).status).toBe(409);
    rig.kamailio.down = true;
    expect((await end(others[0]?.id)).status).toBe(503);
  });
});

describe('the history', () => {
  const failed = (call: string, more: Record<string, unknown>): void => {
    rig.step(call, 'dialled', more);
    rig.step(call, 'ringing', more);
    rig.step(call, 'failed', { ...more, code: 480 });
  };
  const own = (person: { id: string }) => ({ as: 'guard' as const, sub: person.id });

  it('is one’s own: called, was called, rang in a group; missed is what others dialled', async () => {
    failed('mine', leg);
    failed('group', { direction: 'inbound', from: '+15550199', dialled: '+15550100', to: '4000' });
    failed('desk', { direction: 'inbound', from: '+15550199', dialled: '+15550101', to: '2100' });
    const ids = async (query: string, asked: object): Promise<string[]> =>
      (await rig.calls(query, asked)).map(({ call_id: id }) => id).toSorted();
    expect(await ids('of=mine', own(rig.ada))).toEqual(['group', 'mine']);
    expect(await ids('outcome=missed', own(rig.ada))).toEqual(['group']);
    expect(await ids('outcome=missed', own(rig.bob))).toEqual(['group', 'mine']);
    expect(await ids('of=all', own(rig.bob))).toEqual(['desk', 'group', 'mine']);
    expect(await ids('outcome=answered', own(rig.ada))).toEqual([]);
  });

  it('comes page by page, each call once, and by time', async () => {
    for (let index = 0; index < 7; index += 1)
      rig.step(`c${index}`, 'refused', { ...leg, at_ms: 1_000 + 10 * Math.floor(index / 2), code: 403 });
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const { body } = await rig.rest('GET', `/sip/calls?of=all&limit=3${cursor ? `&cursor=${cursor}` : ''}`);
      const page = body as { items: { call_id: string }[]; next_cursor?: string };
      seen.push(...page.items.map(({ call_id: id }) => id));
      cursor = page.next_cursor;
    } while (cursor);
    expect(seen).toHaveLength(7);
    expect(new Set(seen).size).toBe(7);
    expect(seen[0]).toBe('c6');
    const part = await rig.calls('of=all&from=1970-01-01T00:00:01.010Z&to=1970-01-01T00:00:01.020Z');
    expect(part.map(({ call_id: id }) => id).toSorted()).toEqual(['c2', 'c3', 'c4', 'c5']);
    expect((await rig.rest('GET', '/sip/calls?cursor=nonsense')).status).toBe(400);
  });

  it('is for who may read phones where the call took place', async () => {
    rig.step('office', 'dialled', { ...leg, from: '2100', to: '2100' });
    rig.step('yard', 'dialled', { ...leg, from: '3001', to: '3001' });
    const seenIn = async (scope: string): Promise<string[]> =>
      (await rig.calls('of=all', { as: [{ permissions: ['phone.use', 'phone.read'], scope }] })).map(
        ({ call_id: id }) => id,
      );
    expect(await seenIn(`area:${office}`)).toEqual(['office']);
    expect(await seenIn(`area:${yard}`)).toEqual(['yard']);
    expect((await seenIn(`site:${testSite}`)).toSorted()).toEqual(['office', 'yard']);
    const using = [{ permissions: ['phone.use' as const], scope: `org:${testOrg}` }];
    expect((await rig.rest('GET', '/sip/calls?of=all', undefined, { as: using })).status).toBe(403);
    expect((await rig.rest('GET', '/sip/board', undefined, { as: using })).status).toBe(403);
    expect((await rig.rest('GET', '/sip/calls?of=mine', undefined, { as: using })).status).toBe(200);
    expect(await rig.calls('of=all', { org: systemRandom.uuid() })).toEqual([]);
  });
});
