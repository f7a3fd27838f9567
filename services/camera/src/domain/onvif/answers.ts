/** What a camera answers, read into what the box needs (ONVIF Core, Media, Media2, PTZ and DeviceIO). Pure; the camera may lie. */
import type { AudioCodec, VideoCodec } from '@siphera/contract';
import type { z } from 'zod';
import { find, findAll, numberAt, textAt, type XmlNode } from './xml.ts';

type Video = z.infer<typeof VideoCodec>;
type Audio = z.infer<typeof AudioCodec>;

export type MediaProfile = {
  token: string;
  name: string;
  video: Video | null;
  audio: Audio | null;
  width: number | null;
  height: number | null;
  fps: number | null;
  bitrate_bps: number | null;
};

export type DeviceInformation = {
  manufacturer: string | null;
  model: string | null;
  firmware: string | null;
  serial: string | null;
};

/** Lists longer than these are no camera's. */
const profilesMax = 64;
const presetsMax = 512;
const portsMax = 64;

const body = (root: XmlNode): XmlNode | undefined => find(root, 'Body')?.children[0];
const label = (text: string | undefined): string | null =>
  text === undefined ? null : text.replaceAll(/\p{Cc}+/gu, ' ').slice(0, 120);

export function readDeviceInformation(root: XmlNode): DeviceInformation {
  const answer = body(root);
  return {
    manufacturer: label(textAt(answer, 'Manufacturer')),
    model: label(textAt(answer, 'Model')),
    firmware: label(textAt(answer, 'FirmwareVersion')),
    serial: label(textAt(answer, 'SerialNumber')),
  };
}

/** Profiles it conforms to, by its scopes (e.g. `onvif://www.onvif.org/Profile/Streaming` is S). */
export function readConformance(root: XmlNode): ('S' | 'T' | 'G')[] {
  const words: Readonly<Record<string, 'S' | 'T' | 'G'>> = { Streaming: 'S', T: 'T', G: 'G', S: 'S' };
  const scopes = findAll(body(root), 'Scopes').map((scope) => textAt(scope, 'ScopeItem') ?? '');
  const found = scopes.flatMap((scope) => words[/\/Profile\/(\w+)\/?$/.exec(scope)?.[1] ?? ''] ?? []);
  return (['S', 'T', 'G'] as const).filter((one) => found.includes(one));
}

/** Upper case with colons; the first interface that has one. */
export function readMac(root: XmlNode): string | null {
  for (const item of findAll(body(root), 'NetworkInterfaces')) {
    const mac = normalMac(textAt(item, 'Info', 'HwAddress'));
    if (mac !== null) return mac;
  }
  return null;
}

export function normalMac(text: string | undefined): string | null {
  const digits = (text ?? '').replaceAll(/[^0-9a-fA-F]/g, '').toUpperCase();
  if (digits.length !== 12 || /^(0{12}|F{12})$/.test(digits)) return null;
  return digits.match(/../g)?.join(':') ?? null;
}

/** The camera's clock, UTC ms (Core §8.3.3); undefined when it tells none. */
export function readClock(root: XmlNode): number | undefined {
  const time = find(body(root), 'SystemDateAndTime', 'UTCDateTime');
  const part = (...path: string[]): number => numberAt(time, ...path) ?? NaN;
  const ms = Date.UTC(
    part('Date', 'Year'),
    part('Date', 'Month') - 1,
    part('Date', 'Day'),
    part('Time', 'Hour'),
    part('Time', 'Minute'),
    part('Time', 'Second'),
  );
  return Number.isNaN(ms) ? undefined : ms;
}

export function readProfiles(root: XmlNode): MediaProfile[] {
  return findAll(body(root), 'Profiles')
    .slice(0, profilesMax)
    .flatMap((profile) => {
      const token = profile.attributes['token'];
      if (token === undefined || token === '' || token.length > 120) return [];
      // Media2 puts configurations one level deeper, under shorter names.
      const deeper = find(profile, 'Configurations');
      const video = find(profile, 'VideoEncoderConfiguration') ?? find(deeper, 'VideoEncoder');
      const audio = find(profile, 'AudioEncoderConfiguration') ?? find(deeper, 'AudioEncoder');
      return [
        {
          token,
          name: label(textAt(profile, 'Name')) ?? token,
          ...readVideo(video),
          audio: readAudio(audio),
        },
      ];
    });
}

function readVideo(encoder: XmlNode | undefined): Omit<MediaProfile, 'token' | 'name' | 'audio'> {
  const kbps = positive(numberAt(encoder, 'RateControl', 'BitrateLimit'));
  return {
    video: encoder ? videoCodec(textAt(encoder, 'Encoding')) : null,
    width: whole(numberAt(encoder, 'Resolution', 'Width')),
    height: whole(numberAt(encoder, 'Resolution', 'Height')),
    fps: positive(numberAt(encoder, 'RateControl', 'FrameRateLimit')),
    bitrate_bps: kbps === null ? null : Math.round(Math.min(kbps, 10_000_000) * 1_000),
  };
}

const positive = (value: number | undefined): number | null =>
  value !== undefined && value > 0 && value < 1e9 ? value : null;
const whole = (value: number | undefined): number | null => {
  const size = positive(value);
  return size !== null && size <= 32_768 ? Math.round(size) : null;
};

function videoCodec(text: string | undefined): Video {
  const word = (text ?? '').toUpperCase().replaceAll(/[^A-Z0-9]/g, '');
  if (word === 'H264') return 'h264';
  return word === 'H265' || word === 'HEVC' ? 'h265' : 'other';
}

function readAudio(encoder: XmlNode | undefined): Audio {
  if (!encoder) return 'none';
  const word = (textAt(encoder, 'Encoding') ?? '').toUpperCase();
  if (word.includes('PCMU') || word === 'G711') return 'pcmu';
  if (word.includes('PCMA')) return 'pcma';
  return word.includes('AAC') || word.includes('MP4A') ? 'aac' : 'other';
}

/** The URI of GetStreamUri or GetSnapshotUri, in Media's form or Media2's. */
export function readUri(root: XmlNode): string | undefined {
  return textAt(body(root), 'MediaUri', 'Uri') ?? textAt(body(root), 'Uri');
}

export function readPresets(root: XmlNode): { token: string; name: string }[] {
  return findAll(body(root), 'Preset')
    .slice(0, presetsMax)
    .flatMap((preset) => {
      const token = preset.attributes['token'];
      if (token === undefined || token === '' || token.length > 64) return [];
      return [{ token, name: label(textAt(preset, 'Name')) ?? token }];
    });
}

export const readPresetToken = (root: XmlNode): string | undefined => textAt(body(root), 'PresetToken');

/** Tokens of relays or inputs. A relay's present state is told by events alone (DeviceIO §5). */
export function readPorts(root: XmlNode, name: 'RelayOutputs' | 'DigitalInputs'): string[] {
  return findAll(body(root), name)
    .slice(0, portsMax)
    .flatMap(({ attributes: { token } }) =>
      token !== undefined && token !== '' && token.length <= 64 ? [token] : [],
    );
}
