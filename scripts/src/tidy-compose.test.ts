/** docker-compose.yml and the Dockerfiles: nothing runs with more rights, room or openness than it needs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { root } from './root.ts';
import { repositoryFiles } from './tasks/files.ts';

type ComposeService = {
  image?: string;
  healthcheck?: { disable?: boolean; test?: unknown };
  read_only?: boolean;
  security_opt?: string[];
  cap_drop?: string[];
  privileged?: boolean;
  mem_limit?: string;
  cpus?: number;
  pids_limit?: number;
  profiles?: string[];
  restart?: string;
  user?: string;
  ports?: string[];
  network_mode?: string;
  networks?: unknown;
  environment?: Record<string, string>;
  volumes?: string[];
  depends_on?: Record<string, { condition: string }>;
};

const file = readFileSync(join(root, 'docker-compose.yml'), 'utf8');
const { services } = parse(file, { merge: true }) as { services: Record<string, ComposeService> };
const all = Object.entries(services);
/** A tool is started by hand, does one thing and ends: it has no health, and may be root to reach what others own. */
const running = all.filter(
  ([, { profiles, restart }]) => !(profiles?.includes('tools') === true && restart === 'no'),
);
const names = (list: [string, ComposeService][]): string[] => list.map(([name]) => name);
/** The ports that the design publishes, as they are inside the default setting. */
const published = [
  '443/tcp',
  '80/tcp',
  '8883/tcp',
  '12000/tcp',
  '12000/udp',
  '3478/udp',
  '3478/tcp',
  '5349/tcp',
];
/**
 * On the host's own network, where nothing is published because everything that listens is open. Why these:
 * docs/adr/0010-camera-on-the-host-network.md and docs/adr/0015-phones-on-the-host-network.md.
 */
const onHostNetwork = [
  'janus',
  'camera',
  'kamailio',
  'softphone-door',
  'rtpengine-a',
  'rtpengine-b',
  'sip-bridge',
];

describe('every container', () => {
  it('has limits of memory, processor and processes', () => {
    expect(
      names(
        all.filter(
          ([, s]) => s.mem_limit === undefined || s.cpus === undefined || s.pids_limit === undefined,
        ),
      ),
    ).toEqual([]);
  });

  it('has a read-only root, gains no privileges and starts without capabilities', () => {
    const weak = all.filter(
      ([, s]) =>
        s.read_only !== true ||
        s.privileged === true ||
        s.security_opt?.includes('no-new-privileges:true') !== true ||
        s.cap_drop?.includes('ALL') !== true,
    );
    expect(names(weak)).toEqual([]);
  });

  it('names its image by a variable with a pinned tag', () => {
    expect(
      names(
        all.filter(
          ([, { image = '' }]) =>
            !/^\$\{[A-Z_]+:-[\w./-]+:[\w.-]+\}$/.test(image) || image.includes(':latest'),
        ),
      ),
    ).toEqual([]);
  });

  it('never sees the engine it runs on', () => {
    expect(file).not.toMatch(/docker\.sock|pid: ['"]?host|ipc: ['"]?host/);
  });
});

describe('every running service', () => {
  it('has a healthcheck and a user other than root', () => {
    expect(names(running.filter(([, s]) => s.healthcheck?.test === undefined))).toEqual([]);
    expect(names(running.filter(([, { user = '0' }]) => /^(0|root)(:|$)/.test(user)))).toEqual([]);
  });

  it('waits for the health of what it needs, not for its start', () => {
    const hasty = running.filter(([, s]) =>
      Object.values(s.depends_on ?? {}).some(({ condition }) => condition !== 'service_healthy'),
    );
    expect(names(hasty)).toEqual([]);
  });
});

describe('published ports', () => {
  it('are those of the design and no other', () => {
    const open = all.flatMap(([, { ports = [] }]) => ports.map(hostPort));
    expect(open.filter((port) => !published.includes(port))).toEqual([]);
  });
});

describe('networks', () => {
  it('let out core for e-mail and signaling for push, each by one of its own, and coturn into none of the box', () => {
    const { networks } = parse(file) as { networks: Record<string, { internal?: boolean }> };
    const open = Object.keys(networks).filter((name) => networks[name]?.internal !== true);
    const members = (network: string): string[] =>
      names(
        running.filter(([, s]) =>
          Array.isArray(s.networks) ? s.networks.includes(network) : network in Object(s.networks ?? {}),
        ),
      );
    expect(Object.fromEntries(open.map((network) => [network, members(network)]))).toEqual({
      edge: ['mosquitto', 'panel', 'nginx'],
      outbound: ['core'],
      push: ['signaling'],
      relay: ['coturn'],
    });
    expect(services['coturn']?.networks).toEqual(['relay']);
  });
});

describe('the relay', () => {
  it('is told to deny every peer but its own address, and has no way to start without that', () => {
    const text = readFileSync(join(root, 'compose/coturn/turnserver.conf.template'), 'utf8');
    const lines = text
      .split('\n')
      .filter((line) => /peer|relay|^no-cli|^use-auth/.test(line) && !line.startsWith('#'));
    expect(lines).toEqual([
      'relay-ip={{TURN_RELAY_ADDRESS}}',
      'denied-peer-ip=0.0.0.0-255.255.255.255',
      'denied-peer-ip=::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
      'allowed-peer-ip={{TURN_RELAY_ADDRESS}}',
      'allow-loopback-peers',
      'no-multicast-peers',
      'no-tcp-relay',
      'use-auth-secret',
      'relay-threads=2',
      'no-cli',
    ]);
  });
});

describe('the camera service', () => {
  it('has threads for a write of each camera to a disk that hangs and for the rest, in a container and without one', () => {
    const sizes = ['compose/node/Dockerfile', 'compose/runit/camera.template'].map((name) =>
      [...readFileSync(join(root, name), 'utf8').matchAll(/\bUV_THREADPOOL_SIZE=(\d+)/g)].map(([, size]) =>
        Number(size),
      ),
    );
    const [[container]] = sizes as [[number]];
    expect(container).toBeGreaterThan(64);
    expect(sizes).toEqual([[container], [container]]);
  });
});

describe('the host network', () => {
  it('is for Janus, the camera service and what carries phones alone, which publish nothing and join no other network', () => {
    const hosts = all.filter(([, s]) => s.network_mode !== undefined);
    expect(names(hosts).sort()).toEqual([...onHostNetwork].sort());
    for (const [name, s] of hosts) {
      expect([name, s.network_mode, s.ports, s.networks]).toEqual([name, 'host', undefined, undefined]);
    }
  });

  it('sees no port of the camera service but RTSP, which is off until it is given one', () => {
    const { environment = {} } = services['camera'] ?? {};
    const listens = Object.entries(environment).filter(([name]) => name.endsWith('_LISTEN'));
    expect(Object.fromEntries(listens)).toEqual({
      CAMERA_HTTP_LISTEN: 'unix:/run/siphera/camera/http.sock',
      CAMERA_METRICS_LISTEN: 'unix:/run/siphera/camera/metrics.sock',
      CAMERA_RTSP_LISTEN: '${SIPHERA_RTSP_LISTEN:-}',
    });
    expect(environment['CORE_INTERNAL_URL']).toMatch(/^unix:/);
  });

  it('sees no port of the SIP bridge, and of Kamailio and the relays commands on loopback alone', () => {
    const { environment = {} } = services['sip-bridge'] ?? {};
    const listens = Object.entries(environment).filter(([name]) => name.endsWith('_LISTEN'));
    expect(Object.fromEntries(listens)).toEqual({
      SIP_BRIDGE_LISTEN: 'unix:/run/siphera/sip-bridge/http.sock',
      SIP_BRIDGE_METRICS_LISTEN: 'unix:/run/siphera/sip-bridge/metrics.sock',
      DTMF_LISTEN: '127.0.0.1:7067',
    });
    const templates = readFileSync(join(root, 'compose/install/templates.sh'), 'utf8');
    for (const name of ['WS', 'RPC', 'EVENTS'])
      expect(templates).toContain(`KAMAILIO_${name}_LISTEN=127.0.0.1:$SIP_${name}_PORT`);
    for (const name of ['a', 'b'])
      expect(services[`rtpengine-${name}`]?.environment?.['RTPENGINE_CONTROL']).toMatch(
        /:-127\.0\.0\.1:\d+\}$/,
      );
  });

  it('sees of Janus its media ports and, on loopback, the WebSocket', () => {
    const read = (name: string) => readFileSync(join(root, 'compose/janus', name), 'utf8');
    const settings = read('janus.jcfg.template');
    const options = readFileSync(join(root, 'compose/install/options.sh'), 'utf8');
    expect(settings).toContain('rtp_port_range = "{{MEDIA_PORTS}}"');
    expect(options).toContain('SIPHERA_MEDIA_PORTS:-20000-20199');
    expect(settings).toMatch(/disable = ".*libjanus_http\.so.*"/);
    const socket = read('janus.transport.websockets.jcfg.template');
    expect(socket.match(/^\s*\w+ = .*$/gm)?.map((line) => line.trim())).toEqual([
      'json = "compact"',
      'ws = true',
      'ws_ip = "127.0.0.1"',
      'ws_port = {{JANUS_PORT}}',
      'wss = false',
      'admin_ws = false',
      'admin_wss = false',
    ]);
    expect(services['janus']?.environment?.['JANUS_PORT']).toBe('7088');
    expect(services['camera']?.environment?.['JANUS_URL']).toBe('ws://127.0.0.1:7088');
  });
});

describe('Dockerfiles', () => {
  it('take their base from a variable, end as another user than root and fetch nothing by hand', async () => {
    for (const path of (await repositoryFiles()).filter((name) => name.endsWith('Dockerfile'))) {
      const text = readFileSync(join(root, path), 'utf8');
      const bases = [...text.matchAll(/^FROM (\S+)/gm)].map((match) => match[1] ?? '');
      const stages = [...text.matchAll(/^FROM \S+ AS (\S+)/gim)].map((match) => match[1] ?? '');
      expect(
        bases.filter((base) => !base.startsWith('${') && !stages.includes(base)),
        path,
      ).toEqual([]);
      expect(text, path).toMatch(/^USER \d+(:\d+)?$/m);
      expect(text, path).not.toMatch(/curl|wget|^ADD https?:/m);
      const defaults = [...text.matchAll(/^ARG \w*IMAGE=(\S+)/gm)].map((match) => match[1] ?? '');
      expect(
        defaults.filter((image) => !/:[\w.-]+$/.test(image) || image.endsWith(':latest')),
        path,
      ).toEqual([]);
    }
  });
});

/** `${SIPHERA_HTTPS_PORT:-443}:8443` publishes 443/tcp unless the admin says otherwise. */
function hostPort(mapping: string): string {
  const match = /^\$\{[A-Z0-9_]+:-(\d+)\}:\d+(\/(?:tcp|udp))?$/.exec(mapping);
  return match ? `${match[1] ?? ''}${match[2] ?? '/tcp'}` : mapping;
}
