/** How good a call is, in a word, and whether its picture has to give way to its sound. Pure: fed with what WebRTC counts. */

/** Of the last two seconds. */
export type QualitySample = {
  /** Share of sound packets lost on the way here, and on the way there as the other side reports it; 0 to 1. */
  lossIn: number;
  lossOut: number;
  /** Round trip in milliseconds; null while nothing was reported. */
  rttMs: number | null;
  /** What the connection can carry by the browser's guess, in bits per second; null when it does not guess. */
  outgoingBps: number | null;
  /** Sound packets that came. */
  packetsIn: number;
};
export type QualityWord = 'good' | 'fair' | 'poor' | 'silent';
export type Quality = { word: QualityWord; pauseVideo: boolean };

/** Opus with its own repair is clean to about two per cent of loss and understood to about six. */
const lossFair = 0.02;
const lossPoor = 0.06;
/** ITU-T G.114: talk begins to overlap from 150 ms one way, and is hard from 400 ms. */
const rttFairMs = 300;
const rttPoorMs = 700;
/** Sound needs 40 kbit/s with its headers; what is below this leaves nothing for a picture. */
const videoBpsMin = 150_000;
/** Two bad samples in a row stop the picture (four seconds); five good ones bring it back (ten seconds). */
const badToPause = 2;
const goodToResume = 5;
/** After two samples without a single packet the other side cannot be heard. */
const silentSamples = 2;

export class QualityJudge {
  #bad = 0;
  #good = 0;
  #silent = 0;
  #paused = false;

  judge(sample: QualitySample): Quality {
    this.#silent = sample.packetsIn === 0 ? this.#silent + 1 : 0;
    const word = this.#silent >= silentSamples ? 'silent' : wordOf(sample);
    const isStarved = sample.outgoingBps !== null && sample.outgoingBps < videoBpsMin;
    const isBad = word === 'poor' || word === 'silent' || isStarved;
    this.#bad = isBad ? this.#bad + 1 : 0;
    this.#good = isBad ? 0 : this.#good + 1;
    if (this.#bad >= badToPause) this.#paused = true;
    else if (this.#good >= goodToResume) this.#paused = false;
    return { word, pauseVideo: this.#paused };
  }
}

function wordOf({ lossIn, lossOut, rttMs }: QualitySample): QualityWord {
  const loss = Math.max(lossIn, lossOut);
  const rtt = rttMs ?? 0;
  if (loss >= lossPoor || rtt >= rttPoorMs) return 'poor';
  return loss >= lossFair || rtt >= rttFairMs ? 'fair' : 'good';
}
