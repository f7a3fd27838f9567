/** Drives the fake camera with a client that others wrote: the npm package onvif. */
import { Cam, type CamOptions } from 'onvif';
import { afterAll, describe, expect, it } from 'vitest';
import { runCommand } from '../run-command.ts';
import { waitFor } from '../wait.ts';
import { type FakeCamera, startFakeCamera } from './fake-camera.ts';
import type { FakeCameraOptions } from './options.ts';

const cameras: FakeCamera[] = [];
afterAll(async () => {
  await Promise.all(cameras.map((camera) => camera.stop()));
});

async function camera(options: FakeCameraOptions = {}): Promise<FakeCamera> {
  const started = await startFakeCamera({ rtsp: false, ...options });
  cameras.push(started);
  return started;
}

function clientOf({ host, httpPort, credentials }: FakeCamera, options: Partial<CamOptions> = {}): Cam {
  const client = new Cam({
    hostname: host,
    port: httpPort,
    timeout: 30_000,
    autoconnect: false,
    ...credentials,
    ...options,
  });
  // Without a listener a camera that goes away ends the process.
  client.on('error', () => undefined);
  return client;
}

async function connected(to: FakeCamera, options: Partial<CamOptions> = {}): Promise<Cam> {
  const client = clientOf(to, options);
  await ask(client, 'connect');
  return client;
}

/** The client's types know too few of its arguments; what it answers is looked at by the test. */
function ask<T>(client: Cam, method: string, ...args: readonly unknown[]): Promise<T> {
  const methods = client as unknown as Record<string, (...all: unknown[]) => void>;
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, value: T) => {
      if (error) reject(error);
      else resolve(value);
    };
    methods[method]!.call(client, ...args, done);
  });
}

type Message = {
  topic: { _: string };
  message: { message: { $: Record<string, string>; data: { simpleItem: unknown } } };
};

/** Topic, operation and value of what one pull brought. */
async function pulled(client: Cam): Promise<string[]> {
  const { notificationMessage = [] } = await ask<{ notificationMessage?: Message | Message[] }>(
    client,
    'pullMessages',
    { messageLimit: 10 },
  );
  return [notificationMessage].flat().map(({ topic, message: { message } }) => {
    const { $ } = message.data.simpleItem as { $: { Name: string; Value: string } };
    return `${topic._} ${message.$['PropertyOperation'] ?? '-'} ${$.Name}=${$.Value}`;
  });
}

const motion = (operation: string, on: boolean) =>
  `tns1:RuleEngine/CellMotionDetector/Motion ${operation} IsMotion=${on}`;

describe('a fake camera over ONVIF', () => {
  it.each([
    { auth: 'wsse', useWSSecurity: true },
    { auth: 'digest', useWSSecurity: false },
    { auth: 'both', useWSSecurity: true },
    { auth: 'both', useWSSecurity: false },
    { auth: 'none', useWSSecurity: false },
  ] as const)(
    'lets the right client in: $auth, WS-Security $useWSSecurity',
    async ({ auth, useWSSecurity }) => {
      const fake = await camera({ auth, model: 'Dome 5', serial: 'A-1' });
      const client = await connected(fake, { useWSSecurity });
      expect(await ask(client, 'getDeviceInformation')).toMatchObject({
        model: 'Dome 5',
        serialNumber: 'A-1',
      });
    },
  );

  it.each(['wsse', 'digest', 'both'] as const)('keeps a wrong password out: %s', async (auth) => {
    const fake = await camera({ auth });
    const client = clientOf(fake, { password: 'wrong', useWSSecurity: auth !== 'digest' });
    await expect(ask(client, 'getDeviceInformation')).rejects.toThrow();
  });

  it('wants HTTP digest from a client that knows only WS-Security', async () => {
    const fake = await camera({ auth: 'digest' });
    const answer = await fetch(fake.deviceUrl, {
      method: 'POST',
      body: '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><GetDeviceInformation xmlns="http://www.onvif.org/ver10/device/wsdl"/></e:Body></e:Envelope>',
    });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Digest .*qop="auth"/);
    expect(await answer.text()).toContain('ter:NotAuthorized');
  });

  it('refuses a token by our clock when its own is wrong, and takes one by its own', async () => {
    const fake = await camera({ auth: 'wsse', clockOffsetMs: -3 * 3_600_000 });
    const naive = clientOf(fake);
    Object.assign(naive, { timeShift: Date.now() - process.uptime() * 1_000 });
    await expect(ask(naive, 'getDeviceInformation')).rejects.toThrow(/stale/);
    const careful = await connected(fake);
    expect(await ask(careful, 'getDeviceInformation')).toMatchObject({ serialNumber: fake.serial });
    await ask(careful, 'setSystemDateAndTime', { dateTimeType: 'Manual', dateTime: new Date(Date.now()) });
    expect(Math.abs(fake.clockOffset())).toBeLessThan(60_000);
  });

  it('tells its profiles, addresses and settings', async () => {
    const fake = await camera({ main: { width: 1280, height: 720 } });
    const client = await connected(fake);
    const profiles = await ask<{ $: { token: string }; videoEncoderConfiguration: unknown }[]>(
      client,
      'getProfiles',
    );
    expect(profiles.map(({ $ }) => $.token)).toEqual(['profile_main', 'profile_sub']);
    expect(profiles[0]!.videoEncoderConfiguration).toMatchObject({
      resolution: { width: 1280, height: 720 },
    });
    const { uri } = await ask<{ uri: string }>(client, 'getStreamUri', {
      protocol: 'RTSP',
      profileToken: 'profile_sub',
    });
    expect(uri).toBe(fake.rtspUrl('sub', { credentials: false }));
    expect(await ask(client, 'getNetworkInterfaces')).toMatchObject([{ info: { hwAddress: fake.mac } }]);
    const encoder = await ask<object>(client, 'getVideoEncoderConfiguration', 'encoder_main');
    await ask(client, 'setVideoEncoderConfiguration', {
      ...encoder,
      token: 'encoder_main',
      rateControl: { frameRateLimit: 12, encodingInterval: 1, bitrateLimit: 700 },
    });
    expect(fake.encoderLog.at(-1)).toMatchObject({
      token: 'encoder_main',
      changed: { fps: 12, bitrateKbps: 700 },
    });
  });

  it('speaks Media2 with H.265 when it is of Profile T', async () => {
    const fake = await camera({ profileT: true, main: { codec: 'h265' } });
    const client = await connected(fake);
    const profiles = await ask<{ videoEncoderConfiguration: unknown }[]>(client, 'getProfiles');
    expect(client.media2Support).toBe(true);
    expect(profiles.map((profile) => profile.videoEncoderConfiguration)).toMatchObject([
      { $: { Profile: 'Main', GovLength: 25 }, encoding: 'H265' },
      { encoding: 'H264' },
    ]);
    expect(await ask(client, 'getStreamUri', { protocol: 'RTSP' })).toEqual({
      uri: fake.rtspUrl('main', { credentials: false }),
    });
  });

  it('gives a snapshot for HTTP digest only', async () => {
    const fake = await camera();
    const { uri } = await ask<{ uri: string }>(await connected(fake), 'getSnapshotUri');
    expect((await fetch(uri)).status).toBe(401);
    const { username, password } = fake.credentials;
    const size = await runCommand('sh', [
      '-c',
      'curl -sf --digest -u "$1:$2" "$3" | ffprobe -v error -show_entries stream=codec_name,width -of csv=p=0 -',
      ...['sh', username, password, uri],
    ]);
    expect(size.trim()).toBe('mjpeg,640');
  });

  it('moves, stops, and keeps presets', async () => {
    const fake = await camera();
    const client = await connected(fake);
    await ask(client, 'continuousMove', { x: 0.5, y: 0, zoom: 0, timeout: 60_000 });
    await waitFor('a move', async () => {
      const { position } = await ask<{ position: { x: number } }>(client, 'getStatus', {});
      return position.x > 0.05;
    });
    await ask(client, 'stop', { panTilt: true, zoom: true });
    await ask(client, 'setPreset', { presetName: 'Gate' });
    expect(await ask(client, 'getPresets', {})).toMatchObject({ Gate: { $: { token: 'preset_1' } } });
    await ask(client, 'gotoHomePosition', {});
    await ask(client, 'gotoPreset', { preset: 'preset_1' });
    await ask(client, 'removePreset', { presetToken: 'preset_1' });
    expect(fake.ptzLog.map(({ operation }) => operation)).toEqual([
      'ContinuousMove',
      'Stop',
      'SetPreset',
      'GotoHomePosition',
      'GotoPreset',
      'RemovePreset',
    ]);
    expect(fake.ptzLog[0]).toMatchObject({ pan: 0.5, tilt: 0, zoom: 0 });
  });

  it('switches a relay and names its inputs, which this client cannot ask for', async () => {
    const fake = await camera({ auth: 'none' });
    await post(fake, 'deviceIO', '<GetDigitalInputs/>').then((answer) =>
      expect(answer).toContain('token="input_0"'),
    );
    await post(fake, 'device', setRelay('relay_0'));
    await expect(post(fake, 'device', setRelay('relay_9'))).resolves.toContain('ter:RelayToken');
    expect(fake.relayLog).toMatchObject([{ token: 'relay_0', active: true }]);
  });
});

describe('a fake camera with something to tell', () => {
  it('tells the state first, and then what changes, to a pull that waits', async () => {
    const fake = await camera({ relays: 0 });
    const client = await connected(fake);
    await ask(client, 'createPullPointSubscription');
    expect(fake.subscriptions()).toBe(1);
    expect(await pulled(client)).toEqual([
      motion('Initialized', false),
      'tns1:RuleEngine/TamperDetector/Tamper Initialized IsTamper=false',
      'tns1:Device/Trigger/DigitalInput Initialized LogicalState=false',
    ]);
    const waiting = pulled(client);
    await waitFor('the pull', () => fake.calls.filter((name) => name === 'PullMessages').length === 2);
    fake.motion(true);
    expect(await waiting).toEqual([motion('Changed', true)]);
    fake.motion(false);
    fake.line();
    fake.digitalInput(true);
    expect(await pulled(client)).toEqual([
      motion('Changed', false),
      'tns1:RuleEngine/LineDetector/Crossed - ObjectId=1',
      'tns1:Device/Trigger/DigitalInput Changed LogicalState=true',
    ]);
    await ask(client, 'renew', {});
    await ask(client, 'unsubscribe');
    expect(fake.subscriptions()).toBe(0);
  });

  it('forgets its subscriptions in a reboot, and cuts the pull that waits', async () => {
    const fake = await camera();
    const client = await connected(fake);
    await ask(client, 'createPullPointSubscription');
    await pulled(client);
    const cut = expect(pulled(client)).rejects.toThrow();
    await waitFor('the pull', () => fake.calls.filter((name) => name === 'PullMessages').length === 2);
    await fake.reboot({ downMs: 100 });
    await cut;
    expect(fake.subscriptions()).toBe(0);
    await expect(ask(client, 'pullMessages', { messageLimit: 1 })).rejects.toThrow(/no such subscription/);
    await ask(client, 'createPullPointSubscription');
    expect(fake.subscriptions()).toBe(1);
  });

  it('reboots when it is told to over the wire', async () => {
    const fake = await camera();
    await ask(await connected(fake), 'systemReboot');
    await waitFor('the silence', async () => !(await answers(fake)));
    await waitFor('the return', () => answers(fake));
  });

  it('lets a subscription end that nobody keeps, and has no room for one too many', async () => {
    const fake = await camera({ auth: 'none', subscriptionsMax: 1 });
    const subscribe =
      '<CreatePullPointSubscription><InitialTerminationTime>PT3S</InitialTerminationTime></CreatePullPointSubscription>';
    expect(await post(fake, 'events', subscribe)).toContain('SubscriptionReference');
    expect(await post(fake, 'events', subscribe)).toContain('wsnt:SubscribeCreationFailedFault');
    await waitFor('the end', () => fake.subscriptions() === 0);
    expect(await post(fake, 'events', subscribe)).toContain('SubscriptionReference');
  });

  it('tells the same motion by both topics, as far as the filter lets them through', async () => {
    const fake = await camera({ auth: 'none', motionTopics: ['cell', 'alarm'] });
    const filter = (topic: string) =>
      `<CreatePullPointSubscription><Filter><TopicExpression>${topic}</TopicExpression></Filter></CreatePullPointSubscription>`;
    const heard = async (topic: string) => {
      const [, path = ''] =
        /Address>http:..[^/]+([^<]+)</.exec(await post(fake, 'events', filter(topic))) ?? [];
      fake.motion(true);
      const pull = '<PullMessages><Timeout>PT1S</Timeout><MessageLimit>9</MessageLimit></PullMessages>';
      const answer = await post(fake, 'events', pull, path);
      return (answer.match(/tns1:[\w/]+/g) ?? []).length;
    };
    // A state at first and a change, of each topic that is let through.
    expect(await heard('tns1:RuleEngine/CellMotionDetector/Motion')).toBe(2);
    expect(await heard('tns1:VideoSource//.')).toBe(2);
    expect(await heard('tns1:RuleEngine/CellMotionDetector/Motion|tns1:VideoSource/MotionAlarm')).toBe(4);
  });

  it('never ends a motion when that is its fault', async () => {
    const fake = await camera({ relays: 0, digitalInputs: 0, faults: { motionNeverEnds: true } });
    const client = await connected(fake);
    await ask(client, 'createPullPointSubscription');
    await pulled(client);
    fake.motion(true);
    fake.motion(false);
    fake.tamper(true);
    expect(await pulled(client)).toEqual([
      motion('Changed', true),
      'tns1:RuleEngine/TamperDetector/Tamper Changed IsTamper=true',
    ]);
  });

  it('breaks its answers, hides operations and tells addresses nobody reaches, when asked to', async () => {
    const fake = await camera();
    const client = await connected(fake);
    fake.faults.malformed = ['GetScopes'];
    await expect(ask(client, 'getScopes')).rejects.toThrow();
    fake.faults.unsupported = ['GetNetworkInterfaces'];
    await expect(ask(client, 'getNetworkInterfaces')).rejects.toThrow(/no GetNetworkInterfaces/);
    fake.faults.xaddrHost = '192.0.2.1';
    expect(await ask(client, 'getStreamUri')).toMatchObject({
      uri: expect.stringContaining('//192.0.2.1:') as unknown,
    });
    fake.faults.slowMs = 300;
    const before = performance.now();
    await ask(client, 'getSystemDateAndTime');
    expect(performance.now() - before).toBeGreaterThan(290);
  });
});

const setRelay = (token: string) =>
  `<SetRelayOutputState><RelayOutputToken>${token}</RelayOutputToken><LogicalState>active</LogicalState></SetRelayOutputState>`;

async function post(
  fake: FakeCamera,
  service: 'device' | 'deviceIO' | 'events',
  body: string,
  path = '',
): Promise<string> {
  const namespace = `http://www.onvif.org/ver10/${service}/wsdl`;
  const text = `<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" xmlns="${namespace}"><e:Body>${body}</e:Body></e:Envelope>`;
  const answer = await fetch(new URL(path, fake.deviceUrl), { method: 'POST', body: text });
  return await answer.text();
}

async function answers(fake: FakeCamera): Promise<boolean> {
  return await fetch(fake.deviceUrl).then(
    () => true,
    () => false,
  );
}
