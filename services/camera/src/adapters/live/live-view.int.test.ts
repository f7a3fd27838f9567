import { once } from 'node:events';
import { createConnection, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { systemClock } from '@siphera/runtime';
import { waitFor } from '@siphera/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import type { Notice } from '../../domain/live-boxes.ts';
import type { Fragment, StreamKey } from '../../domain/media.ts';
import { quietLog, StandInStreams } from '../../testing/stand-in-streams.ts';
import { LiveView } from './live-view.ts';
import { BoxCutter } from '../../testing/box-cutter.ts';

const key: StreamKey = { cameraId: '0192f000-0000-7000-8000-000000000001', role: 'main' };
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A viewer behind a real socket, so that the kernel's buffers count too. */
async function viewer(
  limits: Partial<{ bytesMax: number; dropsMax: number; stallMs: number; endMs: number }>,
) {
  const server: Server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends.push(() => server.close());
  const client: Socket = createConnection((server.address() as AddressInfo).port, '127.0.0.1');
  ends.push(() => client.destroy());
  const [output] = (await once(server, 'connection')) as [Socket];
  const over: { code: string; reason: string }[] = [];
  const view = new LiveView({
    output,
    transcoded: false,
    clock: systemClock,
    log: quietLog,
    limits,
    onEnd: (why) => over.push(why),
  });
  const notices: Notice[] = [];
  const cutter = new BoxCutter(({ type, bytes }) => {
    if (type === 'uuid') notices.push(JSON.parse(bytes.subarray(24).toString()) as Notice);
  });
  client.pause();
  client.on('data', (chunk) => cutter.push(chunk));
  client.pause();
  return { view, client, over, notices };
}

/** Real fragments, padded to the size of a large camera's. */
async function large(): Promise<{ fragments: Fragment[]; view: (view: LiveView) => void }> {
  const streams = new StandInStreams();
  ends.push(() => streams.stop());
  await streams.connect(key, { width: 64, height: 64 });
  const init = streams.current(key)!.init;
  const kept: Fragment[] = [];
  const stop = streams.listen(
    key,
    {
      init: () => undefined,
      fragment: (fragment) => kept.push(fragment),
      lost: () => undefined,
    },
    { fromKey: true },
  );
  await waitFor('a fragment', () => kept.length > 0);
  stop();
  const [first] = kept;
  const pad = Buffer.alloc(1024 * 1024);
  pad.writeUInt32BE(pad.length);
  pad.write('free', 4);
  const fragments = Array.from({ length: 60 }, (): Fragment => ({
    ...first!,
    key: true,
    bytes: Buffer.concat([first!.bytes, pad]),
  }));
  return { fragments, view: (view) => view.init(init) };
}

describe('a viewer who does not read', () => {
  it('loses pictures, and is given up with a reason when that does not help', async () => {
    const { fragments, view: begin } = await large();
    const { view, client, over, notices } = await viewer({
      bytesMax: 4 * 1024 * 1024,
      dropsMax: 3,
      // Time to read all that lies before the last words.
      endMs: 60_000,
    });
    begin(view);
    for (const fragment of fragments) view.fragment(fragment);
    expect(over).toMatchObject([{ code: 'slow' }]);
    client.resume();
    await once(client, 'close');
    expect(notices.at(-1)).toMatchObject({ kind: 'end', code: 'slow' });
  });

  it('goes on where it can again, and is told that something is missing', async () => {
    const { fragments, view: begin } = await large();
    const { view, client, over, notices } = await viewer({ bytesMax: 4 * 1024 * 1024, dropsMax: 30 });
    begin(view);
    for (const fragment of fragments) view.fragment(fragment);
    client.resume();
    await waitFor('the notice', () => notices.some(({ kind }) => kind === 'skipped'));
    expect(over).toEqual([]);
    client.destroy();
    await waitFor('the end', () => over.length === 1);
    expect(over[0]).toMatchObject({ code: 'closed' });
  });

  it('is given up when the connection takes nothing at all', async () => {
    const { fragments, view: begin } = await large();
    const { view, over } = await viewer({ bytesMax: 1e9, stallMs: 200, endMs: 100 });
    begin(view);
    for (const fragment of fragments) view.fragment(fragment);
    await waitFor('the end', () => over.length === 1);
    expect(over[0]).toMatchObject({ code: 'slow', reason: 'The connection takes nothing any more.' });
  });
});
