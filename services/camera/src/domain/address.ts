/** Addresses of cameras: `host`, `host:port`, or the address of an ONVIF service. Pure. */
export type Endpoint = { host: string; port: number; path: string; secure: boolean };

const devicePath = '/onvif/device_service';

/** The ONVIF device service behind what somebody typed or a discovery said. @returns undefined when it is neither. */
export function onvifEndpoint(text: string): Endpoint | undefined {
  const bare = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9][A-Za-z0-9.-]*)(:\d{1,5})?$/.test(text);
  const full = bare ? `http://${text}${devicePath}` : text;
  if (!URL.canParse(full)) return undefined;
  const url = new URL(full);
  if (!/^https?:$/.test(url.protocol) || url.hostname === '' || url.username !== '' || url.password !== '')
    return undefined;
  const secure = url.protocol === 'https:';
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
    path: url.pathname === '/' ? devicePath : url.pathname + url.search,
    secure,
  };
}

const bracket = (host: string): string => (host.includes(':') ? `[${host}]` : host);

export const endpointUrl = ({ host, port, path, secure }: Endpoint): string =>
  `${secure ? 'https' : 'http'}://${bracket(host)}${port === (secure ? 443 : 80) ? '' : `:${port}`}${path}`;

/** host or host:port, as people read it. */
export const endpointAddress = ({ host, port, secure }: Endpoint): string =>
  `${bracket(host)}${port === (secure ? 443 : 80) ? '' : `:${port}`}`;

/**
 * An address that the camera told, at the host that is known to work: cameras behind NAT tell hosts that nobody can reach,
 * and a hostile one would name somebody else's. Credentials in it are dropped. @returns undefined when it is no such URL.
 */
export function atHost(uri: string, host: string, schemes: RegExp): string | undefined {
  if (uri.length > 1_000 || !URL.canParse(uri)) return undefined;
  const url = new URL(uri);
  if (!schemes.test(url.protocol)) return undefined;
  const port = url.port === '' ? '' : `:${url.port}`;
  return `${url.protocol}//${bracket(host)}${port}${url.pathname}${url.search}`;
}

export const rtspSchemes = /^rtsps?:$/;
export const httpSchemes = /^https?:$/;

/** Host of an `rtsp://` address. */
export const hostOf = (uri: string): string =>
  URL.canParse(uri) ? new URL(uri).hostname.replace(/^\[(.*)\]$/, '$1') : '';
