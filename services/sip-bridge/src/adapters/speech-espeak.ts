/**
 * Speaks text by espeak-ng into files for phones. What must stay true: text of rules and events is data on stdin, never a word of
 * the command; without espeak-ng people are called all the same, and hear a tone.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger, Random } from '@siphera/runtime';
import { alarmTone, readWav, resample, sampleRate, writeWav, type Sound } from '../domain/alarm-audio.ts';
import type { SpokenLanguage } from '../domain/alarm-words.ts';

/** A sentence takes it some milliseconds; a machine under load takes longer. */
const speakMsMax = 20_000;
/** Two minutes at 22,050 samples a second. */
const bytesMax = 6_000_000;
/** Words a minute; its own 175 are hard to follow on a phone. */
const wordsPerMinute = '140';
/** Spoken texts that are kept: most alarms are the same few. */
const filesMax = 200;

export type Speech = {
  /** @returns the path of a WAV file, 8 kHz mono 16-bit. */
  say(text: string, language: SpokenLanguage): Promise<string>;
  /** Why it cannot speak; undefined: it can, or was not asked yet. */
  problem(): string | undefined;
};

type Options = { program: string; directory: string; random: Random; log: Logger };

export class EspeakSpeech implements Speech {
  readonly #options: Options;
  #problem: string | undefined;

  constructor(options: Options) {
    this.#options = options;
  }

  problem(): string | undefined {
    return this.#problem;
  }

  async say(text: string, language: SpokenLanguage): Promise<string> {
    const { directory, log } = this.#options;
    const name = createHash('sha256').update(`${language} ${text}`).digest('hex').slice(0, 32);
    const path = join(directory, `${name}.wav`);
    if (await exists(path)) return path;
    await mkdir(directory, { recursive: true, mode: 0o750 });
    try {
      const sound = readWav(await this.#speak(text, language));
      await this.#write(path, resample(sound, sampleRate));
      this.#problem = undefined;
      return path;
    } catch (error) {
      this.#problem = error instanceof Error ? error.message.split('\n')[0] : 'espeak-ng failed';
      log.error('alarm_not_spoken', { error });
      const tone = join(directory, 'tone.wav');
      if (!(await exists(tone))) await this.#write(tone, { rate: sampleRate, samples: alarmTone() });
      return tone;
    }
  }

  #speak(text: string, language: SpokenLanguage): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const child = execFile(
        this.#options.program,
        ['-v', language, '-s', wordsPerMinute, '--stdin', '--stdout'],
        { timeout: speakMsMax, maxBuffer: bytesMax, encoding: 'buffer' },
        (error, stdout) => {
          if (error) reject(new Error(`espeak-ng failed: ${error.message}`, { cause: error }));
          else resolve(stdout);
        },
      );
      // It may be gone before it has read; its own end says why.
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(text);
    });
  }

  async #write(path: string, sound: Sound): Promise<void> {
    const { directory, random } = this.#options;
    const next = join(directory, `.${random.uuid()}`);
    await writeFile(next, writeWav(sound));
    await rename(next, path);
    await removeOldest(directory);
  }
}

async function removeOldest(directory: string): Promise<void> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.wav'));
  if (names.length <= filesMax) return;
  const files = await Promise.all(
    names.map(async (name) => ({ name, ms: (await stat(join(directory, name))).mtimeMs })),
  );
  files.sort((a, b) => a.ms - b.ms);
  for (const { name } of files.slice(0, names.length - filesMax))
    await rm(join(directory, name), { force: true });
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
