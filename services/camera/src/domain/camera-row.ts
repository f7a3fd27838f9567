/** A camera as it is stored: the connection and what is kept. Its name and place are core's. Pure. */
import type { CameraStream, RecordingPolicy, Watches } from '@siphera/contract';
import type { z } from 'zod';
import type { KnownStream } from './camera.ts';

type StoredStream = z.infer<typeof CameraStream>;
export type Login = { username: string; password: string };

export type CameraRow = {
  id: string;
  orgId: string;
  enabled: boolean;
  connection: 'onvif' | 'rtsp';
  address: string;
  onvifUrl: string | null;
  credentials: Login | null;
  manufacturer: string | null;
  model: string | null;
  firmware: string | null;
  serial: string | null;
  mac: string | null;
  endpoint: string | null;
  profiles: ('S' | 'T' | 'G')[];
  streams: StoredStream[];
  mainProfile: string | null;
  /** null: the box chooses; empty: none, although there would be one. */
  subProfile: string | null;
  snapshotUrl: string | null;
  hasPtz: boolean;
  hasEvents: boolean;
  relays: number;
  inputs: number;
  recording: RecordingPolicy;
  motionHoldMs: number;
  watches: z.infer<typeof Watches>;
  revision: number;
  createdMs: number;
};

/** How long a motion lasts that nobody ends, when nothing else was asked for. */
export const motionHoldMsDefault = 60_000;

/** Which media profiles were chosen by hand, as `chooseStreams` takes it: a sub of null is none. */
export const wantedProfiles = ({
  mainProfile,
  subProfile,
}: Pick<CameraRow, 'mainProfile' | 'subProfile'>): {
  main: string | undefined;
  sub: string | null | undefined;
} => ({
  main: mainProfile ?? undefined,
  sub: subProfile === '' ? null : (subProfile ?? undefined),
});

/** The stream with its credentials in the address (RFC 3986 §3.2.1), as ffmpeg wants it. */
export function withSecret(stream: StoredStream, login: Login | null): KnownStream {
  if (!login) return { ...stream, secretUrl: stream.url };
  const userinfo = `${escapeUserinfo(login.username)}:${escapeUserinfo(login.password)}@`;
  return {
    ...stream,
    secretUrl: stream.url.replace(/^(rtsps?:\/\/)/, (_all, scheme: string) => scheme + userinfo),
  };
}

/** encodeURIComponent leaves a few characters that shells and cameras trip over; all of them are escaped. */
const escapeUserinfo = (text: string): string =>
  encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
