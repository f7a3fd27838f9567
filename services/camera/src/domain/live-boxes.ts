/**
 * Boxes that a live stream carries beside its pictures. Players that do not know them skip them: `prft` says what the clock
 * on the wall showed, `uuid` with our own type says what happens with the stream (docs/design/cameras.md, Live).
 */
import { makeBox } from './mp4-box.ts';

/** Seconds from the NTP era (1900) to the Unix era (RFC 5905 §6). */
const ntpOffsetSeconds = 2_208_988_800;
/** ISO/IEC 14496-12 §11.1: identifies our notices. */
const noticeUuid = '5f0c4c2e-6d0b-4d0e-9c55-5a1be7a9d001';
const noticeType = Buffer.from(noticeUuid.replaceAll('-', ''), 'hex');

/**
 * What the player is told inside the stream. `init`: an init segment of that type follows (at the beginning, and when the
 * camera's stream begins anew). `lost`: the camera is away, more comes when it is back. `skipped`: fragments were left out
 * because the viewer was slow. `end`: the last thing that is said.
 */
export type Notice =
  | { kind: 'init'; mime: string; transcoded: boolean }
  | { kind: 'lost'; reason: string }
  | { kind: 'skipped' }
  | { kind: 'end'; code: EndCode; reason: string };
export type EndCode =
  'slow' | 'session_ended' | 'token_expired' | 'forbidden' | 'camera_off' | 'codec_changed' | 'stopping';

export const noticeBox = (notice: Notice): Buffer =>
  makeBox('uuid', noticeType, Buffer.from(JSON.stringify(notice)));

/** ProducerReferenceTimeBox (§8.16.5), version 1: the wall time of the picture decoded at `mediaTime` (ticks of that track). */
export function prftBox(trackId: number, wallMs: number, mediaTime: number): Buffer {
  const content = Buffer.alloc(24);
  content.writeUInt8(1, 0);
  content.writeUInt32BE(trackId, 4);
  const seconds = Math.floor(wallMs / 1_000);
  content.writeUInt32BE((seconds + ntpOffsetSeconds) % 2 ** 32, 8);
  content.writeUInt32BE(Math.floor(((wallMs - seconds * 1_000) / 1_000) * 2 ** 32), 12);
  content.writeBigUInt64BE(BigInt(mediaTime), 16);
  return makeBox('prft', content);
}
