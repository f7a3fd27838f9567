/** The lab's command line and environment. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../root.ts';
import { cameras } from './building.ts';
import { sceneNames, type SceneName } from './scenes.ts';

const camerasDefault = 4;

/** Where `npm run dev` keeps its CA; where the installer keeps the box's. The first that is there is used. */
const caPlaces = ['/etc/siphera/pki/ca/ca.crt', join(root, '.dev/pki/ca/ca.crt')];

export const usage = `npm run lab -- [options]: a building on a Siphera box, with real agents and a day's pattern

  --box URL              the box, https://… (LAB_BOX; default https://localhost)
  --ca FILE              the box CA (LAB_CA; default: the one of this host's box, or of npm run dev)
  --email ADDRESS        an admin's account (LAB_EMAIL)
  --password-file FILE   with the password (LAB_PASSWORD_FILE, or the password itself in LAB_PASSWORD)
  --data DIR             identities and queues of the controllers (LAB_DATA; default .dev/lab/<box>)
  --panel HOST:PORT      where the box hears DC-09 (LAB_PANEL; default <box>:12000; "off" for no panel)
  --cameras N            how many of its ${cameras.length} cameras run here (LAB_CAMERAS; default ${camerasDefault}; 0: none)
  --camera-host ADDRESS  this machine's address as the box reaches it (LAB_CAMERA_HOST; default: the one towards the box)
  --rate N               how much faster than real the day goes (default 60: a day in 24 minutes; 1: real time)
  --start HH:MM          time of day at the start (default 08:10; with --rate 1 the real one)
  --duration SECONDS     stop after that
  --once SCENE           play one scene, wait until the box committed it, and stop:
                         ${sceneNames.join(' ')}
  --quiet                do not print what happens

Keys while it runs: f force a door · h hold a door open · p panic · s smoke · g glass · t tamper
                    o a controller goes offline, or comes back · a the panel's alarm · q quit
`;

export type LabOptions = {
  box: URL;
  ca: string;
  caFile: string;
  email: string;
  password: string;
  dataDir: string;
  panel: { host: string; port: number } | undefined;
  cameras: number;
  cameraHost: string | undefined;
  rate: number;
  startMinute: number | undefined;
  durationMs: number | undefined;
  once: SceneName | undefined;
  quiet: boolean;
};

export class UsageError extends Error {}

/** Reads the options; throws UsageError naming every one that is missing or wrong. */
export function readOptions(args: string[], env: NodeJS.ProcessEnv): LabOptions | 'help' {
  const { values } = parse(args);
  if (values.help) return 'help';
  const wrong: string[] = [];
  const box = URL.parse(values.box ?? env['LAB_BOX'] ?? 'https://localhost');
  if (box?.protocol !== 'https:') wrong.push('--box must be an https:// address');
  const caFile = values.ca ?? env['LAB_CA'] ?? caPlaces.find((place) => existsSync(place));
  if (caFile === undefined || !existsSync(caFile))
    wrong.push('--ca FILE: the box CA is needed to know the box');
  const email = values.email ?? env['LAB_EMAIL'];
  if (!email) wrong.push('--email: an admin of the box');
  const password = readPassword(
    values['password-file'] ?? env['LAB_PASSWORD_FILE'],
    env['LAB_PASSWORD'],
    wrong,
  );
  const rate = Number(values.rate ?? 60);
  if (!(rate >= 0.1 && rate <= 3_600)) wrong.push('--rate must be between 0.1 and 3600');
  const count = Number(values.cameras ?? env['LAB_CAMERAS'] ?? camerasDefault);
  if (!(Number.isInteger(count) && count >= 0 && count <= cameras.length))
    wrong.push(`--cameras must be 0 to ${cameras.length}`);
  const duration = values.duration === undefined ? undefined : Number(values.duration) * 1_000;
  if (duration !== undefined && !(duration > 0)) wrong.push('--duration must be a number of seconds');
  const startMinute = values.start === undefined ? undefined : minuteOf(values.start);
  if (values.start !== undefined && startMinute === undefined) wrong.push('--start must be HH:MM');
  const once = sceneNames.find((name) => name === values.once);
  if (values.once !== undefined && !once) wrong.push(`--once must be one of ${sceneNames.join(', ')}`);
  const panel = panelAddress(values.panel ?? env['LAB_PANEL'], box?.hostname ?? '', wrong);
  if (wrong.length > 0 || !box || caFile === undefined || !email) throw new UsageError(wrong.join('\n'));
  return {
    box,
    ca: readFileSync(caFile, 'utf8'),
    caFile,
    email,
    password,
    dataDir: values.data ?? env['LAB_DATA'] ?? join(root, '.dev/lab', box.host.replace(':', '_')),
    panel,
    cameras: count,
    cameraHost: values['camera-host'] ?? env['LAB_CAMERA_HOST'],
    rate,
    startMinute,
    durationMs: duration,
    once,
    quiet: values.quiet ?? false,
  };
}

function parse(args: string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      args,
      options: {
        box: text,
        ca: text,
        email: text,
        'password-file': text,
        data: text,
        panel: text,
        cameras: text,
        'camera-host': text,
        rate: text,
        start: text,
        duration: text,
        once: text,
        quiet: flag,
        help: { ...flag, short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function readPassword(file: string | undefined, plain: string | undefined, wrong: string[]): string {
  if (file !== undefined && existsSync(file)) return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  if (file !== undefined) wrong.push(`--password-file: there is no ${file}`);
  else if (!plain) wrong.push("--password-file: the admin's password, in a file or in LAB_PASSWORD");
  return plain ?? '';
}

function minuteOf(text: string): number | undefined {
  const match = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text);
  return match ? Number(match[1]) * 60 + Number(match[2]) : undefined;
}

function panelAddress(text: string | undefined, host: string, wrong: string[]): LabOptions['panel'] {
  if (text === 'off') return undefined;
  if (text === undefined) return { host, port: 12_000 };
  const match = /^(.+):(\d{1,5})$/.exec(text);
  if (match?.[1] && Number(match[2]) > 0) return { host: match[1], port: Number(match[2]) };
  wrong.push('--panel must be HOST:PORT or off');
  return undefined;
}
