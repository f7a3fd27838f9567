/** What a start and a fragment say of themselves: codecs for `addSourceBuffer` (RFC 6381), time scales, the time of a fragment. */
import { boxesIn, type Box } from '#features/cameras/player/mp4-boxes.ts';

export type Track = { id: number; kind: 'video' | 'audio' | 'other'; codec: string; timescale: number };
export type StreamStart = { mime: string; tracks: Track[] };
/** Where a fragment stands on its video track, in seconds of the stream's own clock. */
export type FragmentTime = { start: number; duration: number };

/** Bytes of a visual and of an audio sample entry before its boxes (§12.1.3, §12.2.3), after the box head. */
const visualEntryBytes = 78;
const audioEntryBytes = 28;
const hex = (value: number): string => value.toString(16).padStart(2, '0');
const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** The box at a path such as `mdia/minf/stbl`. */
function find(bytes: Uint8Array, within: Box, path: string): Box | undefined {
  return path
    .split('/')
    .reduce<Box | undefined>(
      (box, type) => box && boxesIn(bytes, box.body, box.end).find((one) => one.type === type),
      within,
    );
}

export function readStart(bytes: Uint8Array): StreamStart {
  const moov = boxesIn(bytes).find((box) => box.type === 'moov');
  if (!moov) throw new Error('The stream has no start');
  const tracks = boxesIn(bytes, moov.body, moov.end)
    .filter((box) => box.type === 'trak')
    .map((box) => readTrack(bytes, box))
    .filter((track) => track !== undefined);
  const codecs = tracks.filter((track) => track.kind !== 'other').map((track) => track.codec);
  return { mime: `video/mp4; codecs="${codecs.join(', ')}"`, tracks };
}

function readTrack(bytes: Uint8Array, trak: Box): Track | undefined {
  const view = viewOf(bytes);
  const [header, media] = [find(bytes, trak, 'tkhd'), find(bytes, trak, 'mdia/mdhd')];
  const [handler, samples] = [find(bytes, trak, 'mdia/hdlr'), find(bytes, trak, 'mdia/minf/stbl/stsd')];
  if (!header || !media || !handler || !samples) return undefined;
  const entry = boxesIn(bytes, samples.body + 8, samples.end)[0];
  const name = String.fromCharCode(...bytes.subarray(handler.body + 8, handler.body + 12));
  const kind = name === 'vide' ? 'video' : name === 'soun' ? 'audio' : 'other';
  // Version 1 of both boxes has 64-bit times before the field that is read here.
  const id = view.getUint32(header.body + (view.getUint8(header.body) === 1 ? 20 : 12));
  const timescale = view.getUint32(media.body + (view.getUint8(media.body) === 1 ? 20 : 12));
  return { id, kind, timescale, codec: entry ? codecOf(bytes, entry) : '' };
}

function codecOf(bytes: Uint8Array, entry: Box): string {
  const inside = (type: string, skip: number): Box | undefined =>
    boxesIn(bytes, entry.body + skip, entry.end).find((box) => box.type === type);
  const avc = inside('avcC', visualEntryBytes);
  if (avc) return `${entry.type}.${[1, 2, 3].map((index) => hex(bytes[avc.body + index] ?? 0)).join('')}`;
  const hevc = inside('hvcC', visualEntryBytes);
  if (hevc) return hevcCodec(entry.type, bytes.subarray(hevc.body, hevc.end));
  const aac = inside('esds', audioEntryBytes);
  if (aac) return `mp4a.40.${aacType(bytes.subarray(aac.body, aac.end))}`;
  return entry.type === 'Opus' ? 'opus' : entry.type;
}

/** ISO/IEC 14496-15 annex E: profile, compatibility (bits reversed), tier and level, constraints without trailing zeros. */
function hevcCodec(type: string, config: Uint8Array): string {
  const view = viewOf(config);
  const first = view.getUint8(1);
  const space = ['', 'A', 'B', 'C'][first >> 6] ?? '';
  let reversed = 0;
  for (let bit = 0; bit < 32; bit += 1)
    reversed = ((reversed << 1) | ((view.getUint32(2) >>> bit) & 1)) >>> 0;
  const tier = (first & 0x20) === 0 ? 'L' : 'H';
  const constraints = [...config.subarray(6, 12)];
  while (constraints.length > 0 && constraints.at(-1) === 0) constraints.pop();
  return [
    `${type}.${space}${String(first & 0x1f)}`,
    reversed.toString(16).toUpperCase(),
    `${tier}${String(view.getUint8(12))}`,
    ...constraints.map((value) => value.toString(16).toUpperCase()),
  ].join('.');
}

/** Audio object type out of the decoder's own configuration (ISO/IEC 14496-1 §7.2.6, tag 5); 2 is AAC-LC. */
function aacType(esds: Uint8Array): string {
  const at = esds.indexOf(0x05, 4);
  let config = at + 1;
  while (((esds[config] ?? 0) & 0x80) !== 0) config += 1;
  return String(((esds[config + 1] ?? 0x10) >> 3) & 0x1f || 2);
}

/** The time of a fragment on the video track (the first track where there is no video). */
export function fragmentTime(bytes: Uint8Array, start: StreamStart): FragmentTime | undefined {
  const track = start.tracks.find((one) => one.kind === 'video') ?? start.tracks[0];
  const moof = boxesIn(bytes).find((box) => box.type === 'moof');
  if (!track || !moof) return undefined;
  const view = viewOf(bytes);
  for (const traf of boxesIn(bytes, moof.body, moof.end).filter((box) => box.type === 'traf')) {
    const head = find(bytes, traf, 'tfhd');
    const decode = find(bytes, traf, 'tfdt');
    if (!head || !decode || view.getUint32(head.body + 4) !== track.id) continue;
    const at = decode.body + 4;
    const ticks = view.getUint8(decode.body) === 1 ? Number(view.getBigUint64(at)) : view.getUint32(at);
    const runs = boxesIn(bytes, traf.body, traf.end).filter((box) => box.type === 'trun');
    const length = runs.reduce((sum, run) => sum + runTicks(view, run, defaultTicks(view, head)), 0);
    return { start: ticks / track.timescale, duration: length / track.timescale };
  }
  return undefined;
}

/** `default_sample_duration` of a tfhd (§8.8.7), 0 when it has none. */
function defaultTicks(view: DataView, head: Box): number {
  const flags = view.getUint32(head.body) & 0xffffff;
  if ((flags & 0x08) === 0) return 0;
  return view.getUint32(head.body + 8 + ((flags & 0x01) === 0 ? 0 : 8) + ((flags & 0x02) === 0 ? 0 : 4));
}

/** Length of a trun (§8.8.8): the sum of its samples' durations. */
function runTicks(view: DataView, run: Box, defaultDuration: number): number {
  const flags = view.getUint32(run.body) & 0xffffff;
  const count = view.getUint32(run.body + 4);
  if ((flags & 0x100) === 0) return count * defaultDuration;
  const fields = [0x100, 0x200, 0x400, 0x800].filter((flag) => (flags & flag) !== 0).length;
  const first = run.body + 8 + ((flags & 0x01) === 0 ? 0 : 4) + ((flags & 0x04) === 0 ? 0 : 4);
  let ticks = 0;
  for (let index = 0; index < count && first + index * fields * 4 + 4 <= run.end; index += 1)
    ticks += view.getUint32(first + index * fields * 4);
  return ticks;
}
