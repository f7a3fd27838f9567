import { beforeEach, describe, expect, it } from 'vitest';
import { anEnd, fakeAgents, type FakeAgent } from '#features/phone/testing/fake-agent.ts';
import { FakeClock } from '#features/phone/testing/fake-clock.ts';
import { EmergencyCall } from './emergency-call.ts';

const aStream = (): MediaStream =>
  ({ getAudioTracks: () => [{}], getTracks: () => [] }) as unknown as MediaStream;
const place = '0198c0de-0000-7000-8000-000000000001';

let clock: FakeClock;
let agents: ReturnType<typeof fakeAgents>;
let sounds: string[];
let microphone: () => Promise<MediaStream | undefined>;

beforeEach(() => {
  clock = new FakeClock();
  agents = fakeAgents();
  sounds = [];
  microphone = () => Promise.resolve(aStream());
});

async function open(caller?: { number: string; name: string }): Promise<[EmergencyCall, FakeAgent]> {
  const call = new EmergencyCall(
    {
      makeAgent: agents.load,
      now: clock.now,
      after: clock.after,
      microphone: () => microphone(),
      silence: aStream,
      letGo: () => undefined,
      speaker: { play: () => undefined, stop: () => undefined },
      sound: (kind) => sounds.push(kind),
    },
    { url: 'wss://box.example/sip', domain: 'box.example', caller },
  );
  await call.open();
  const [agent] = agents.made as [FakeAgent];
  return [call, agent];
}

describe('an emergency call', () => {
  it('goes out without a sign-in, with the place in it', async () => {
    const [call, agent] = await open();
    expect(agent.account).toMatchObject({ uri: 'sip:anonymous@box.example', login: undefined });
    agent.events.connected(true);
    expect(agent.orders).toEqual([]);
    call.dial('911', place);
    await clock.pass(0);
    expect(agent.orders[0]).toMatchObject({ number: '911', headers: [`X-Siphera-Location: ${place}`] });
    agent.calls[0]?.events?.progress(false);
    expect(call.view.value.phase).toBe('ringing');
    agent.calls[0]?.events?.answered();
    expect(call.view.value).toMatchObject({ phase: 'connected', unheard: false, connectedAt: clock.now() });
  });

  it('names the number of who sits here, and no place that nobody chose', async () => {
    const [call, agent] = await open({ number: '201', name: 'Anna' });
    agent.events.connected(true);
    call.dial('112', null);
    await clock.pass(0);
    expect(agent.account).toMatchObject({ uri: 'sip:201@box.example', displayName: 'Anna' });
    expect(agent.orders[0]?.headers).toEqual([]);
  });

  it('waits for no answer to the question for the microphone, and takes one that comes late', async () => {
    const late = Promise.withResolvers<MediaStream | undefined>();
    microphone = () => late.promise;
    const [call, agent] = await open();
    agent.events.connected(true);
    call.dial('911', null);
    await clock.pass(2_000);
    expect(agent.orders[0]?.stream).toBeDefined();
    expect(call.view.value).toMatchObject({ phase: 'dialling', unheard: true });
    late.resolve(aStream());
    await clock.pass(0);
    expect(agent.calls[0]?.asked).toEqual(['another microphone']);
    expect(call.view.value.unheard).toBe(false);
  });

  it('goes without a microphone, and says so', async () => {
    microphone = () => Promise.resolve(undefined);
    const [call, agent] = await open();
    agent.events.connected(true);
    call.dial('911', null);
    await clock.pass(0);
    expect(agent.orders[0]?.stream).toBeDefined();
    expect(call.view.value.unheard).toBe(true);
    call.hangUp();
    call.dial('911', null);
    await clock.pass(0);
    expect(call.view.value.unheard).toBe(true);
  });

  it('is made as soon as the way to the box is there', async () => {
    const [call, agent] = await open();
    call.dial('911', null);
    await clock.pass(30_000);
    expect(call.view.value.phase).toBe('connecting');
    agent.events.connected(true);
    await clock.pass(0);
    expect(agent.orders).toHaveLength(1);
  });

  it('is tried again when the switch cannot now, and names the nearest phone meanwhile', async () => {
    const [call, agent] = await open();
    agent.events.connected(true);
    call.dial('911', null);
    await clock.pass(0);
    agent.calls[0]?.events?.ended(anEnd({ code: 503, nearestPhone: '205' }));
    expect(call.view.value).toMatchObject({ phase: 'connecting', nearestPhone: '205' });
    await clock.pass(2_000);
    expect(agent.orders).toHaveLength(2);
    agent.calls[1]?.events?.answered();
    expect(call.view.value).toMatchObject({ phase: 'connected', nearestPhone: null });
  });

  it('ends in words after some tries, and can be made again at once', async () => {
    const [call, agent] = await open();
    agent.events.connected(true);
    call.dial('911', null);
    for (let turn = 0; turn < 4; turn += 1) {
      await clock.pass(2_000);
      agent.calls.at(-1)?.events?.ended(anEnd({ code: 503, nearestPhone: '205' }));
    }
    expect(call.view.value).toMatchObject({ phase: 'ended', nearestPhone: '205', end: { code: 503 } });
    call.dial('911', null);
    await clock.pass(0);
    expect(agent.orders).toHaveLength(5);
  });

  it('is not repeated after it was answered, refused or hung up', async () => {
    const [call, agent] = await open();
    agent.events.connected(true);
    call.dial('911', null);
    await clock.pass(0);
    agent.calls[0]?.events?.answered();
    agent.calls[0]?.events?.ended(anEnd());
    call.dial('911', null);
    await clock.pass(0);
    agent.calls[1]?.events?.ended(anEnd({ code: 486 }));
    call.dial('911', null);
    await clock.pass(0);
    call.hangUp();
    await clock.pass(60_000);
    expect(agent.orders).toHaveLength(3);
    expect(call.view.value).toMatchObject({ phase: 'ended', end: { by: 'us' } });
  });

  it('is sent anew, on another connection, when nothing at all comes back', async () => {
    const [call, agent] = await open();
    agent.events.connected(true);
    call.dial('911', place);
    await clock.pass(8_500);
    expect(agent.calls[0]?.asked).toEqual(['hang up']);
    expect(agent.stopped).toBe(true);
    const [, next] = agents.made as [FakeAgent, FakeAgent];
    expect(call.view.value).toMatchObject({ phase: 'connecting', isUp: false });
    next.events.connected(true);
    agent.events.connected(false);
    await clock.pass(0);
    expect(next.orders).toMatchObject([{ number: '911', headers: [`X-Siphera-Location: ${place}`] }]);
    expect(call.view.value).toMatchObject({ phase: 'dialling', isUp: true, tries: 2 });
  });

  it('is never given up by us once anything came back, however long it takes to ring', async () => {
    const [call, agent] = await open();
    agent.events.connected(true);
    call.dial('911', null);
    await clock.pass(0);
    agent.calls[0]?.events?.taken();
    await clock.pass(120_000);
    expect(agent.calls[0]?.asked).toEqual([]);
    expect(agent.orders).toHaveLength(1);
    expect(call.view.value.phase).toBe('dialling');
    agent.calls[0]?.events?.answered();
    expect(call.view.value.phase).toBe('connected');
  });

  it('is made again when the connection breaks under a call on its way', async () => {
    const [call, agent] = await open();
    agent.events.connected(true);
    call.dial('911', null);
    await clock.pass(0);
    agent.calls[0]?.events?.taken();
    agent.calls[0]?.events?.ended(anEnd({ by: 'line', reason: 'Connection Error' }));
    agent.events.connected(false);
    await clock.pass(20_000);
    expect(agent.orders).toHaveLength(1);
    agent.events.connected(true);
    await clock.pass(0);
    expect(agent.orders).toHaveLength(2);
  });

  it('waits as long as the switch asks before the next try, within bounds', async () => {
    const [call, agent] = await open();
    agent.events.connected(true);
    call.dial('911', null);
    await clock.pass(0);
    agent.calls[0]?.events?.ended(anEnd({ code: 503, retryAfterMs: 10_000 }));
    await clock.pass(9_900);
    expect(agent.orders).toHaveLength(1);
    await clock.pass(200);
    expect(agent.orders).toHaveLength(2);
    agent.calls[1]?.events?.ended(anEnd({ code: 503, retryAfterMs: 3_600_000 }));
    await clock.pass(15_000);
    expect(agent.orders).toHaveLength(3);
  });

  it('is tried again when the browser makes no connection for sound', async () => {
    const [call, agent] = await open();
    const { call: make } = agent;
    agent.call = () => {
      throw new Error('no WebRTC');
    };
    agent.events.connected(true);
    call.dial('911', null);
    await clock.pass(0);
    expect(call.view.value.phase).toBe('connecting');
    agent.call = make;
    await clock.pass(2_000);
    expect(agent.orders).toHaveLength(1);
  });

  it('can be called back on the same screen', async () => {
    const [call, agent] = await open();
    agent.events.connected(true);
    call.dial('911', null);
    await clock.pass(0);
    agent.calls[0]?.events?.answered();
    agent.calls[0]?.events?.ended(anEnd());
    const back = agent.ring('+15550911');
    expect(call.view.value).toMatchObject({ phase: 'callback', number: '+15550911' });
    expect(sounds.at(-1)).toBe('ring');
    await call.answer();
    expect(back.asked).toEqual(['answer']);
    expect(call.view.value.phase).toBe('connected');
    expect(sounds.at(-1)).toBe('none');
  });

  it('lets go of everything when the screen is closed', async () => {
    const [call, agent] = await open();
    agent.events.connected(true);
    call.dial('911', null);
    await clock.pass(0);
    call.close();
    expect(agent.calls[0]?.asked).toEqual(['hang up']);
    expect(agent.stopped).toBe(true);
    await clock.pass(60_000);
    expect(agent.orders).toHaveLength(1);
  });
});
