/**
 * Debian's Janus with the product's own configuration, in a network of its own: it gathers no candidates on loopback. What
 * it needs of ours comes over the wire: commands to `url`, and RTP that ffmpeg sends to the given ports of our loopback.
 * Chromium here reaches it by the wire's address, with nothing special.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Daemon, startDaemon } from './daemon.ts';
import { type NetworkNamespace, openNetwork } from './network-namespace.ts';
import { renderTemplate } from './template.ts';
import { forwardUdp } from './udp-forward.ts';

export type Janus = AsyncDisposable & {
  daemon: Daemon;
  network: NetworkNamespace;
  /** For JANUS_URL. */
  url: string;
  secret: string;
  restart: () => Promise<void>;
  stop: () => Promise<void>;
};

/** The namespace is Janus's alone, so any port is free. */
const port = 7088;
const forwarder = fileURLToPath(new URL('udp-forward.ts', import.meta.url));

export async function startJanus(options: {
  dir: string;
  /** Ports of our loopback to which RTP is sent, e.g. those of RTP_PORTS. */
  rtpPorts: readonly number[];
}): Promise<Janus> {
  const network = await openNetwork({ hostLink: true });
  const started: (() => unknown)[] = [() => network.remove()];
  const stop = async () => {
    for (const end of started.splice(0).reverse()) await end();
  };
  try {
    const { inside = '' } = network.link ?? {};
    const secret = randomBytes(24).toString('hex');
    const dir = join(options.dir, 'janus');
    await configure(dir, { secret, address: inside });
    const daemon = await startDaemon({
      name: 'janus',
      ...network.command('janus', [`--configs-folder=${dir}`, '--disable-colors']),
      ready: () => answers(network),
    });
    started.push(() => daemon.stop());
    let relayed = '';
    const relay = await startDaemon({
      name: 'janus-wire',
      ...network.command(process.execPath, [
        forwarder,
        JSON.stringify({ address: inside, tcpPort: port, udpPorts: options.rtpPorts }),
      ]),
      ready: () => relayed.includes('forwarding'),
      onOutput: (text) => (relayed += text),
    });
    started.push(() => relay.stop());
    started.push(await forwardUdp({ from: '127.0.0.1', to: inside, ports: options.rtpPorts }));
    return {
      daemon,
      network,
      url: `ws://${inside}:${port}`,
      secret,
      restart: () => daemon.restart(),
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The same files the installer writes. */
async function configure(
  dir: string,
  { secret, address }: { secret: string; address: string },
): Promise<void> {
  await mkdir(dir, { recursive: true });
  const values = {
    JANUS_CONF_DIR: dir,
    JANUS_SECRET: secret,
    JANUS_IPV6: 'false',
    JANUS_PORT: String(port),
    MEDIA_PORTS: '20000-20199',
    JANUS_ADDRESS_LINE: `ice_enforce_list = "${address}"`,
    JANUS_INTERFACE_LINE: `interface = "${address}"`,
  };
  for (const name of ['janus.jcfg', 'janus.transport.websockets.jcfg'])
    await writeFile(join(dir, name), await renderTemplate(`janus/${name}.template`, values));
  const plugin = 'janus.plugin.streaming.jcfg';
  await writeFile(join(dir, plugin), await renderTemplate(`janus/${plugin}`, values));
}

async function answers(network: NetworkNamespace): Promise<boolean> {
  const listening = await network.run('ss', ['-Hltn', `sport = :${port}`]);
  return listening.includes(`:${port}`);
}
