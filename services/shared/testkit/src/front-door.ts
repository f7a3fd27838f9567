/** Debian's nginx as the box's front door on a free port: TLS by the test's CA, the routes of the product's own front door. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Daemon, startDaemon } from './daemon.ts';
import { exchange } from './http.ts';
import type { CertificateFiles } from './pki.ts';

export type FrontDoorOptions = {
  dir: string;
  port: number;
  hostName: string;
  certificate: CertificateFiles;
  caPem: string;
  upstream: { core: number; panel: number; signaling: number };
  /** The built console; without it every page is a 404. */
  webDir?: string;
};
export type FrontDoor = { daemon: Daemon; port: number; origin: string };

/** Starts nginx and waits until core answers through it. */
export async function startFrontDoor(options: FrontDoorOptions): Promise<FrontDoor> {
  const dir = join(options.dir, 'nginx');
  await mkdir(join(dir, 'tmp'), { recursive: true });
  await mkdir(join(dir, 'empty'), { recursive: true });
  const config = join(dir, 'nginx.conf');
  await writeFile(config, configText(dir, options));
  const origin = `https://${options.hostName}:${options.port}`;
  const daemon = await startDaemon({
    name: 'nginx',
    command: 'nginx',
    args: ['-p', dir, '-c', config, '-g', 'daemon off;'],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    ready: async () => (await exchange(`${origin}/api/v1/health`, { ca: options.caPem })).status === 200,
  });
  return { daemon, port: options.port, origin };
}

const configText = (dir: string, options: FrontDoorOptions): string => `
user root;
worker_processes 1;
pid ${dir}/nginx.pid;
error_log stderr warn;
events { worker_connections 1024; }
http {
  include /etc/nginx/mime.types;
  types { text/javascript mjs; application/manifest+json webmanifest; }
  access_log off;
  client_body_temp_path ${dir}/tmp;
  proxy_temp_path ${dir}/tmp;
  fastcgi_temp_path ${dir}/tmp;
  uwsgi_temp_path ${dir}/tmp;
  scgi_temp_path ${dir}/tmp;
  client_max_body_size 12m;
  map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
  server {
    listen 127.0.0.1:${options.port} ssl;
    server_name ${options.hostName};
    ssl_certificate ${options.certificate.certFile};
    ssl_certificate_key ${options.certificate.keyFile};
    ssl_protocols TLSv1.2 TLSv1.3;
    proxy_http_version 1.1;
    proxy_set_header Host $host:$server_port;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto https;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $connection_upgrade;
    proxy_buffering off;
    proxy_read_timeout 75s;
    location /api/v1/panel/ { proxy_pass http://127.0.0.1:${options.upstream.panel}; }
    location /api/ { proxy_pass http://127.0.0.1:${options.upstream.core}; }
    location /socket.io/ { proxy_pass http://127.0.0.1:${options.upstream.signaling}; }
    location / {
      root ${options.webDir ?? `${dir}/empty`};
      try_files $uri /index.html =404;
      add_header Content-Security-Policy "default-src 'self'; connect-src 'self' wss://$http_host; img-src 'self' blob: data:; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'" always;
    }
  }
}
`;
