/** Debian's nginx as the box's front door on a free port, with the product's own configuration and the test's CA. */
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Daemon, startDaemon } from './daemon.ts';
import { exchange } from './http.ts';
import type { TestCa } from './pki.ts';
import { freePort } from './ports.ts';
import { repositoryRoot } from './repository.ts';
import { renderTemplate } from './template.ts';

export type FrontDoorOptions = {
  dir: string;
  port: number;
  hostName: string;
  ca: TestCa;
  upstream: { core: number; panel: number; signaling: number; camera: number; sipBridge?: number };
  /** Where softphones of Kamailio connect, and the directory of `emergency.json`. */
  sip?: { wsPort: number; publicDir: string };
  /** The built console; without it every page is a 404. */
  webDir?: string;
};
export type FrontDoor = { daemon: Daemon; port: number; origin: string };

/** Starts nginx and waits until core answers through it. */
export async function startFrontDoor(options: FrontDoorOptions): Promise<FrontDoor> {
  const dir = join(options.dir, 'nginx');
  const webDir = options.webDir ?? join(dir, 'empty');
  await mkdir(webDir, { recursive: true });
  await mkdir(join(dir, 'cache'), { recursive: true });
  const { pkiDir, caPem } = options.ca;
  await options.ca.issueServer('front', 'front', [options.hostName, 'localhost', '127.0.0.1']);
  for (const file of ['api-headers.conf', 'page-headers.conf']) {
    await copyFile(join(repositoryRoot, 'compose', 'nginx', file), join(dir, file));
  }
  const upstream = (port: number) => `127.0.0.1:${port}`;
  const text = await renderTemplate('nginx/nginx.conf.template', {
    NGINX_USER_LINE: 'user root;',
    NGINX_RUN_DIR: dir,
    NGINX_CONF_DIR: dir,
    NGINX_CACHE_DIR: join(dir, 'cache'),
    PKI_DIR: pkiDir,
    WEB_DIST_DIR: webDir,
    CORE_UPSTREAM: upstream(options.upstream.core),
    PANEL_UPSTREAM: upstream(options.upstream.panel),
    SIGNALING_UPSTREAM: upstream(options.upstream.signaling),
    CAMERA_UPSTREAM: upstream(options.upstream.camera),
    SIP_BRIDGE_UPSTREAM: upstream(options.upstream.sipBridge ?? 1),
    SIP_WS_UPSTREAM: upstream(options.sip?.wsPort ?? 1),
    SIP_PUBLIC_DIR: options.sip?.publicDir ?? join(dir, 'empty'),
    HTTP_LISTEN_PORT: `127.0.0.1:${await freePort()}`,
    HTTPS_LISTEN_PORT: `127.0.0.1:${options.port}`,
    HTTPS_PORT_SUFFIX: `:${options.port}`,
    IPV6_HTTP_LINE: '',
    IPV6_HTTPS_LINE: '',
  });
  const config = join(dir, 'nginx.conf');
  // What a child of Node has as stdout is a socket, which nobody can open by its name.
  await writeFile(config, text.replace('/dev/stdout', join(dir, 'access.log')));
  const origin = `https://${options.hostName}:${options.port}`;
  const daemon = await startDaemon({
    name: 'nginx',
    command: 'nginx',
    args: ['-p', dir, '-c', config, '-g', 'daemon off;'],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    ready: async () => (await exchange(`${origin}/api/v1/health`, { ca: caPem })).status === 200,
  });
  return { daemon, port: options.port, origin };
}
