import { describe, expect, it } from 'vitest';
import { QualityJudge, type QualitySample } from './call-quality.ts';

const clean: QualitySample = { lossIn: 0, lossOut: 0, rttMs: 20, outgoingBps: 2_000_000, packetsIn: 100 };
const judgeAll = (samples: Partial<QualitySample>[]) => {
  const judge = new QualityJudge();
  return samples.map((sample) => judge.judge({ ...clean, ...sample }));
};

describe('the quality of a call', () => {
  it('is told by the worse of the two ways', () => {
    expect(
      judgeAll([{}, { lossOut: 0.03 }, { lossIn: 0.1 }, { rttMs: 900 }]).map(({ word }) => word),
    ).toEqual(['good', 'fair', 'poor', 'poor']);
  });

  it('is silent when nothing comes for four seconds, not for two', () => {
    expect(judgeAll([{ packetsIn: 0 }, { packetsIn: 0 }]).map(({ word }) => word)).toEqual([
      'good',
      'silent',
    ]);
  });

  it('lets the picture go before the sound, and brings it back only when it stayed good', () => {
    const bad = { outgoingBps: 90_000 };
    expect(judgeAll([bad, {}, bad, bad, {}, {}, {}, {}, {}]).map(({ pauseVideo }) => pauseVideo)).toEqual([
      false,
      false,
      false,
      true,
      true,
      true,
      true,
      true,
      false,
    ]);
  });
});
