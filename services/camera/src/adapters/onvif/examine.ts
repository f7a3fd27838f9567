/**
 * Asks one camera all that the box wants to know, step by step, and says what came of each. Nothing is changed at the camera,
 * and nothing is thrown: a camera that answers half is added with that half.
 */
import type { CameraStream, ProbeReport } from '@siphera/contract';
import type { z } from 'zod';
import {
  atHost,
  endpointAddress,
  endpointUrl,
  onvifEndpoint,
  rtspSchemes,
  type Endpoint,
} from '../../domain/address.ts';
import type { Login } from '../../domain/camera-row.ts';
import type { DeviceInformation, MediaProfile } from '../../domain/onvif/answers.ts';
import { chooseStreams } from '../../domain/onvif/choose-streams.ts';
import type { CameraNetwork } from '../camera-network.ts';
import { OnvifCamera } from './onvif-camera.ts';
import { OnvifError, type OnvifProblem } from './onvif-error.ts';
import { describeRtsp } from './rtsp-describe.ts';

type Report = z.infer<typeof ProbeReport>;
type Step = Report['steps'][number];
type Stream = z.infer<typeof CameraStream>;

export type Examined = {
  steps: Step[];
  /** Why it cannot be used, by kind; undefined when its main stream is known and its credentials are good. */
  problem: { kind: OnvifProblem; text: string } | undefined;
  loginIndex: number | null;
  endpoint: Endpoint | undefined;
  information: DeviceInformation;
  mac: string | null;
  conformance: ('S' | 'T' | 'G')[];
  clockOffsetMs: number | null;
  media: MediaProfile[];
  mainProfile: string | null;
  subProfile: string | null;
  streams: Stream[];
  snapshotUrl: string | null;
  hasPtz: boolean;
  hasEvents: boolean;
  relays: number;
  inputs: number;
};

/** Above it credentials with a time in them are refused by most cameras, and footage is dated wrongly on their screens. */
const clockWarningMs = 5_000;

const nothing = (): Examined => ({
  steps: [],
  problem: undefined,
  loginIndex: null,
  endpoint: undefined,
  information: { manufacturer: null, model: null, firmware: null, serial: null },
  mac: null,
  conformance: [],
  clockOffsetMs: null,
  media: [],
  mainProfile: null,
  subProfile: null,
  streams: [],
  snapshotUrl: null,
  hasPtz: false,
  hasEvents: false,
  relays: 0,
  inputs: 0,
});

export type ExamineOptions = {
  /** host, host:port, an ONVIF address, or rtsp://… */
  address: string;
  /** Tried in order; none: without. */
  logins: readonly Login[];
  wanted?: { main?: string | null | undefined; sub?: string | null | undefined };
  network: CameraNetwork;
  now: () => number;
};

export async function examine(options: ExamineOptions): Promise<Examined> {
  const found = nothing();
  if (/^rtsps?:\/\//i.test(options.address)) {
    await examineRtsp(found, [options.address], options.logins, options.network);
    return found;
  }
  const endpoint = onvifEndpoint(options.address);
  if (!endpoint) {
    fail(found, 'reach', new OnvifError('nonsense', 'this is neither host, host:port nor an ONVIF address'));
    return found;
  }
  found.endpoint = endpoint;
  const camera = await signIn(found, endpoint, options);
  if (!camera) return found;
  await readDevice(found, camera);
  await readStreams(found, camera, options);
  await readAbilities(found, camera);
  return found;
}

/** A camera without ONVIF, by its RTSP addresses: the first is recorded. */
async function examineRtsp(
  found: Examined,
  urls: readonly string[],
  logins: readonly Login[],
  network: CameraNetwork,
): Promise<void> {
  const tries = logins.length > 0 ? logins : [undefined];
  for (const [index, url] of urls.entries()) {
    const step = index === 0 ? 'stream' : 'sub-stream';
    let last: unknown;
    for (const [loginIndex, login] of tries.entries()) {
      try {
        const stream = await describeRtsp(url, login, network);
        if (index === 0 && login) found.loginIndex = loginIndex;
        found.streams.push(streamOf(index === 0 ? 'main' : 'sub', url, null, stream));
        done(found, step, `${stream.video ?? 'no'} video, ${stream.audio} audio`);
        last = undefined;
        break;
      } catch (error) {
        last = error;
        if (!(error instanceof OnvifError) || error.kind !== 'unauthorised') break;
      }
    }
    if (last !== undefined) fail(found, step, last);
  }
}

export const examinedRtsp = async (
  urls: readonly string[],
  login: Login | null,
  network: CameraNetwork,
): Promise<Examined> => {
  const found = nothing();
  await examineRtsp(found, urls, login ? [login] : [], network);
  return found;
};

/** The clock first, which needs no credentials; then the first of the credentials that it takes. */
async function signIn(
  found: Examined,
  endpoint: Endpoint,
  options: ExamineOptions,
): Promise<OnvifCamera | undefined> {
  try {
    const camera = new OnvifCamera({
      endpoint,
      login: undefined,
      network: options.network,
      now: options.now,
    });
    const offset = await camera.readClock();
    done(found, 'reach', `ONVIF answers at ${endpointUrl(endpoint)}`);
    found.clockOffsetMs = offset;
    if (Math.abs(offset) > clockWarningMs)
      warn(
        found,
        'clock',
        `Its clock is ${Math.round(Math.abs(offset) / 1_000)} s ${offset > 0 ? 'ahead' : 'behind'}`,
      );
    else done(found, 'clock', 'Its clock is right');
  } catch (error) {
    // A few cameras want credentials even for their clock; then signing in says what is wrong.
    if (!(error instanceof OnvifError) || error.kind !== 'unauthorised') {
      fail(found, 'reach', error);
      return undefined;
    }
  }
  const tries = options.logins.length > 0 ? options.logins : [undefined];
  let last: unknown;
  for (const [index, login] of tries.entries()) {
    const camera = new OnvifCamera({ endpoint, login, network: options.network, now: options.now });
    try {
      await camera.connect();
      found.information = await camera.deviceInformation();
      found.loginIndex = login ? index : null;
      found.clockOffsetMs ??= camera.clockOffsetMs ?? null;
      done(found, 'credentials', login ? `It takes those of "${login.username}"` : 'It asks for none');
      return camera;
    } catch (error) {
      last = error;
      if (!(error instanceof OnvifError) || error.kind !== 'unauthorised') break;
    }
  }
  fail(found, 'credentials', last);
  return undefined;
}

async function readDevice(found: Examined, camera: OnvifCamera): Promise<void> {
  found.conformance = await orElse(camera.conformance(), []);
  if (camera.hasMedia2 && !found.conformance.includes('T')) found.conformance.push('T');
  found.mac = await orElse(camera.mac(), null);
  const { manufacturer, model, firmware, serial } = found.information;
  const named = [manufacturer, model, firmware].filter((text) => text !== null).join(' ');
  if (serial === null && found.mac === null)
    warn(
      found,
      'identity',
      `${named}: it tells neither serial nor MAC, so a new address of it will not be recognised`,
    );
  else done(found, 'identity', `${named}, serial ${serial ?? 'unknown'}`);
}

async function readStreams(
  found: Examined,
  camera: OnvifCamera,
  { logins, wanted, network }: ExamineOptions,
): Promise<void> {
  try {
    found.media = await camera.profiles();
    const chosen = chooseStreams(found.media, wanted);
    if (!chosen.main) throw new OnvifError('nonsense', 'it has no media profile with a picture');
    found.mainProfile = chosen.main.token;
    found.subProfile = chosen.sub?.token ?? null;
    for (const [role, profile] of [
      ['main', chosen.main],
      ['sub', chosen.sub],
    ] as const) {
      const uri = profile && (await camera.streamUri(profile.token));
      const url = uri === undefined ? undefined : atHost(uri, camera.endpoint.host, rtspSchemes);
      if (profile && url !== undefined) found.streams.push(streamOf(role, url, profile.token, profile));
    }
    const { video, width, height } = chosen.main;
    const text = `${video ?? '?'} ${width ?? '?'}×${height ?? '?'}${found.subProfile === null ? ', no smaller stream' : ''}`;
    if (found.streams.length === 0) throw new OnvifError('nonsense', 'it tells no address of its stream');
    if (video === 'h264') done(found, 'profiles', text);
    else warn(found, 'profiles', `${text}: not every browser plays it`);
    found.snapshotUrl = (await orElse(camera.snapshotUri(chosen.main.token), undefined)) ?? null;
  } catch (error) {
    fail(found, 'profiles', error);
    return;
  }
  await tryStream(found, logins[found.loginIndex ?? -1], network);
}

/** The address may be right and the port shut: the wizard says so before there is a camera that records nothing. */
async function tryStream(found: Examined, login: Login | undefined, network: CameraNetwork): Promise<void> {
  const [main] = found.streams;
  if (!main) return;
  try {
    const described = await describeRtsp(main.url, login, network);
    if (main.video !== described.video && described.video !== null)
      warn(found, 'stream', `The stream is ${described.video}, not ${main.video ?? 'what it announces'}`);
    else done(found, 'stream', 'The stream answers');
    main.video = described.video;
    main.audio = described.audio;
  } catch (error) {
    warn(found, 'stream', error instanceof OnvifError ? error.message : 'The stream does not answer');
  }
}

async function readAbilities(found: Examined, camera: OnvifCamera): Promise<void> {
  found.hasPtz = camera.hasPtz;
  found.hasEvents = camera.hasEvents;
  found.relays = (await orElse(camera.relays(), [])).length;
  found.inputs = (await orElse(camera.inputs(), [])).length;
  const parts = [
    found.hasPtz ? 'PTZ' : '',
    found.relays > 0 ? `${found.relays} relay(s)` : '',
    found.inputs > 0 ? `${found.inputs} input(s)` : '',
  ].filter((text) => text !== '');
  done(found, 'abilities', parts.length > 0 ? parts.join(', ') : 'Picture only');
  if (found.hasEvents) done(found, 'events', 'It reports what it sees');
  else warn(found, 'events', 'It reports nothing: recording by motion is not possible with it');
}

function streamOf(
  role: Stream['role'],
  url: string,
  token: string | null,
  what: Partial<Omit<Stream, 'role' | 'url'>>,
): Stream {
  const { video = null, audio = null, width = null, height = null, fps = null, bitrate_bps = null } = what;
  return { role, url, profile_token: token, video, audio, width, height, fps, bitrate_bps };
}

const done = (found: Examined, name: string, detail: string): void =>
  void found.steps.push({ name, state: 'ok', detail });
const warn = (found: Examined, name: string, detail: string): void =>
  void found.steps.push({ name, state: 'warning', detail });
function fail(found: Examined, name: string, error: unknown): void {
  const known =
    error instanceof OnvifError ? error : new OnvifError('nonsense', 'it answers what nobody expects');
  found.steps.push({ name, state: 'failed', detail: sentence(known) });
  found.problem ??= { kind: known.kind, text: sentence(known) };
}

const begin: Readonly<Record<OnvifProblem, string>> = {
  unreachable: 'It does not answer',
  unauthorised: 'It does not let us in',
  refused: 'It refuses',
  nonsense: 'It does not answer as a camera',
  forbidden: 'It is not asked',
};
export const sentence = (error: { kind: OnvifProblem; message: string }): string =>
  `${begin[error.kind]}: ${error.message}`;

async function orElse<T>(promise: Promise<T>, instead: T): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof OnvifError) return instead;
    throw error;
  }
}

export const toReport = (address: string, found: Examined, cameraId: string | null): Report => ({
  address: found.endpoint ? endpointAddress(found.endpoint) : address,
  ok: found.problem === undefined,
  steps: found.steps,
  credentials_index: found.loginIndex,
  onvif_url: found.endpoint ? endpointUrl(found.endpoint) : null,
  ...found.information,
  mac: found.mac,
  profiles: found.conformance,
  clock_offset_ms: found.clockOffsetMs,
  media_profiles: found.media,
  main_profile: found.mainProfile,
  sub_profile: found.subProfile,
  has_ptz: found.hasPtz,
  relays: found.relays,
  inputs: found.inputs,
  has_events: found.hasEvents,
  camera_id: cameraId,
});
