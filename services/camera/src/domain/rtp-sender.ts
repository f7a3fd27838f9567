/**
 * One track on its way as RTP (RFC 3550) inside an RTSP connection: sequence numbers and timestamps that go on when the camera
 * connects again, and sender reports that tie them to the clock on the wall.
 */
import type { RtpFormat, Unit } from './rtp-format.ts';

const ntpOffsetSeconds = 2_208_988_800;

export class RtpSender {
  readonly #format: RtpFormat;
  readonly #channels: { rtp: number; rtcp: number };
  readonly #ssrc: number;
  readonly #base: number;
  #sequence: number;
  #packets = 0;
  #bytes = 0;

  /** @param seed 10 random bytes: source, first sequence number and first timestamp (RFC 3550 §5.1). */
  constructor(format: RtpFormat, channels: { rtp: number; rtcp: number }, seed: Buffer) {
    this.#format = format;
    this.#channels = channels;
    this.#ssrc = seed.readUInt32BE(0);
    this.#base = seed.readUInt32BE(4);
    this.#sequence = seed.readUInt16BE(8);
  }

  /** For RTP-Info (RFC 2326 §12.33). */
  get start(): { sequence: number; timestamp: number } {
    return { sequence: this.#sequence, timestamp: this.#base };
  }

  /** Interleaved packets of a unit shown at `seconds` of the connection's own time. */
  packets(unit: Unit, seconds: number): Buffer[] {
    const payloads = this.#format.payloads(unit);
    const timestamp = this.#timestampAt(seconds);
    return payloads.flatMap((payload, index) => {
      const head = Buffer.alloc(16);
      head.writeUInt8(0x24, 0);
      head.writeUInt8(this.#channels.rtp, 1);
      head.writeUInt16BE(12 + payload.length, 2);
      head.writeUInt8(0x80, 4);
      head.writeUInt8((index === payloads.length - 1 ? 0x80 : 0) | this.#format.payloadType, 5);
      head.writeUInt16BE(this.#sequence, 6);
      head.writeUInt32BE(timestamp, 8);
      head.writeUInt32BE(this.#ssrc, 12);
      this.#sequence = (this.#sequence + 1) & 0xffff;
      this.#packets += 1;
      this.#bytes += payload.length;
      return [head, payload];
    });
  }

  /** Sender report (RFC 3550 §6.4.1): what the wall showed at `seconds`. */
  report(seconds: number, wallMs: number): Buffer {
    const packet = Buffer.alloc(32);
    packet.writeUInt8(0x24, 0);
    packet.writeUInt8(this.#channels.rtcp, 1);
    packet.writeUInt16BE(28, 2);
    packet.writeUInt8(0x80, 4);
    packet.writeUInt8(200, 5);
    packet.writeUInt16BE(6, 6);
    packet.writeUInt32BE(this.#ssrc, 8);
    const whole = Math.floor(wallMs / 1_000);
    packet.writeUInt32BE((whole + ntpOffsetSeconds) % 2 ** 32, 12);
    packet.writeUInt32BE(Math.floor((wallMs / 1_000 - whole) * 2 ** 32), 16);
    packet.writeUInt32BE(this.#timestampAt(seconds), 20);
    packet.writeUInt32BE(this.#packets % 2 ** 32, 24);
    packet.writeUInt32BE(this.#bytes % 2 ** 32, 28);
    return packet;
  }

  #timestampAt(seconds: number): number {
    return (this.#base + Math.round(seconds * this.#format.clockRate)) % 2 ** 32;
  }
}
