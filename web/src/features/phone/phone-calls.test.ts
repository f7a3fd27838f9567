import { beforeEach, describe, expect, it } from 'vitest';
import type { LineCall } from './line-types.ts';
import { PhoneCalls, type CallSound } from './phone-calls.ts';
import { anEnd, fakeAgents, type FakeAgent } from './testing/fake-agent.ts';
import { FakeClock, settled } from './testing/fake-clock.ts';

const aStream = (): MediaStream =>
  ({ getAudioTracks: () => [{}], getTracks: () => [] }) as unknown as MediaStream;

let clock: FakeClock;
let calls: PhoneCalls;
let agent: FakeAgent;
let sounds: CallSound[];
let missed: LineCall[];
let letGo: number;
let hasMicrophone: boolean;

beforeEach(() => {
  clock = new FakeClock();
  sounds = [];
  missed = [];
  letGo = 0;
  hasMicrophone = true;
  let ids = 0;
  calls = new PhoneCalls({
    now: clock.now,
    after: clock.after,
    randomUuid: () => `id-${String((ids += 1))}`,
    microphone: () => Promise.resolve(hasMicrophone ? aStream() : undefined),
    silence: aStream,
    letGo: (stream) => {
      if (stream) letGo += 1;
    },
    speaker: () => ({
      play: () => undefined,
      silence: () => undefined,
      stop: () => undefined,
      choose: () => undefined,
    }),
    sound: (kind) => sounds.push(kind),
    isEmergency: (number) => number === '911',
    changed: () => undefined,
    missed: (call) => missed.push(call),
  });
  const agents = fakeAgents();
  agents.make(
    { uri: 'sip:201@box', url: 'wss://box/sip', displayName: 'Anna', login: undefined },
    {
      connected: () => undefined,
      registered: () => undefined,
      message: () => undefined,
      incoming: (call) => calls.ring(call),
    },
  );
  [agent] = agents.made as [FakeAgent];
  calls.use(agent);
});

async function talkTo(number: string): Promise<string> {
  await calls.run({ act: 'dial', number, name: '' });
  agent.calls.at(-1)?.events?.answered();
  return calls.views.at(-1)?.id ?? '';
}

describe('calls of the softphone', () => {
  it('rings out, talks, and lets go of the microphone when it is over', async () => {
    await calls.run({ act: 'dial', number: '202', name: 'Bert' });
    expect(calls.views[0]).toMatchObject({ phase: 'dialling', number: '202', name: 'Bert' });
    agent.calls[0]?.events?.progress(false);
    expect(sounds.at(-1)).toBe('ringback');
    agent.calls[0]?.events?.answered();
    expect(calls.views[0]).toMatchObject({ phase: 'connected', callId: 'call-1', connectedAt: clock.now() });
    expect(sounds.at(-1)).toBe('none');
    agent.calls[0]?.events?.ended(anEnd());
    expect(calls.views[0]).toMatchObject({ phase: 'ended', end: { word: 'hangup' } });
    expect(letGo).toBe(1);
    await clock.pass(10_000);
    expect(calls.views).toEqual([]);
  });

  it('plays no ringback of its own over early media', async () => {
    await calls.run({ act: 'dial', number: '5550100', name: '' });
    agent.calls[0]?.events?.progress(true);
    expect(calls.views[0]).toMatchObject({ phase: 'ringing', early: true });
    expect(sounds).not.toContain('ringback');
  });

  it('holds the first call when a second is answered, and knocks instead of ringing', async () => {
    const first = await talkTo('202');
    const second = agent.ring('203', 'Cleo');
    expect(sounds.at(-1)).toBe('knock');
    const id = calls.views[1]?.id ?? '';
    await calls.run({ act: 'answer', id });
    expect(agent.calls[0]?.asked).toEqual(['hold']);
    expect(second.asked).toEqual(['answer']);
    expect(calls.views).toMatchObject([
      { id: first, held: true },
      { id, phase: 'connected', held: false },
    ]);
    // Going back to the first holds the second.
    await calls.run({ act: 'hold', id: first, on: false });
    expect(second.asked).toEqual(['answer', 'hold']);
    expect(calls.views[0]).toMatchObject({ held: false });
  });

  it('answers without a microphone and says that nobody hears', async () => {
    hasMicrophone = false;
    const call = agent.ring('202');
    await calls.run({ act: 'answer', id: calls.views[0]?.id ?? '' });
    expect(call.asked).toEqual(['answer']);
    expect(calls.views[0]).toMatchObject({ phase: 'connected', unheard: true });
  });

  it('counts as missed what nobody took, and not what was answered elsewhere or declined', () => {
    agent.ring('202').events?.ended(anEnd({ reason: 'Canceled' }));
    agent.ring('203').events?.ended(anEnd({ cause: 200 }));
    const declined = agent.ring('204');
    void calls.run({ act: 'hang_up', id: calls.views.at(-1)?.id ?? '' });
    expect(declined.asked).toEqual(['refuse 603']);
    expect(missed.map(({ number }) => number)).toEqual(['202']);
    expect(calls.views.map(({ end }) => end?.word)).toEqual(['missed', 'hangup']);
  });

  it('is busy for a fifth call', () => {
    for (const number of ['202', '203', '204', '205']) agent.ring(number);
    expect(agent.ring('206').asked).toEqual(['refuse 486']);
    expect(calls.views).toHaveLength(4);
  });

  it('hangs up after a transfer that was taken, and keeps the call that nobody took', async () => {
    const id = await talkTo('202');
    const [call] = agent.calls;
    if (!call) throw new Error('no call');
    call.transferOutcome = { ok: false, reason: 'Busy' };
    await calls.run({ act: 'transfer', id, number: '203' });
    expect(calls.views[0]).toMatchObject({ phase: 'connected', transfer: 'refused' });
    call.transferOutcome = { ok: true, reason: '' };
    await calls.run({ act: 'transfer', id, number: '204' });
    expect(call.asked).toEqual(['transfer 203', 'transfer 204', 'hang up']);
    expect(calls.views[0]).toMatchObject({ phase: 'ended' });
  });

  it('follows to whom it is given, and to no emergency number', async () => {
    await talkTo('202');
    const [call] = agent.calls;
    const asked: string[] = [];
    const give = (number: string): void =>
      call?.events?.transferred({
        number,
        take: (stream, events) => {
          asked.push(`call ${number}`);
          return agent.call({ number, stream, headers: [], events });
        },
        refuse: () => asked.push(`refuse ${number}`),
      });
    give('911');
    give('203');
    await settled();
    expect(asked).toEqual(['refuse 911', 'call 203']);
    agent.calls[1]?.events?.answered();
    call?.events?.ended(anEnd());
    expect(calls.views).toMatchObject([
      { number: '202', phase: 'ended' },
      { number: '203', phase: 'connected', callId: 'call-2' },
    ]);
  });

  it('keeps the words of who refused a call', async () => {
    await calls.run({ act: 'dial', number: '19005550100', name: '' });
    agent.calls[0]?.events?.ended(anEnd({ code: 403, reason: 'Your role may not dial premium numbers' }));
    expect(calls.views[0]?.end).toMatchObject({
      word: 'refused',
      reason: 'Your role may not dial premium numbers',
    });
  });

  it('hangs up a call that was hung up before the microphone was there', async () => {
    const dialling = calls.run({ act: 'dial', number: '202', name: '' });
    await settled();
    void calls.run({ act: 'hang_up', id: calls.views[0]?.id ?? '' });
    await dialling;
    expect(calls.views[0]).toMatchObject({ phase: 'ended' });
  });
});
