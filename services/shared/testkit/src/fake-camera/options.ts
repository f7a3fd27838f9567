/** What a test may ask of a fake camera. Everything has a default that suits most tests. */
import { createHash } from 'node:crypto';
import type { FakeRtspServer } from './rtsp-server.ts';

export type StreamOptions = {
  /** `clock` encodes live, with the time in the picture; `file` loops `file` without encoding it again. */
  mode: 'clock' | 'file';
  codec: 'h264' | 'h265';
  profile: 'constrained-baseline' | 'main' | 'high';
  /** Even, at least 64. In file mode these say what ONVIF tells of the file. */
  width: number;
  height: number;
  fps: number;
  /** Seconds between two pictures that stand alone: 10 is what "smart codecs" do. */
  gopSeconds: number;
  bitrateKbps: number;
  /** An Annex B stream without B-frames, e.g. of `cameraFile()`. */
  file: string | undefined;
  audio: 'pcmu' | 'aac' | undefined;
  /** SPS and PPS stand in the SDP, and in the stream at most before its very first picture. */
  headersInSdpOnly: boolean;
};

/** Bad habits of real cameras. The handle's `faults` may be changed while the camera runs. */
export type CameraFaults = {
  /** Asks for credentials for all but the time, although GetCapabilities and GetServices should be open. */
  authForAll?: boolean;
  /** The end of a motion is never announced. */
  motionNeverEnds?: boolean;
  /** Each ONVIF answer waits this long. */
  slowMs?: number;
  /** Answers that break off in the middle of a tag: all, or those of the named operations. */
  malformed?: boolean | readonly string[];
  /** Operations that the camera says it does not have. */
  unsupported?: readonly string[];
  /** The host in every URL the camera tells, e.g. an address behind a NAT that nobody can reach. */
  xaddrHost?: string;
  /** Its encoder makes H.265 alone. */
  noH264Encoder?: boolean;
  /** ONVIF says that its streams are of this codec, whatever RTSP serves. */
  announcedCodec?: 'h264' | 'h265';
  /** SetVideoEncoderConfiguration is answered, and its picture stays as it was. */
  encoderStays?: boolean;
  /** PullMessages does not keep a subscription alive; only Renew does. */
  pullDoesNotRenew?: boolean;
};

export type DiscoveryOptions = {
  /** The address whose interface joins the multicast group; the camera's host without it. */
  interfaceAddress?: string;
  /** 3702 by WS-Discovery. */
  port?: number;
};

export type FakeCameraOptions = {
  /** In mounts, scopes and the picture's colour: small letters, digits and hyphens. */
  name?: string;
  host?: string;
  httpPort?: number;
  rtspPort?: number;
  username?: string;
  password?: string;
  auth?: 'wsse' | 'digest' | 'both' | 'none';
  manufacturer?: string;
  model?: string;
  firmware?: string;
  serial?: string;
  mac?: string;
  main?: Partial<StreamOptions>;
  /** false: the camera has one stream only. */
  sub?: Partial<StreamOptions> | false;
  /** Media2 beside Media, as Profile T wants it. */
  profileT?: boolean;
  ptz?: boolean;
  relays?: number;
  digitalInputs?: number;
  /** The camera's clock minus ours. */
  clockOffsetMs?: number;
  /** How far a UsernameToken may be from the camera's clock. */
  tokenWindowMs?: number;
  /** Cell motion (Analytics), the older VideoSource/MotionAlarm, or both for the same motion as many cameras do. */
  motionTopics?: readonly ('cell' | 'alarm')[];
  /** Pull points at a time; one more is refused. */
  subscriptionsMax?: number;
  /** Answers WS-Discovery. Off without it. */
  discovery?: DiscoveryOptions | boolean;
  /** A process that serves many cameras; without it the camera starts its own; false: no RTSP at all. */
  rtsp?: FakeRtspServer | false;
  faults?: CameraFaults;
};

export type CameraSpec = Required<
  Omit<FakeCameraOptions, 'httpPort' | 'rtspPort' | 'main' | 'sub' | 'rtsp' | 'discovery' | 'faults'>
> & { streams: readonly CameraStream[]; uuid: string };

export type CameraStream = StreamOptions & { name: 'main' | 'sub' };

const streamDefaults: StreamOptions = {
  mode: 'clock',
  codec: 'h264',
  profile: 'constrained-baseline',
  width: 640,
  height: 360,
  fps: 25,
  gopSeconds: 1,
  bitrateKbps: 1_000,
  file: undefined,
  audio: undefined,
  headersInSdpOnly: false,
};
const subDefaults = { width: 320, height: 180, fps: 10, bitrateKbps: 200 };

let made = 0;

export function cameraSpec(options: FakeCameraOptions): CameraSpec {
  made += 1;
  const name = options.name ?? `camera-${process.pid}-${made}`;
  const mark = createHash('sha1').update(name).digest('hex');
  const streams: CameraStream[] = [{ ...streamDefaults, ...options.main, name: 'main' }];
  if (options.sub !== false) streams.push({ ...streamDefaults, ...subDefaults, ...options.sub, name: 'sub' });
  return {
    name,
    host: options.host ?? '127.0.0.1',
    username: options.username ?? 'admin',
    password: options.password ?? `pass-${mark.slice(0, 8)}`,
    auth: options.auth ?? 'both',
    manufacturer: options.manufacturer ?? 'Siphera Test',
    model: options.model ?? 'Fake Camera',
    firmware: options.firmware ?? '1.2.3',
    serial: options.serial ?? `SN${mark.slice(0, 10).toUpperCase()}`,
    // Locally administered, so no maker's (IEEE 802 §8.4).
    mac: options.mac ?? `02:${mark.slice(0, 10).match(/../g)?.join(':') ?? ''}`,
    streams,
    profileT: options.profileT ?? false,
    ptz: options.ptz ?? true,
    relays: options.relays ?? 1,
    digitalInputs: options.digitalInputs ?? 1,
    clockOffsetMs: options.clockOffsetMs ?? 0,
    tokenWindowMs: options.tokenWindowMs ?? 10_000,
    motionTopics: options.motionTopics ?? ['cell'],
    subscriptionsMax: options.subscriptionsMax ?? 8,
    uuid: [
      mark.slice(0, 8),
      mark.slice(8, 12),
      `5${mark.slice(13, 16)}`,
      `8${mark.slice(17, 20)}`,
      mark.slice(20, 32),
    ].join('-'),
  };
}
