/** Reads what a connection has counted since the last time. */
import type { QualitySample } from './call-quality.ts';

type Totals = { received: number; lost: number };
/** The fields of RTCStats that are read here (W3C webrtc-stats §8); DOM types leave most of them out. */
type Report = {
  type: string;
  kind?: string;
  nominated?: boolean;
  state?: string;
  packetsReceived?: number;
  packetsLost?: number;
  fractionLost?: number;
  roundTripTime?: number;
  currentRoundTripTime?: number;
  availableOutgoingBitrate?: number;
};

export class CallStats {
  #last: Totals = { received: 0, lost: 0 };

  async sample(connection: RTCPeerConnection): Promise<QualitySample> {
    const reports: Report[] = [];
    (await connection.getStats()).forEach((report) => reports.push(report as Report));
    const inbound = reports.find(({ type, kind }) => type === 'inbound-rtp' && kind === 'audio');
    const remote = reports.find(({ type, kind }) => type === 'remote-inbound-rtp' && kind === 'audio');
    const pair = reports.find(
      ({ type, nominated, state }) =>
        type === 'candidate-pair' && nominated === true && state === 'succeeded',
    );
    const totals = { received: inbound?.packetsReceived ?? 0, lost: inbound?.packetsLost ?? 0 };
    const received = Math.max(0, totals.received - this.#last.received);
    const lost = Math.max(0, totals.lost - this.#last.lost);
    this.#last = totals;
    const rtt = remote?.roundTripTime ?? pair?.currentRoundTripTime;
    return {
      lossIn: received + lost === 0 ? 0 : lost / (received + lost),
      lossOut: remote?.fractionLost ?? 0,
      rttMs: rtt === undefined ? null : rtt * 1_000,
      outgoingBps: pair?.availableOutgoingBitrate ?? null,
      packetsIn: received,
    };
  }
}
