import { beforeEach, describe, expect, it } from 'vitest';
import { ApiError, asApiError } from '#api/problem.ts';
import { PhoneRegistration, type Softphone } from './phone-registration.ts';
import { fakeAgents } from './testing/fake-agent.ts';
import { FakeClock } from './testing/fake-clock.ts';

const hourMs = 3_600_000;
let clock: FakeClock;
let agents: ReturnType<typeof fakeAgents>;
let states: string[];
let asked: number;
let answer: () => Softphone;
let registration: PhoneRegistration;

const aPhone = (over: Partial<Softphone> = {}): Softphone => ({
  number: '201',
  name: 'Anna',
  uri: 'sip:201@box.example',
  websocket_url: 'wss://box.example/sip',
  username: `${String(clock.now())}:201`,
  password: 'p',
  expires_at: new Date(clock.now() + hourMs).toISOString(),
  classes: ['internal'],
  ...over,
});
const refuse = (code: 'not_found' | 'network'): never => {
  throw new ApiError({ code, status: code === 'network' ? 0 : 404, title: code });
};

beforeEach(() => {
  clock = new FakeClock(Date.UTC(2026, 10, 29));
  agents = fakeAgents();
  states = [];
  asked = 0;
  answer = aPhone;
  registration = new PhoneRegistration(
    {
      now: clock.now,
      after: clock.after,
      makeAgent: agents.load,
      asError: asApiError,
      credentials: () => {
        asked += 1;
        return Promise.resolve().then(answer);
      },
    },
    {
      state: (state) => states.push(state),
      agent: () => undefined,
      incoming: () => undefined,
      message: () => undefined,
    },
  );
});

describe('the registration of the softphone', () => {
  it('is ready once the server says so, and says when the server is gone', async () => {
    registration.start();
    await clock.pass(0);
    const [agent] = agents.made;
    expect(agent?.account).toMatchObject({ uri: 'sip:201@box.example', login: { password: 'p' } });
    agent?.events.connected(true);
    agent?.events.registered(true, null);
    agent?.events.connected(false);
    expect(states).toEqual(['connecting', 'connecting', 'ready', 'no_server']);
  });

  it('renews the credential before it ends, without a new agent', async () => {
    registration.start();
    await clock.pass(hourMs);
    expect(agents.made).toHaveLength(1);
    expect(agents.made[0]?.renewed).toHaveLength(1);
  });

  it('keeps what is registered while the bridge is away, and asks with growing pauses', async () => {
    registration.start();
    await clock.pass(0);
    agents.made[0]?.events.registered(true, null);
    answer = () => refuse('network');
    await clock.pass(hourMs);
    expect(states.at(-1)).toBe('ready');
    expect(agents.made[0]?.stopped).toBe(false);
    expect(asked).toBeGreaterThan(3);
    expect(asked).toBeLessThan(12);
  });

  it('says that there is no phone service while it never answered', async () => {
    answer = () => refuse('network');
    registration.start();
    await clock.pass(1_000);
    expect(states.at(-1)).toBe('waiting');
    answer = aPhone;
    await clock.pass(60_000);
    expect(agents.made).toHaveLength(1);
  });

  it('lets go of a number that was taken away, and takes another one', async () => {
    registration.start();
    await clock.pass(0);
    answer = () => refuse('not_found');
    await clock.pass(hourMs);
    expect(states.at(-1)).toBe('no_number');
    expect(agents.made[0]?.stopped).toBe(true);
    answer = () => aPhone({ number: '299', uri: 'sip:299@box.example' });
    await clock.pass(120_000);
    expect(agents.made[1]?.account.uri).toBe('sip:299@box.example');
  });

  it('asks for new credentials when the server takes the old ones no more', async () => {
    registration.start();
    await clock.pass(0);
    agents.made[0]?.events.registered(false, { code: 403, reason: 'Credential ended' });
    expect(states.at(-1)).toBe('refused');
    await clock.pass(3_000);
    expect(agents.made[0]?.renewed).toHaveLength(1);
  });

  it('takes its registration back when it stops, and asks nothing more', async () => {
    registration.start();
    await clock.pass(0);
    registration.stop();
    await clock.pass(2 * hourMs);
    expect(agents.made[0]?.stopped).toBe(true);
    expect(states.at(-1)).toBe('off');
    expect(asked).toBe(1);
  });
});
