/**
 * baresip as a desk phone or a door station, commanded by its TCP control (netstrings of JSON). It needs an address that is not of
 * loopback: give it a network opened with `hostLink`. What it hears is recorded, what it says is a wave file or silence.
 */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { type Daemon, startDaemon } from './daemon.ts';
import type { NetworkNamespace } from './network-namespace.ts';
import { freePort } from './ports.ts';
import { writeTone } from './sip-tone.ts';
import { waitFor } from './wait.ts';

export type BaresipEvent = { type: string; param?: string; peeruri?: string; id?: string };
export type Baresip = AsyncDisposable & {
  daemon: Daemon;
  events: BaresipEvent[];
  /** Any command of its menu, e.g. `dial`, `accept`, `hangup`, `hold`, `resume`, `transfer`, `sndcode`. */
  command: (command: string, params?: string) => Promise<string>;
  /** Resolves once it has signed in, also when that was before. */
  signedIn: () => Promise<unknown>;
  dial: (user: string) => Promise<string>;
  accept: () => Promise<string>;
  hangup: () => Promise<string>;
  /** Sends keys, one by one. */
  press: (keys: string) => Promise<void>;
  /** The first event of this type that was not taken before. */
  event: (type: string, fits?: (event: BaresipEvent) => boolean) => Promise<BaresipEvent>;
  /** Wave files of what it heard (`dec`) or said (`enc`) since its start, newest last. */
  recordings: (side: 'dec' | 'enc') => Promise<string[]>;
  stop: () => Promise<void>;
};

export type BaresipOptions = {
  dir: string;
  network: NetworkNamespace;
  number: string;
  domain: string;
  /** host:port of Kamailio. */
  server: string;
  auth: { username: string; password: string };
  transport?: 'udp' | 'tcp' | 'tls';
  /** Hertz of a tone that it plays all the time; silence without. */
  toneHertz?: number;
  /** Takes calls by itself. */
  answers?: boolean;
};

const modulePath = '/usr/lib/baresip/modules';
/** A door rings and talks for less. */
const toneSeconds = 60;

export async function startBaresip(options: BaresipOptions): Promise<Baresip> {
  const { dir, network, number } = options;
  if (network.link === undefined) throw new Error('baresip needs a network with hostLink');
  const home = join(dir, `baresip-${number}`);
  const sound = join(home, 'sound');
  await mkdir(sound, { recursive: true });
  const tone = join(home, 'tone.wav');
  await writeTone(tone, options.toneHertz ?? 0, toneSeconds);
  const [port, control] = [await freePort(), await freePort()];
  const host = network.link.inside;
  await writeFile(
    join(home, 'config'),
    configuration({ network, port, control: `${host}:${control}`, tone, sound }),
  );
  await writeFile(join(home, 'accounts'), account(options));
  await writeFile(join(home, 'contacts'), '');
  const daemon = await startDaemon({
    name: `baresip ${number}`,
    ...network.command('baresip', ['-f', home, '-v']),
    ready: () => opens(host, control),
  });
  const line = await openControl(host, control);
  const stop = async () => {
    line.socket.destroy();
    await daemon.stop();
  };
  const recordings: Baresip['recordings'] = async (side) =>
    (await readdir(sound))
      .filter((name) => name.endsWith(`-${side}.wav`))
      .sort()
      .map((name) => join(sound, name));
  return {
    daemon,
    events: line.events,
    command: line.command,
    signedIn: () =>
      waitFor(`baresip ${number} to sign in`, () => /registered successfully|200 OK/.test(daemon.logs())),
    dial: (user) => line.command('dial', `sip:${user}@${options.domain}`),
    accept: () => line.command('accept'),
    hangup: () => line.command('hangup'),
    press: async (keys) => {
      for (const key of keys) await line.command('sndcode', key);
    },
    event: line.event,
    recordings,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

const account = ({ number, domain, auth, server, transport = 'udp', answers }: BaresipOptions) =>
  [
    `<sip:${number}@${domain};transport=${transport}>`,
    `auth_user=${auth.username}`,
    `auth_pass=${auth.password}`,
    `outbound="sip:${server};transport=${transport}"`,
    'regint=60',
    `answermode=${answers === true ? 'auto' : 'manual'}`,
    'audio_codecs=PCMU/8000/1,PCMA/8000/1\n',
  ].join(';');

const configuration = (places: {
  network: NetworkNamespace;
  port: number;
  control: string;
  tone: string;
  sound: string;
}): string =>
  [
    `sip_listen ${places.network.address}:${places.port}`,
    'sip_verify_server no',
    'net_interface v0',
    'call_local_timeout 120',
    'call_max_calls 4',
    `audio_source aufile,${places.tone}`,
    'audio_player aubridge,nobody',
    'audio_alert aubridge,nobody',
    'audio_level no',
    'ausrc_srate 8000',
    'auplay_srate 8000',
    'ausrc_channels 1',
    'auplay_channels 1',
    'rtp_ports 50000-50200',
    'rtp_timeout 60',
    `module_path ${modulePath}`,
    ...['g711', 'aufile', 'aubridge', 'sndfile'].map((name) => `module ${name}.so`),
    ...['account', 'contact', 'menu', 'ctrl_tcp'].map((name) => `module_app ${name}.so`),
    `ctrl_tcp_listen ${places.control}`,
    `snd_path ${places.sound}`,
    '',
  ].join('\n');

async function opens(host: string, port: number): Promise<boolean> {
  try {
    (await dialControl(host, port)).destroy();
    return true;
  } catch {
    // Not yet.
    return false;
  }
}

const dialControl = (host: string, port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host, port }, () => resolve(socket));
    socket.on('error', reject);
  });

async function openControl(host: string, port: number) {
  // It takes one connection at a time; the one of the look before may not be gone yet.
  const socket = await waitFor('the control of baresip', () => dialControl(host, port));
  const events: BaresipEvent[] = [];
  const taken = new Set<BaresipEvent>();
  const answers = new Map<string, { ok: boolean; data: string }>();
  let rest = Buffer.alloc(0);
  socket.on('data', (data) => {
    rest = Buffer.concat([rest, data]);
    for (;;) {
      const colon = rest.indexOf(':');
      const length = Number(rest.subarray(0, Math.max(colon, 0)).toString());
      if (colon < 1 || rest.length < colon + length + 2) return;
      const message = JSON.parse(rest.subarray(colon + 1, colon + 1 + length).toString()) as Record<
        string,
        unknown
      >;
      rest = rest.subarray(colon + length + 2);
      if (message['event'] === true) events.push(message as unknown as BaresipEvent);
      else
        answers.set(String(message['token']), {
          ok: message['ok'] === true,
          data: typeof message['data'] === 'string' ? message['data'] : '',
        });
    }
  });
  let asked = 0;
  const command = async (name: string, params?: string): Promise<string> => {
    asked += 1;
    const token = `t${asked}`;
    const text = JSON.stringify({ command: name, ...(params === undefined ? {} : { params }), token });
    socket.write(`${Buffer.byteLength(text)}:${text},`);
    const answer = await waitFor(`the answer of baresip to ${name}`, () => answers.get(token));
    if (!answer.ok) throw new Error(`baresip refused ${name}: ${answer.data}`);
    return answer.data;
  };
  const event: Baresip['event'] = (type, fits = () => true) =>
    waitFor(`baresip's event ${type}`, () => {
      const found = events.find((one) => one.type === type && !taken.has(one) && fits(one));
      if (found) taken.add(found);
      return found;
    });
  return { socket, events, command, event };
}
