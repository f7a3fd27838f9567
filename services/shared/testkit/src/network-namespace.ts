/**
 * A network of a test's own: a namespace with loopback and a veth pair that has a real address, for what refuses loopback
 * (Janus gathers no candidates on it) or needs multicast. Root only. What must stay true: names belong to one process, and
 * the namespace goes with it; what a killed process left behind is taken away by the next one.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { runCommand } from './run-command.ts';

export type NetworkNamespace = AsyncDisposable & {
  readonly name: string;
  /** Of `v0` inside; both ends of that pair are inside. */
  readonly address: string;
  /** With `hostLink`: the two ends of a wire between the namespace and us. */
  readonly link: { readonly inside: string; readonly outside: string } | undefined;
  /** Words in front of a command, e.g. for `startRtspServer({ prefix })`. */
  readonly prefix: readonly [string, ...string[]];
  /** A command as `startDaemon` wants it. The pid is the program's own: `ip netns exec` becomes it. */
  command: (command: string, args?: readonly string[]) => { command: string; args: string[] };
  /** Runs a short program inside, to its end. @returns stdout. */
  run: (command: string, args?: readonly string[]) => Promise<string>;
  remove: () => Promise<void>;
};

export type NetworkOptions = {
  /** A wire to our own network, so that a test can speak to what runs inside. */
  hostLink?: boolean;
};

/** Of iproute2. */
const program = 'ip';
const address = '10.99.0.1';
/** Four addresses for each wire, out of 10.98.0.0/16. */
const wires = 16_384;
const family = /^siphera-(\d+)-\d+/;
const open = new Set<string>();
let made = 0;

process.on('exit', () => {
  for (const name of open) spawnSync(program, ['netns', 'del', name]);
});

export async function openNetwork(options: NetworkOptions = {}): Promise<NetworkNamespace> {
  if (process.getuid?.() !== 0) throw new Error('A network namespace needs root');
  await removeLeftovers();
  made += 1;
  const name = `siphera-${process.pid}-${made}`;
  await ip('netns', 'add', name);
  open.add(name);
  const remove = async () => {
    // Both ends of every pair go with the namespace.
    if (open.delete(name)) await ip('netns', 'del', name);
  };
  try {
    await ip('-n', name, 'link', 'set', 'lo', 'up');
    await ip('-n', name, 'link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'v1');
    await ip('-n', name, 'addr', 'add', `${address}/24`, 'dev', 'v0');
    await ip('-n', name, 'link', 'set', 'v0', 'up');
    await ip('-n', name, 'link', 'set', 'v1', 'up');
    const link = options.hostLink === true ? await connect(name) : undefined;
    // Multicast leaves by the wire to us where there is one.
    await ip('-n', name, 'route', 'add', '224.0.0.0/4', 'dev', link ? 'host' : 'v0');
    return handle(name, link, remove);
  } catch (error) {
    await remove();
    throw error;
  }
}

function handle(name: string, link: NetworkNamespace['link'], remove: () => Promise<void>): NetworkNamespace {
  const prefix = [program, 'netns', 'exec', name] as const;
  const command = (inner: string, args: readonly string[] = []) => ({
    command: prefix[0],
    args: [...prefix.slice(1), inner, ...args],
  });
  const run = (inner: string, args: readonly string[] = []) => {
    const wanted = command(inner, args);
    return runCommand(wanted.command, wanted.args);
  };
  return { name, address, link, prefix: [...prefix], command, run, remove, [Symbol.asyncDispose]: remove };
}

/** A second pair, one end here. Its name has room for the biggest pid within the kernel's 15 letters. */
async function connect(name: string): Promise<{ inside: string; outside: string }> {
  const { inside, outside } = await freeWire();
  const here = `sp${process.pid.toString(36)}n${made}`;
  await ip(
    '-n',
    name,
    'link',
    'add',
    'host',
    'type',
    'veth',
    'peer',
    'name',
    here,
    'netns',
    String(process.pid),
  );
  await ip('addr', 'add', `${outside}/30`, 'dev', here);
  await ip('link', 'set', here, 'up');
  await ip('-n', name, 'addr', 'add', `${inside}/30`, 'dev', 'host');
  await ip('-n', name, 'link', 'set', 'host', 'up');
  return { inside, outside };
}

async function freeWire(): Promise<{ inside: string; outside: string }> {
  const taken = await ip('-4', '-o', 'addr');
  for (let tried = 0; tried < wires; tried += 1) {
    const wire = (process.pid * 131 + made + tried) % wires;
    const net = `10.98.${wire >> 6}`;
    const first = (wire & 63) * 4;
    const outside = `${net}.${first + 1}`;
    if (!taken.includes(` ${outside}/`)) return { outside, inside: `${net}.${first + 2}` };
  }
  throw new Error('No free wire left');
}

/** Namespaces of processes that are no more. */
async function removeLeftovers(): Promise<void> {
  const list = await ip('netns', 'list');
  for (const line of list.split('\n')) {
    const [name, pid] = family.exec(line) ?? [];
    if (name === undefined || pid === undefined || existsSync(`/proc/${pid}`)) continue;
    // Another process may be doing the same at this moment.
    await ip('netns', 'del', name).catch((error: unknown) => console.error(error));
  }
}

const ip = (...args: string[]): Promise<string> => runCommand(program, args);
