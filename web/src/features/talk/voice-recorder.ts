/** Records a voice note: Opus from the microphone, with its wave. The microphone is let go at once when it ends. */

/** A note is a note: what takes longer is a call. It also keeps the file far below its limit. */
export const voiceMsMax = 5 * 60_000;
const measureMs = 50;
/** As many as a message may carry. */
const wavePoints = 64;
/** The most common first; Safari has only the last. */
const kinds = ['audio/webm;codecs=opus', 'audio/ogg;codecs=opus', 'audio/mp4'] as const;
const bitsPerSecond = 24_000;

export type VoiceNote = { blob: Blob; durationMs: number; wave: number[] };
export type VoiceRecording = {
  /** Ends it; undefined when nothing was heard by the recorder. */
  stop(): Promise<VoiceNote | undefined>;
  cancel(): void;
};

export const canRecord = (): boolean =>
  typeof MediaRecorder === 'function' && typeof navigator.mediaDevices?.getUserMedia === 'function';

/** Loudnesses of any number as at most 64 from 0 to 100, the loudest being 100. */
export function waveOf(levels: readonly number[]): number[] {
  if (levels.length === 0) return [];
  const count = Math.min(wavePoints, levels.length);
  const peaks = Array.from({ length: count }, (_, index) => {
    const from = Math.floor((index * levels.length) / count);
    const to = Math.max(from + 1, Math.floor(((index + 1) * levels.length) / count));
    return Math.max(...levels.slice(from, to));
  });
  const loudest = Math.max(...peaks, 0.01);
  return peaks.map((peak) => Math.round(Math.min(1, peak / loudest) * 100));
}

function measure(stream: MediaStream, heard: (level: number) => void): () => void {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 512;
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    heard(samples.reduce((loudest, sample) => Math.max(loudest, Math.abs(sample)), 0));
  }, measureMs);
  return () => {
    clearInterval(timer);
    void context.close();
  };
}

/**
 * @param heard gets the loudness (0 to 1) some times a second
 * @throws DOMException when the microphone is refused or missing
 */
export async function recordVoice(heard: (level: number) => void): Promise<VoiceRecording> {
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: { echoCancellation: true, noiseSuppression: true, channelCount: 1 },
  });
  const mimeType = kinds.find((kind) => MediaRecorder.isTypeSupported(kind));
  const recorder = new MediaRecorder(stream, {
    ...(mimeType ? { mimeType } : {}),
    audioBitsPerSecond: bitsPerSecond,
  });
  const levels: number[] = [];
  const pieces: Blob[] = [];
  const stopMeasuring = measure(stream, (level) => {
    levels.push(level);
    heard(level);
  });
  const begun = performance.now();
  recorder.addEventListener('dataavailable', (event) => pieces.push(event.data));
  recorder.start(1_000);

  function letGo(): void {
    stopMeasuring();
    for (const track of stream.getTracks()) track.stop();
  }
  return {
    stop: async () => {
      const durationMs = Math.round(performance.now() - begun);
      const ended = new Promise((resolve) => recorder.addEventListener('stop', resolve, { once: true }));
      if (recorder.state !== 'inactive') {
        recorder.stop();
        await ended;
      }
      letGo();
      const blob = new Blob(pieces, { type: recorder.mimeType });
      return blob.size === 0 ? undefined : { blob, durationMs, wave: waveOf(levels) };
    },
    cancel: () => {
      if (recorder.state !== 'inactive') recorder.stop();
      letGo();
    },
  };
}
