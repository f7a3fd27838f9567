/** A house with places, phones and a desk, for tests of emergency calls: what the bridge would have given Kamailio. */
import { type PhoneOptions, openRawPhone, type RawPhone } from './emergency-phone.ts';
import type { SipServer } from './kamailio.ts';
import type { Psap } from './psap.ts';
import { type SipPlan, sipTables } from './sip-plan.ts';

/** As the bridge writes it: RFC 4119, 5139, 5491. */
export const emergencyPidf = (room: string): string =>
  [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:gp="urn:ietf:params:xml:ns:pidf:geopriv10"',
    ' xmlns:ca="urn:ietf:params:xml:ns:pidf:geopriv10:civicAddr" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" entity="%ENTITY%">',
    '<dm:device id="caller"><gp:geopriv><gp:location-info><ca:civicAddress xml:lang="en">',
    '<ca:country>US</ca:country><ca:A1>TX</ca:A1><ca:A3>Dallas</ca:A3><ca:RD>Main</ca:RD><ca:STS>Street</ca:STS><ca:HNO>100</ca:HNO>',
    `<ca:PC>75201</ca:PC><ca:FLR>3</ca:FLR><ca:ROOM>${room}</ca:ROOM><ca:NAM>Müller &amp; Söhne</ca:NAM>`,
    '</ca:civicAddress></gp:location-info><gp:usage-rules><gp:retransmission-allowed>true</gp:retransmission-allowed></gp:usage-rules>',
    '<gp:method>Manual</gp:method></gp:geopriv><dm:timestamp>%TIME%</dm:timestamp></dm:device></presence>',
    '',
  ].join('\r\n');

const place = (label: string, room: string, more: Readonly<Record<string, string>> = {}) => ({
  fields: { label, provider: `LOC-${room}`, phone: '2009', ...more },
  pidf: emergencyPidf(room),
});
/** By id. `hall` is the default of the site, `cellar` has no call-back number of its own. */
export const emergencyPlaces = {
  lobby: place('Lobby, 1st floor', '101', { callback: '+12145550101' }),
  hall: place('Große Halle', '200', { callback: '+12145550102' }),
  cellar: place('Cellar', 'C1'),
  roof: place('Roof', 'R1', { callback: '+12145550104' }),
};

export type EmergencyTrunk = {
  psap: Pick<Psap, 'uri' | 'address'>;
  id: string;
  style?: string;
  format?: string;
  set?: 2 | 3;
  more?: Readonly<Record<string, string>>;
};

/** Numbers 2001 to 2009 and their places; trunks in the order in which they are tried. */
export function emergencyPlan(trunks: readonly EmergencyTrunk[], more: SipPlan = {}): SipPlan {
  return {
    account: {
      p2001: { number: '2001', secret: 'secret-2001' },
      p2002: { number: '2002', secret: 'secret-2002' },
      p2003: { number: '2003', secret: 'secret-2003' },
    },
    number: {
      '2001': {
        kind: 'phone',
        name: 'Front desk',
        out: '+12145552001',
        loc: 'lobby',
        locby: 'area',
        classes: 'internal',
        cap: 0,
      },
      '2002': { kind: 'phone', name: 'Desk' },
      '2003': { kind: 'user', name: 'Guard', loc: 'roof', locby: 'last_known' },
      '2004': { kind: 'user', name: 'Nobody knows where', loc: 'gone' },
    },
    emergency: Object.fromEntries<Record<string, string>>([
      ...['911', '9911', '112', '9112', '08'].map(
        (dialled) => [dialled, { to: '911', mode: 'emergency' }] as const,
      ),
      ['933', { to: '933', mode: 'test' }],
      ['*911', { to: '911', mode: 'drill' }],
    ]),
    location: Object.fromEntries(Object.entries(emergencyPlaces).map(([id, { fields }]) => [id, fields])),
    pidf: Object.fromEntries(Object.entries(emergencyPlaces).map(([id, { pidf }]) => [id, pidf])),
    trunk: Object.fromEntries(
      trunks.map(({ id, style = 'pidf-lo', format = 'e164', more: fields = {} }) => [
        id,
        { name: id, style, format, ...fields },
      ]),
    ),
    setting: {
      country_code: '1',
      national_prefix: '1',
      international_prefix: '011',
      outside_prefixes: '9',
      out: '+12145550000',
      desk: '2002',
      notice: '2002 2003',
      calls_max: 1,
      default_location: 'hall',
    },
    address: [
      ...trunks.map(({ psap, id }) => ({ group: 1 as const, network: psap.address, tag: id })),
      { group: 2 as const, network: '127.0.40.0/24', tag: 'cellar' },
    ],
    destinations: trunks.map(({ psap, id, style = 'pidf-lo', set = 2 }, index) => ({
      set,
      uri: psap.uri,
      priority: 100 - index,
      trunk: id,
      style,
    })),
    ...more,
  };
}

/** Gives it to Kamailio while that runs, but for what trunks we register at. */
export async function loadEmergencyPlan(server: SipServer, plan: SipPlan): Promise<void> {
  await server.plan(plan, { load: false });
  for (const table of sipTables) await server.rpc('htable.reload', [table]);
  await server.rpc('permissions.addressReload');
  await server.rpc('dispatcher.reload');
}

/** A phone of that house; without a number it is nobody's. */
export const emergencyPhone = (
  server: SipServer,
  number: string | undefined,
  more: Partial<PhoneOptions> = {},
): Promise<RawPhone> => {
  const ws = /^ws:\/\/([^:]+):(\d+)/.exec(server.wsUrl);
  return openRawPhone({
    server:
      more.transport === 'ws'
        ? { address: ws?.[1] ?? '', port: Number(ws?.[2]) }
        : { address: server.address, port: server.port },
    domain: server.domain,
    ...(number === undefined ? {} : { number, username: `p${number}`, password: `secret-${number}` }),
    ...more,
  });
};

/** What a browser offers: WebRTC. */
export const emergencyBrowserSdp = [
  'v=0',
  'o=- 1 2 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'a=group:BUNDLE 0',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111 0 126',
  'c=IN IP4 0.0.0.0',
  'a=rtcp:9 IN IP4 0.0.0.0',
  'a=ice-ufrag:abcd',
  'a=ice-pwd:abcdefghijklmnopqrstuvwx',
  'a=candidate:1 1 udp 2122260223 127.0.0.1 50000 typ host',
  `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => 'AB').join(':')}`,
  'a=setup:actpass',
  'a=mid:0',
  'a=sendrecv',
  'a=rtcp-mux',
  'a=rtpmap:111 opus/48000/2',
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:126 telephone-event/8000',
  '',
].join('\r\n');
