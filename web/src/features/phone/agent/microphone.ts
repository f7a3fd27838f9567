/** Microphone, silence instead of one, and the loudspeaker of phone calls. Devices are chosen once for talk and phone alike. */

const choiceKey = 'siphera_call_devices';

export type DeviceChoice = { microphone: string | null; speaker: string | null };

/** What was chosen in this browser, in a call of talk or here. */
export function readDevices(): DeviceChoice {
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
  const kept = keptChoice();
  return { microphone: text(kept['microphone']), speaker: text(kept['speaker']) };
}

export function keepDevices(patch: Partial<DeviceChoice>): DeviceChoice {
  localStorage.setItem(choiceKey, JSON.stringify({ ...keptChoice(), ...patch }));
  return readDevices();
}

function keptChoice(): Record<string, unknown> {
  try {
    return JSON.parse(localStorage.getItem(choiceKey) ?? '{}') as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** Undefined when there is none or the browser refuses: one can still listen. */
export async function openMicrophone(): Promise<MediaStream | undefined> {
  const { microphone } = readDevices();
  const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: microphone === null ? audio : { ...audio, deviceId: { ideal: microphone } },
    });
  } catch {
    return undefined;
  }
}

/**
 * A track that says nothing, so that a call without a microphone is a call like others: phones and trunks send to who sends. It needs a
 * source that plays silence; without any, the browser sends no packet at all.
 */
export function openSilence(): MediaStream | undefined {
  if (typeof AudioContext !== 'function') return undefined;
  const context = new AudioContext();
  const source = context.createConstantSource();
  const output = context.createMediaStreamDestination();
  source.offset.value = 0;
  source.connect(output);
  source.start();
  void context.resume();
  const [track] = output.stream.getAudioTracks();
  // A browser has few contexts: this one goes with its track.
  const stop = track?.stop.bind(track);
  if (track && stop)
    track.stop = () => {
      stop();
      void context.close().catch(() => undefined);
    };
  return output.stream;
}

export const stopStream = (stream: MediaStream | undefined): void => {
  for (const track of stream?.getTracks() ?? []) track.stop();
};

/** Plays the other side. One for each call. */
export class Loudspeaker {
  #element: HTMLAudioElement | undefined;

  play(stream: MediaStream): void {
    this.#element ??= new Audio();
    this.#element.autoplay = true;
    this.#element.srcObject = stream;
    this.use(readDevices().speaker);
    // Blocked only in a tab nobody has touched; the click that answers is a touch.
    void this.#element.play().catch(() => undefined);
  }

  use(speaker: string | null): void {
    const element = this.#element;
    if (element && 'setSinkId' in element) void element.setSinkId(speaker ?? '').catch(() => undefined);
  }

  silence(isSilent: boolean): void {
    if (this.#element) this.#element.muted = isSilent;
  }

  stop(): void {
    if (this.#element) this.#element.srcObject = null;
    this.#element = undefined;
  }
}
