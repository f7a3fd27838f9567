/** What an examination found, put into the stored row. */
import { atHost, endpointAddress, endpointUrl, httpSchemes } from '../../domain/address.ts';
import type { CameraRow } from '../../domain/camera-row.ts';
import type { MediaProfile } from '../../domain/onvif/answers.ts';
import type { DescribedStream } from '../../domain/sdp.ts';
import type { Examined } from './examine.ts';

/** What it did not tell this time stays as it was. */
export function withExamined(row: CameraRow, found: Examined): CameraRow {
  const { endpoint, information } = found;
  const reached = endpoint ? { address: endpointAddress(endpoint), onvifUrl: endpointUrl(endpoint) } : {};
  const same = found.problem ? {} : abilities(row, found);
  return {
    ...row,
    ...reached,
    manufacturer: information.manufacturer ?? row.manufacturer,
    model: information.model ?? row.model,
    firmware: information.firmware ?? row.firmware,
    serial: information.serial ?? row.serial,
    mac: found.mac ?? row.mac,
    ...same,
    revision: row.revision + 1,
  };
}

const abilities = (row: CameraRow, found: Examined): Partial<CameraRow> => ({
  profiles: found.conformance,
  streams: found.streams.length > 0 ? found.streams : row.streams,
  snapshotUrl: snapshotOf(found),
  hasPtz: found.hasPtz,
  hasEvents: found.hasEvents,
  relays: found.relays,
  inputs: found.inputs,
});

/** The same streams with what their profiles say now. */
export const withMedia = (row: CameraRow, media: readonly MediaProfile[]): CameraRow => ({
  ...row,
  streams: row.streams.map((stream) => {
    const profile = media.find(({ token }) => token === stream.profile_token);
    if (!profile) return stream;
    const { video, width, height, fps, bitrate_bps } = profile;
    return { ...stream, video, width, height, fps, bitrate_bps };
  }),
  revision: row.revision + 1,
});

/** What a stream itself says it is counts more than what was announced of it. */
export const withSeen = (row: CameraRow, url: string, seen: DescribedStream): CameraRow => ({
  ...row,
  streams: row.streams.map((stream) =>
    stream.url === url ? { ...stream, video: seen.video, audio: seen.audio } : stream,
  ),
  revision: row.revision + 1,
});

const snapshotOf = ({ endpoint, snapshotUrl }: Examined): string | null =>
  endpoint && snapshotUrl !== null ? (atHost(snapshotUrl, endpoint.host, httpSchemes) ?? null) : null;

export const isSameCamera = (
  row: Pick<CameraRow, 'serial' | 'mac' | 'endpoint'>,
  other: { serial?: string | null; mac?: string | null; endpoint?: string | null },
): boolean =>
  [
    [row.mac, other.mac],
    [row.serial, other.serial],
    [row.endpoint, other.endpoint],
  ].some(([one, two]) => one !== null && one !== undefined && one !== '' && one === two);
