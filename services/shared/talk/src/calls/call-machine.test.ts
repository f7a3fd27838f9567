import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CallContent } from '../content.ts';
import { callStep, idleCalls } from './call-machine.ts';
import type { CallEffect, CallInput, CallState } from './call-types.ts';

const ids = ['00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002'] as const;

/** Devices of two people with a queue from each to each: in order between two devices, in any order among pairs, as the server gives. */
class World {
  readonly devices: Record<
    string,
    { user: string; state: CallState; timers: Map<string, string>; log: CallEffect[] }
  >;
  readonly wires = new Map<string, CallContent[]>();
  at = 0;

  constructor(names: Record<string, string>) {
    this.devices = Object.fromEntries(
      Object.entries(names).map(([name, user]) => [
        name,
        { user, state: idleCalls(user), timers: new Map(), log: [] },
      ]),
    );
  }

  call(name: string) {
    return this.devices[name]!.state.call;
  }

  do(name: string, input: CallInput): void {
    const device = this.devices[name]!;
    this.at += 1;
    const step = callStep(device.state, input);
    device.state = step.state;
    for (const effect of step.effects) this.#effect(name, effect);
  }

  /** Delivers the next message of one wire. @returns false when nothing waits. */
  deliver(pick = 0): boolean {
    const full = [...this.wires].filter(([, queue]) => queue.length > 0);
    const chosen = full[pick % Math.max(1, full.length)];
    if (!chosen) return false;
    const [from, to] = chosen[0].split('>') as [string, string];
    const content = chosen[1].shift()!;
    this.do(to, {
      on: 'message',
      userId: this.devices[from]!.user,
      deviceId: from,
      content,
      at: this.at,
      ageMs: 0,
    });
    return true;
  }

  settle(): void {
    for (let round = 0; round < 500 && this.deliver(); round += 1);
  }

  fire(name: string, timer: 'ring' | 'reach' | 'connect' | 'busy' | 'reconnect'): void {
    const id = this.devices[name]!.timers.get(timer);
    if (id !== undefined) this.do(name, { on: 'timer', id, name: timer, at: this.at });
  }

  #effect(name: string, effect: CallEffect): void {
    const device = this.devices[name]!;
    device.log.push(effect);
    const callId = device.state.call?.id ?? '';
    switch (effect.do) {
      case 'send':
        for (const to of Object.keys(this.devices)) {
          const isMeant = effect.deviceId === null ? to !== name : to === effect.deviceId;
          if (isMeant && this.devices[to]!.user === effect.userId) this.#put(name, to, effect.content);
        }
        return;
      case 'send_others':
        for (const to of Object.keys(this.devices))
          if (to !== effect.exceptDevice && this.devices[to]!.user === effect.userId)
            this.#put(name, to, effect.content);
        return;
      case 'make_offer':
        this.do(name, { on: 'offer_made', id: effect.id, sdp: `offer of ${name}` });
        return;
      case 'make_answer':
        this.do(name, { on: 'answer_made', id: effect.id, sdp: `answer of ${name}` });
        return;
      case 'timer':
        device.timers.set(effect.name, callId);
        return;
      default:
    }
  }

  #put(from: string, to: string, content: CallContent): void {
    const key = `${from}>${to}`;
    this.wires.set(key, [...(this.wires.get(key) ?? []), content]);
  }

  rings(name: string): boolean {
    return this.devices[name]!.log.filter((effect) => effect.do === 'ring').at(-1)?.on ?? false;
  }

  records(name: string) {
    return this.devices[name]!.log.flatMap((effect) => (effect.do === 'record' ? [effect.record] : []));
  }
}

const pair = () => new World({ a1: 'anna', b1: 'bert', b2: 'bert' });
const dial = (world: World, from: string, peerId: string, id: string): void =>
  world.do(from, { on: 'dial', id, peerId, media: 'voice', incidentId: null, at: world.at });

describe('a call', () => {
  it('rings on all devices of the callee and stops on the others when one answers', () => {
    const world = pair();
    dial(world, 'a1', 'bert', ids[0]);
    world.settle();
    expect([world.rings('b1'), world.rings('b2')]).toEqual([true, true]);
    world.do('b1', { on: 'accept', at: world.at });
    world.settle();
    expect([world.rings('b1'), world.rings('b2')]).toEqual([false, false]);
    expect(world.call('a1')).toMatchObject({ phase: 'connecting', peerDevice: 'b1' });
    expect(world.call('b2')).toMatchObject({ phase: 'ended', end: { reason: 'answered_elsewhere' } });
    expect(world.devices['a1']!.log).toContainEqual({ do: 'take_answer', sdp: 'answer of b1' });
    expect(world.records('b2')).toEqual([]);
  });

  it('goes to the first when two devices answer at once; the second is told', () => {
    const world = pair();
    dial(world, 'a1', 'bert', ids[0]);
    world.settle();
    world.do('b1', { on: 'accept', at: world.at });
    world.do('b2', { on: 'accept', at: world.at });
    world.settle();
    const winner = world.call('a1')!.peerDevice!;
    const loser = winner === 'b1' ? 'b2' : 'b1';
    expect(world.call(winner)!.phase).toBe('connecting');
    expect(world.call(loser)).toMatchObject({ phase: 'ended', end: { reason: 'answered_elsewhere' } });
  });

  it('is one call when both dial at once, whoever hears first', () => {
    for (const order of [0, 1]) {
      const world = new World({ a1: 'anna', b1: 'bert' });
      dial(world, 'a1', 'bert', ids[order]!);
      dial(world, 'b1', 'anna', ids[1 - order]!);
      world.settle();
      expect(world.call('a1')).toMatchObject({ id: ids[0], phase: 'connecting' });
      expect(world.call('b1')).toMatchObject({ id: ids[0], phase: 'connecting' });
    }
  });

  it('stops ringing everywhere when the caller gives up, and is missed on both sides', () => {
    const world = pair();
    dial(world, 'a1', 'bert', ids[0]);
    world.settle();
    world.do('a1', { on: 'hang_up', at: world.at });
    world.settle();
    expect([world.rings('b1'), world.rings('b2')]).toEqual([false, false]);
    expect(world.records('a1')).toMatchObject([{ outcome: 'missed', direction: 'out' }]);
    expect(world.records('b1')).toMatchObject([{ outcome: 'missed', direction: 'in' }]);
  });

  it('is declined for all devices by one of them', () => {
    const world = pair();
    dial(world, 'a1', 'bert', ids[0]);
    world.settle();
    world.do('b2', { on: 'hang_up', at: world.at });
    world.settle();
    expect(world.call('a1')).toMatchObject({ phase: 'ended', end: { reason: 'declined' } });
    expect(world.rings('b1')).toBe(false);
  });

  it('tells busy only when no other device rings', () => {
    const world = new World({ a1: 'anna', b1: 'bert', b2: 'bert', c1: 'cleo' });
    dial(world, 'c1', 'bert', ids[0]);
    world.settle();
    world.do('b1', { on: 'accept', at: world.at });
    world.settle();
    world.do('b2', { on: 'dismiss' });
    dial(world, 'a1', 'bert', ids[1]);
    world.settle();
    world.fire('a1', 'busy');
    expect(world.call('a1')).toMatchObject({ phase: 'calling', ringing: ['b2'], busy: ['b1'] });
    world.do('b2', { on: 'accept', at: world.at });
    world.settle();
    expect(world.call('a1')!.phase).toBe('connecting');
  });

  it('that rang while the device was away is a missed call and rings no more', () => {
    const world = pair();
    world.do('b1', {
      on: 'message',
      userId: 'anna',
      deviceId: 'a1',
      content: { t: 'call', act: 'invite', call_id: ids[0], media: 'voice', sdp: 'x', lifetime_ms: 45_000 },
      at: 0,
      ageMs: 60_000,
    });
    expect(world.call('b1')).toBeNull();
    expect(world.records('b1')).toMatchObject([{ outcome: 'missed' }]);
  });

  it('that is answered after it was given up ends at the other side too', () => {
    const world = pair();
    dial(world, 'a1', 'bert', ids[0]);
    world.settle();
    world.do('b1', { on: 'accept', at: world.at });
    world.do('a1', { on: 'hang_up', at: world.at });
    world.settle();
    expect(world.call('b1')!.phase).toBe('ended');
  });

  it('takes nothing from a device that is not in it', () => {
    const world = pair();
    dial(world, 'a1', 'bert', ids[0]);
    world.settle();
    world.do('b1', { on: 'accept', at: world.at });
    world.settle();
    world.do('a1', { on: 'media', id: ids[0], state: 'connected', at: world.at });
    const strays: CallContent[] = [
      { t: 'call', act: 'end', call_id: ids[0], reason: 'hangup' },
      { t: 'call', act: 'negotiate', call_id: ids[0], type: 'offer', sdp: 'evil' },
      { t: 'call', act: 'candidates', call_id: ids[0], candidates: [] },
    ];
    for (const content of strays) {
      const before = world.devices['a1']!.log.length;
      world.do('a1', { on: 'message', userId: 'bert', deviceId: 'b2', content, at: 0, ageMs: 0 });
      world.do('a1', { on: 'message', userId: 'mallory', deviceId: 'b1', content, at: 0, ageMs: 0 });
      expect(world.devices['a1']!.log.length).toBe(before);
    }
    expect(world.call('a1')!.phase).toBe('connected');
  });

  it('restarts ICE when the network goes, and fails after half a minute without it', () => {
    const world = pair();
    dial(world, 'a1', 'bert', ids[0]);
    world.settle();
    world.do('b1', { on: 'accept', at: world.at });
    world.settle();
    world.do('a1', { on: 'media', id: ids[0], state: 'connected', at: 10 });
    world.do('a1', { on: 'media', id: ids[0], state: 'interrupted', at: 20 });
    expect(world.devices['a1']!.log).toContainEqual({ do: 'restart_ice' });
    expect(world.call('a1')!.phase).toBe('reconnecting');
    world.fire('a1', 'reconnect');
    world.settle();
    expect(world.call('a1')).toMatchObject({ phase: 'ended', end: { reason: 'failed' } });
    expect(world.call('b1')!.phase).toBe('ended');
    expect(world.records('a1')).toMatchObject([{ outcome: 'answered' }]);
  });

  it('says what hindered it here, and only "failed" to the other side', () => {
    const world = pair();
    dial(world, 'a1', 'bert', ids[0]);
    world.do('a1', { on: 'broken', id: ids[0], at: 5, because: 'keys_changed' });
    expect(world.call('a1')).toMatchObject({ phase: 'ended', end: { reason: 'keys_changed' } });
    expect(world.records('a1')).toMatchObject([{ outcome: 'failed' }]);
    world.settle();
    expect(world.rings('b1')).toBe(false);
  });

  it('leaves no phone ringing and no two ideas of who talks, whatever the order of things', () => {
    const names = ['a1', 'a2', 'b1', 'b2'] as const;
    const act = fc.record({
      who: fc.constantFrom(...names),
      what: fc.constantFrom('deliver', 'deliver', 'deliver', 'dial', 'accept', 'hang_up', 'dismiss'),
      pick: fc.nat(20),
    });
    fc.assert(
      fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
        const world = new World({ a1: 'anna', a2: 'anna', b1: 'bert', b2: 'bert' });
        let count = 0;
        for (const { who, what, pick } of acts) {
          if (what === 'deliver') world.deliver(pick);
          else if (what === 'dial') {
            count += 1;
            const id = `00000000-0000-4000-8000-${String((pick * 100 + count) % 10_000).padStart(12, '0')}`;
            dial(world, who, who.startsWith('a') ? 'bert' : 'anna', id);
          } else if (what === 'dismiss') world.do(who, { on: 'dismiss' });
          else world.do(who, { on: what, at: world.at });
        }
        world.settle();
        for (const name of names)
          for (const timer of ['busy', 'reach', 'connect', 'ring'] as const) world.fire(name, timer);
        world.settle();
        for (const name of names) {
          const call = world.call(name);
          if (call === null || call.phase === 'ended') expect(world.rings(name)).toBe(false);
          else expect(['connecting', 'connected']).toContain(call.phase);
        }
      }),
      { numRuns: 300 },
    );
  });
});
