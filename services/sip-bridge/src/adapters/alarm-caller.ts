/** Calls of the box itself, a few at once: alarms that are spoken, and drills. */
import { readFile } from 'node:fs/promises';
import { AppError, type Clock, type Logger, type Random } from '@siphera/runtime';
import type { SipBridgeConfig } from '../config.ts';
import { readWav, sampleRate } from '../domain/alarm-audio.ts';
import { alarmNumber } from '../domain/alarm-number.ts';
import { outcomeOfCall, type CallOutcome } from '../domain/alarm-outcome.ts';
import { softphoneCredential } from '../domain/softphone.ts';
import { AlarmDialog } from './alarm-dialog.ts';
import { AlarmMedia } from './alarm-media.ts';

/** A path of a WAV is spoken once more, then the call ends; true ends it at once. */
export type DigitAnswer = boolean | string;
export type CallOrder = {
  /** What is dialled, as from a phone of the box. */
  to: string;
  ringMsMax: number;
  /** WAV, 8 kHz mono 16-bit: played from the answer on, again after a pause, until the call ends. */
  wav: string | undefined;
  talkMsMax: number;
  onAnswer?(): void;
  /** Keys are told one after another. */
  onDigit?(digit: string): DigitAnswer | Promise<DigitAnswer>;
  /** Further headers of the INVITE, e.g. where a drill calls from. */
  headers?: Readonly<Record<string, string>>;
  signal?: AbortSignal;
};
/** Calls as the box itself. At most so many at once as its bound; further ones wait. */
export type Caller = { call(order: CallOrder): Promise<CallOutcome> };

/** A trunk of a small house carries few calls, and people who work on the alarm need some of them. */
const callsAtOnce = 3;
/** Keys that are kept of one call. */
const digitsMax = 64;
/** What is dialled: digits, a leading plus, star codes. */
const dialled = /^[+*#]?[\d*#]{1,24}$/;

type Options = {
  config: Pick<SipBridgeConfig, 'SIP_ADDRESS' | 'SIP_DOMAIN' | 'SIP_SECRET' | 'MEDIA_ADDRESS'>;
  clock: Clock;
  random: Random;
  log: Logger;
};

export class AlarmCaller implements Caller {
  readonly #options: Options;
  readonly #stop = new AbortController();
  readonly #waiting: (() => void)[] = [];
  readonly #calls = new Set<Promise<unknown>>();
  #free = callsAtOnce;

  constructor(options: Options) {
    this.#options = options;
  }

  /** @throws AppError `unprocessable` for what nobody could dial. */
  async call(order: CallOrder): Promise<CallOutcome> {
    if (!dialled.test(order.to)) throw new AppError('unprocessable', 'That is no number to dial.');
    const call = this.#inTurn(order);
    this.#calls.add(call);
    try {
      return await call;
    } finally {
      this.#calls.delete(call);
    }
  }

  /** Hangs up everywhere. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.allSettled(this.#calls);
  }

  async #inTurn(order: CallOrder): Promise<CallOutcome> {
    while (this.#free === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#free -= 1;
    try {
      const signal = AbortSignal.any([this.#stop.signal, ...(order.signal ? [order.signal] : [])]);
      if (signal.aborted)
        return { outcome: 'failed', code: undefined, reason: 'Stopped', answeredMs: undefined, digits: '' };
      return await this.#place(order, signal);
    } finally {
      this.#free += 1;
      this.#waiting.shift()?.();
    }
  }

  async #place(order: CallOrder, signal: AbortSignal): Promise<CallOutcome> {
    const samples = order.wav === undefined ? undefined : await readSpeech(order.wav);
    const one = new OneCall(this.#options, order, samples);
    return one.run(signal);
  }
}

async function readSpeech(path: string): Promise<Int16Array> {
  const sound = readWav(await readFile(path));
  if (sound.rate !== sampleRate) throw new Error('Speech for phones has 8,000 samples a second');
  return sound.samples;
}

/** One call from dialling to its end. */
class OneCall {
  readonly #options: Options;
  readonly #order: CallOrder;
  readonly #samples: Int16Array | undefined;
  readonly #ended = Promise.withResolvers<{ answered: boolean; code: number | undefined; reason: string }>();
  #dialog: AlarmDialog | undefined;
  #media: AlarmMedia | undefined;
  #limit: NodeJS.Timeout | undefined;
  #startedMs = 0;
  #answeredMs: number | undefined;
  #digits = '';
  #keys: Promise<void> = Promise.resolve();
  #why: string | undefined;

  constructor(options: Options, order: CallOrder, samples: Int16Array | undefined) {
    this.#options = options;
    this.#order = order;
    this.#samples = samples;
  }

  async run(signal: AbortSignal): Promise<CallOutcome> {
    const { clock } = this.#options;
    const onAbort = (): void => this.#leave('Stopped');
    try {
      this.#startedMs = clock.monotonic();
      const dialog = await this.#open();
      signal.addEventListener('abort', onAbort);
      this.#limit = setTimeout(() => this.#leave('Nobody took it up'), this.#order.ringMsMax);
      const media = this.#media;
      if (media) dialog.invite({ address: this.#mediaAddress(dialog), port: media.port });
      if (signal.aborted) onAbort();
      const end = await this.#ended.promise;
      await this.#keys;
      return outcomeOfCall({
        ...end,
        reason: this.#why ?? end.reason,
        leftWhileRinging: this.#why !== undefined && this.#answeredMs === undefined,
        answeredMs: this.#answeredMs,
        digits: this.#digits,
      });
    } finally {
      clearTimeout(this.#limit);
      signal.removeEventListener('abort', onAbort);
      this.#media?.close();
    }
  }

  async #open(): Promise<AlarmDialog> {
    const { config, clock, random } = this.#options;
    const login = softphoneCredential(config.SIP_SECRET, alarmNumber, clock.now());
    const dialog = await AlarmDialog.open(
      {
        server: hostAndPort(config.SIP_ADDRESS),
        domain: config.SIP_DOMAIN,
        from: { number: alarmNumber, name: 'Alarm' },
        login,
        to: this.#order.to,
        headers: this.#order.headers ?? {},
        clock,
        random,
      },
      {
        onRinging: () => undefined,
        onSound: (sound) => this.#media?.sendTo(sound),
        onAnswer: () => this.#answered(),
        onKey: (digit) => this.#press(digit),
        onEnd: (end) => this.#ended.resolve(end),
      },
    );
    this.#dialog = dialog;
    const onKey = (digit: string): void => this.#press(digit);
    this.#media = await AlarmMedia.open({ address: this.#mediaAddress(dialog), clock, random, onKey });
    return dialog;
  }

  #mediaAddress = (dialog: AlarmDialog): string => this.#options.config.MEDIA_ADDRESS ?? dialog.address;

  #answered(): void {
    clearTimeout(this.#limit);
    this.#answeredMs = Math.round(this.#options.clock.monotonic() - this.#startedMs);
    if (this.#samples) this.#media?.speak(this.#samples);
    this.#limit = setTimeout(() => this.#leave('The time to talk is over'), this.#order.talkMsMax);
    this.#order.onAnswer?.();
  }

  #press(digit: string): void {
    if (this.#answeredMs === undefined || this.#digits.length >= digitsMax) return;
    this.#digits += digit;
    // One key after another: the first may wait for core.
    this.#keys = this.#keys.then(async () => {
      try {
        const answer = (await this.#order.onDigit?.(digit)) ?? false;
        if (typeof answer === 'string') await this.#media?.speakLast(await readSpeech(answer));
        if (answer !== false) this.#leave('');
      } catch (error) {
        this.#options.log.error('alarm_key_failed', { error });
      }
    });
  }

  #leave(why: string): void {
    this.#why ??= why;
    this.#dialog?.leave();
  }
}

function hostAndPort(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(address.slice(colon + 1)) };
}
