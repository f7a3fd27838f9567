/**
 * One ffmpeg that runs for long: its output as it comes, its messages line by line, its end. Its own spawn, because
 * fluent-ffmpeg keeps all messages in memory and hides the process. When the service dies, ffmpeg's next write fails and it ends too.
 */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';

/** Last messages kept, to say why it ended. */
const linesMax = 40;
const lineCharsMax = 500;
/** ffmpeg says goodbye to the camera (TEARDOWN) when asked to end; after this it is made to. */
const killMs = 2_000;

export type FfmpegEvents = {
  data(chunk: Buffer): void;
  line(text: string): void;
  /** Once, after the last data. */
  end(lines: readonly string[]): void;
};

export class FfmpegProcess {
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #lines: string[] = [];
  readonly #ended: Promise<void>;
  #killTimer: NodeJS.Timeout | undefined;

  constructor(path: string, args: readonly string[], events: FfmpegEvents) {
    // No environment of ours: it holds keys that ffmpeg needs not know.
    this.#child = spawn(path, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C' },
    });
    this.#child.stdout.on('data', (chunk: Buffer) => events.data(chunk));
    this.#readLines(events);
    this.#ended = new Promise((resolve) => {
      let over = false;
      const end = (): void => {
        if (over) return;
        over = true;
        clearTimeout(this.#killTimer);
        events.end(this.#lines);
        resolve();
      };
      this.#child.once('error', (error) => {
        this.#lines.push(`ffmpeg cannot be started: ${error.message}`);
        end();
      });
      this.#child.once('close', end);
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Ends it; resolves when it is gone. */
  stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    this.#killTimer ??= setTimeout(() => this.#child.kill('SIGKILL'), killMs);
    return this.#ended;
  }

  /** At once, for one that hangs. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #readLines(events: FfmpegEvents): void {
    let rest = '';
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split(/[\r\n]+/);
      rest = (lines.pop() ?? '').slice(-lineCharsMax);
      for (const line of lines) this.#note(line.slice(0, lineCharsMax), events);
    });
    this.#child.stderr.once('end', () => {
      if (rest !== '') this.#note(rest, events);
    });
  }

  #note(line: string, events: FfmpegEvents): void {
    if (line.trim() === '') return;
    this.#lines.push(line);
    if (this.#lines.length > linesMax) this.#lines.shift();
    events.line(line);
  }
}
