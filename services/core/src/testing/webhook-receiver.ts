/**
 * A webhook receiver that is another machine to the box: in a network namespace of its own, on an address that is not the
 * box's, for those are refused. Needs root, as CI has it.
 */
import { fileURLToPath } from 'node:url';
import { runCommand, startDaemon } from '@siphera/testkit';

export type Received = { path: string; headers: Record<string, string>; body: string };
export type WebhookReceiver = AsyncDisposable & {
  address: string;
  /** A range that holds it, for the settings. */
  range: string;
  url: (path: string) => string;
  received: () => Received[];
};

const port = 8_080;
const ip = async (...args: string[]): Promise<void> => {
  await runCommand('ip', args);
};

/** Behind its paths: see the script. */
export async function startWebhookReceiver(): Promise<WebhookReceiver> {
  await using stack = new AsyncDisposableStack();
  // Test processes that run at once get networks of their own.
  const mark = process.pid % 32_768;
  const place = (last: number): string => `10.99.${mark >> 7}.${(mark & 127) * 2 + last}`;
  const [near, address] = [place(0), place(1)];
  const space = `siphera-${mark}`;
  await ip('netns', 'add', space);
  // Takes the pair of interfaces with it.
  stack.defer(() => ip('netns', 'del', space));
  await ip('link', 'add', `siph${mark}`, 'type', 'veth', 'peer', 'name', 'box', 'netns', space);
  // Point to point: the receiver is in no network of the box, only reachable.
  await ip('addr', 'add', near, 'peer', address, 'dev', `siph${mark}`);
  await ip('link', 'set', `siph${mark}`, 'up');
  await ip('-n', space, 'addr', 'add', address, 'peer', near, 'dev', 'box');
  await ip('-n', space, 'link', 'set', 'box', 'up');
  let output = '';
  const script = fileURLToPath(new URL('./webhook-receiver.script.ts', import.meta.url));
  const daemon = await startDaemon({
    name: 'webhook receiver',
    command: 'ip',
    args: ['netns', 'exec', space, process.execPath, script, address, String(port)],
    onOutput: (text) => (output += text),
    ready: () => output.includes('"ready"'),
  });
  stack.use(daemon);
  const parts = stack.move();
  return {
    address,
    range: '10.99.0.0/16',
    url: (path) => `http://${address}:${port}${path}`,
    received: () =>
      output
        .split('\n')
        .slice(0, -1)
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as Received),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}
