/**
 * How each codec goes over RTP: H.264 (RFC 6184), H.265 (RFC 7798), AAC (RFC 3640), from the samples of fragmented MP4.
 * Says the media section of the SDP, and cuts samples into payloads.
 */
import { configurationOf, type Track } from './mp4-init.ts';

/** A picture, or a piece of sound. */
export type Unit = { bytes: Buffer; key: boolean };

export type RtpFormat = {
  payloadType: number;
  /** RTP timestamp ticks a second. */
  clockRate: number;
  /** Media section of the SDP (RFC 8866 §5.14), without its control attribute. */
  sdp: string[];
  /** Its payloads in order; the last one ends it. */
  payloads(unit: Unit): Buffer[];
};

/** Below an Ethernet packet, though TCP would bear more: receivers forward it over UDP. */
const payloadBytesMax = 1_400;

/** Undefined for a codec that cannot go. */
export function rtpFormatOf(track: Track): RtpFormat | undefined {
  const avc = configurationOf(track, 'avcC');
  if (track.kind === 'video' && avc) return h264(avc);
  const hevc = configurationOf(track, 'hvcC');
  if (track.kind === 'video' && hevc) return h265(hevc);
  const esds = configurationOf(track, 'esds');
  return track.kind === 'audio' && esds ? aac(track, esds) : undefined;
}

/** AVCDecoderConfigurationRecord (ISO/IEC 14496-15 §5.3.3.1): counted lists of parameter sets. */
function h264(avcC: Buffer): RtpFormat {
  const sets: Buffer[] = [];
  let at = 5;
  for (const mask of [0x1f, 0xff]) {
    const count = avcC.readUInt8(at) & mask;
    at += 1;
    for (let index = 0; index < count; index += 1) {
      const bytes = avcC.readUInt16BE(at);
      sets.push(avcC.subarray(at + 2, at + 2 + bytes));
      at += 2 + bytes;
    }
  }
  const lengthBytes = (avcC.readUInt8(4) & 3) + 1;
  const sprop = sets.map((set) => set.toString('base64')).join(',');
  const level = avcC.toString('hex', 1, 4).toUpperCase();
  return {
    payloadType: 96,
    clockRate: 90_000,
    sdp: [
      'm=video 0 RTP/AVP 96',
      'a=rtpmap:96 H264/90000',
      `a=fmtp:96 packetization-mode=1;profile-level-id=${level};sprop-parameter-sets=${sprop}`,
    ],
    payloads: ({ bytes, key }) =>
      [...(key ? sets : []), ...unitsOf(bytes, lengthBytes)].flatMap((unit) => cut(unit, fuA)),
  };
}

/** HEVCDecoderConfigurationRecord (ISO/IEC 14496-15 §8.3.3.1): arrays by NAL unit type, 32 VPS, 33 SPS, 34 PPS. */
function h265(hvcC: Buffer): RtpFormat {
  const sets = new Map<number, Buffer[]>();
  let at = 23;
  for (let array = hvcC.readUInt8(22); array > 0; array -= 1) {
    const type = hvcC.readUInt8(at) & 0x3f;
    const count = hvcC.readUInt16BE(at + 1);
    at += 3;
    for (let index = 0; index < count; index += 1) {
      const bytes = hvcC.readUInt16BE(at);
      sets.set(type, [...(sets.get(type) ?? []), hvcC.subarray(at + 2, at + 2 + bytes)]);
      at += 2 + bytes;
    }
  }
  const lengthBytes = (hvcC.readUInt8(21) & 3) + 1;
  const sprop = (type: number): string =>
    (sets.get(type) ?? []).map((set) => set.toString('base64')).join(',');
  const all = [32, 33, 34].flatMap((type) => sets.get(type) ?? []);
  return {
    payloadType: 96,
    clockRate: 90_000,
    sdp: [
      'm=video 0 RTP/AVP 96',
      'a=rtpmap:96 H265/90000',
      `a=fmtp:96 sprop-vps=${sprop(32)};sprop-sps=${sprop(33)};sprop-pps=${sprop(34)}`,
    ],
    payloads: ({ bytes, key }) =>
      [...(key ? all : []), ...unitsOf(bytes, lengthBytes)].flatMap((unit) => cut(unit, fu265)),
  };
}

/** AAC-hbr (RFC 3640 §3.3.6): one access unit a packet, its size in 13 bits. */
function aac(track: Track, esds: Buffer): RtpFormat | undefined {
  const config = decoderSpecificInfo(esds);
  if (!config) return undefined;
  const channels = track.entry.content.readUInt16BE(16);
  const parameters =
    'streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3';
  return {
    payloadType: 97,
    clockRate: track.timescale,
    sdp: [
      'm=audio 0 RTP/AVP 97',
      `a=rtpmap:97 MPEG4-GENERIC/${track.timescale}/${channels}`,
      `a=fmtp:97 ${parameters};config=${config.toString('hex')}`,
    ],
    payloads: ({ bytes }) => {
      const head = Buffer.alloc(4);
      head.writeUInt16BE(16);
      head.writeUInt16BE((bytes.length << 3) & 0xffff, 2);
      return [Buffer.concat([head, bytes])];
    },
  };
}

/** Descriptor 5 inside 4 inside 3 (ISO/IEC 14496-1 §7.2.6), each length in groups of 7 bits. */
function decoderSpecificInfo(esds: Buffer): Buffer | undefined {
  let at = 4;
  for (const [tag, skip] of [
    [3, 3],
    [4, 13],
    [5, 0],
  ] as const) {
    if (esds[at] !== tag) return undefined;
    let length = 0;
    do {
      at += 1;
      length = length * 128 + ((esds[at] ?? 0) & 0x7f);
    } while (((esds[at] ?? 0) & 0x80) !== 0);
    at += 1;
    if (tag === 5) return esds.subarray(at, at + length);
    at += skip;
  }
  return undefined;
}

/** NAL units of a sample, each behind its length. One that does not fit ends it: the rest cannot be found. */
function unitsOf(bytes: Buffer, lengthBytes: number): Buffer[] {
  const units: Buffer[] = [];
  for (let at = 0; at + lengthBytes <= bytes.length;) {
    const length = bytes.readUIntBE(at, lengthBytes);
    at += lengthBytes;
    if (length > bytes.length - at) break;
    if (length > 0) units.push(bytes.subarray(at, at + length));
    at += length;
  }
  return units;
}

type Fragmenting = {
  /** Bytes of the NAL unit's own header, which the fragments carry in another form. */
  headerBytes: number;
  head: (unit: Buffer, first: boolean, last: boolean) => Buffer;
};

/** FU-A (RFC 6184 §5.8). */
const fuA: Fragmenting = {
  headerBytes: 1,
  head: (unit, first, last) => {
    const nal = unit.readUInt8(0);
    return Buffer.from([(nal & 0xe0) | 28, (first ? 0x80 : 0) | (last ? 0x40 : 0) | (nal & 0x1f)]);
  },
};
/** FU (RFC 7798 §4.4.3). */
const fu265: Fragmenting = {
  headerBytes: 2,
  head: (unit, first, last) => {
    const nal = unit.readUInt8(0);
    const type = (nal >> 1) & 0x3f;
    return Buffer.from([
      (nal & 0x81) | (49 << 1),
      unit.readUInt8(1),
      (first ? 0x80 : 0) | (last ? 0x40 : 0) | type,
    ]);
  },
};

function cut(unit: Buffer, { headerBytes, head }: Fragmenting): Buffer[] {
  if (unit.length <= payloadBytesMax || unit.length <= headerBytes) return [unit];
  const pieces: Buffer[] = [];
  for (let at = headerBytes; at < unit.length; at += payloadBytesMax) {
    const end = Math.min(at + payloadBytesMax, unit.length);
    const fragmentHead = head(unit, at === headerBytes, end === unit.length);
    pieces.push(Buffer.concat([fragmentHead, unit.subarray(at, end)]));
  }
  return pieces;
}
