/** ONVIF device management (Core specification, chapter 8) and device I/O, as far as a site box asks for them. */
import type { CameraState } from './camera-state.ts';
import { type Operation, type Service, tag } from './service.ts';
import { invalidArgument, namespaces } from './soap.ts';
import { child, escapeXml, textOf } from './xml.ts';

/** Operations that need no credentials (Core specification, access class PRE_AUTH). */
export const openOperations: ReadonlySet<string> = new Set([
  'GetSystemDateAndTime',
  'GetCapabilities',
  'GetServices',
  'GetServiceCapabilities',
  'GetHostname',
  'GetWsdlUrl',
]);

/** The services of a camera: namespace and path. */
function servicesOf(
  camera: CameraState,
): { namespace: string; path: string; version: readonly [number, number] }[] {
  const { spec } = camera;
  return [
    { namespace: namespaces.tds, path: '/onvif/device_service', version: [2, 60] },
    { namespace: namespaces.trt, path: '/onvif/media_service', version: [2, 60] },
    { namespace: namespaces.tev, path: '/onvif/event_service', version: [2, 60] },
    { namespace: namespaces.tmd, path: '/onvif/deviceio_service', version: [2, 60] },
    ...(spec.ptz
      ? [{ namespace: namespaces.tptz, path: '/onvif/ptz_service', version: [2, 60] as const }]
      : []),
    ...(spec.profileT
      ? [{ namespace: namespaces.tr2, path: '/onvif/media2_service', version: [2, 60] as const }]
      : []),
  ];
}

export function scopesOf(camera: CameraState): string[] {
  const { name, model, profileT } = camera.spec;
  return [
    'onvif://www.onvif.org/type/video_encoder',
    'onvif://www.onvif.org/type/Network_Video_Transmitter',
    'onvif://www.onvif.org/Profile/Streaming',
    ...(profileT ? ['onvif://www.onvif.org/Profile/T'] : []),
    `onvif://www.onvif.org/hardware/${encodeURIComponent(model)}`,
    `onvif://www.onvif.org/name/${encodeURIComponent(name)}`,
    'onvif://www.onvif.org/location/',
  ];
}

export const relayToken = (number: number): string => `relay_${number}`;
export const inputToken = (number: number): string => `input_${number}`;
export const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

const getSystemDateAndTime: Operation = ({ camera }) => {
  const now = new Date(camera.now());
  const time = tag(
    'tt:Time',
    tag('tt:Hour', String(now.getUTCHours())) +
      tag('tt:Minute', String(now.getUTCMinutes())) +
      tag('tt:Second', String(now.getUTCSeconds())),
  );
  const date = tag(
    'tt:Date',
    tag('tt:Year', String(now.getUTCFullYear())) +
      tag('tt:Month', String(now.getUTCMonth() + 1)) +
      tag('tt:Day', String(now.getUTCDate())),
  );
  const zone = tag('tt:TimeZone', tag('tt:TZ', 'UTC0'));
  const body = `<tt:DateTimeType>Manual</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings>${zone}`;
  return tag(
    'tds:GetSystemDateAndTimeResponse',
    tag(
      'tds:SystemDateAndTime',
      body + tag('tt:UTCDateTime', time + date) + tag('tt:LocalDateTime', time + date),
    ),
  );
};

const setSystemDateAndTime: Operation = ({ request, camera }) => {
  const utc = child(request, 'UTCDateTime');
  if (utc) {
    const part = (...names: string[]) => Number(textOf(utc, ...names));
    const wanted = Date.UTC(
      part('Date', 'Year'),
      part('Date', 'Month') - 1,
      part('Date', 'Day'),
      part('Time', 'Hour'),
      part('Time', 'Minute'),
      part('Time', 'Second'),
    );
    if (!Number.isFinite(wanted)) throw invalidArgument('ter:InvalidDateTime', 'No such date and time');
    camera.clockOffsetMs = wanted - Date.now();
  } else if (textOf(request, 'DateTimeType') === 'NTP') camera.clockOffsetMs = 0;
  return tag('tds:SetSystemDateAndTimeResponse');
};

const getDeviceInformation: Operation = ({ camera: { spec } }) => {
  const fields = {
    Manufacturer: spec.manufacturer,
    Model: spec.model,
    FirmwareVersion: spec.firmware,
    SerialNumber: spec.serial,
    HardwareId: '1',
  };
  const list = Object.entries(fields).map(([name, value]) => tag(`tds:${name}`, escapeXml(value)));
  return tag('tds:GetDeviceInformationResponse', list.join(''));
};

const getServices: Operation = ({ camera }) => {
  const list = servicesOf(camera).map(({ namespace, path, version: [major, minor] }) =>
    tag(
      'tds:Service',
      tag('tds:Namespace', namespace) +
        tag('tds:XAddr', camera.httpUrl(path)) +
        tag('tds:Version', tag('tt:Major', String(major)) + tag('tt:Minor', String(minor))),
    ),
  );
  return tag('tds:GetServicesResponse', list.join(''));
};

const getCapabilities: Operation = ({ camera }) => {
  const at = (path: string) => tag('tt:XAddr', camera.httpUrl(path));
  const { relays, digitalInputs, ptz } = camera.spec;
  const events = `<tt:WSSubscriptionPolicySupport>false</tt:WSSubscriptionPolicySupport><tt:WSPullPointSupport>true</tt:WSPullPointSupport><tt:WSPausableSubscriptionManagerInterfaceSupport>false</tt:WSPausableSubscriptionManagerInterfaceSupport>`;
  const streaming = `<tt:StreamingCapabilities><tt:RTPMulticast>false</tt:RTPMulticast><tt:RTP_TCP>true</tt:RTP_TCP><tt:RTP_RTSP_TCP>true</tt:RTP_RTSP_TCP></tt:StreamingCapabilities>`;
  const io = `<tt:IO><tt:InputConnectors>${digitalInputs}</tt:InputConnectors><tt:RelayOutputs>${relays}</tt:RelayOutputs></tt:IO>`;
  const deviceIo = tag(
    'tt:DeviceIO',
    `${at('/onvif/deviceio_service')}<tt:VideoSources>1</tt:VideoSources><tt:VideoOutputs>0</tt:VideoOutputs><tt:AudioSources>0</tt:AudioSources><tt:AudioOutputs>0</tt:AudioOutputs><tt:RelayOutputs>${relays}</tt:RelayOutputs>`,
  );
  return tag(
    'tds:GetCapabilitiesResponse',
    tag(
      'tds:Capabilities',
      tag('tt:Device', at('/onvif/device_service') + io) +
        tag('tt:Events', at('/onvif/event_service') + events) +
        tag('tt:Media', at('/onvif/media_service') + streaming) +
        (ptz ? tag('tt:PTZ', at('/onvif/ptz_service')) : '') +
        tag('tt:Extension', deviceIo),
    ),
  );
};

const getScopes: Operation = ({ camera }) => {
  const list = scopesOf(camera).map((scope) =>
    tag('tds:Scopes', tag('tt:ScopeDef', 'Fixed') + tag('tt:ScopeItem', escapeXml(scope))),
  );
  return tag('tds:GetScopesResponse', list.join(''));
};

const getNetworkInterfaces: Operation = ({ camera }) => {
  const manual = tag('tt:Manual', tag('tt:Address', camera.addresses.host) + tag('tt:PrefixLength', '24'));
  const ipv4 = tag(
    'tt:IPv4',
    tag('tt:Enabled', 'true') + tag('tt:Config', `${manual}<tt:DHCP>false</tt:DHCP>`),
  );
  const info = tag(
    'tt:Info',
    `<tt:Name>eth0</tt:Name>${tag('tt:HwAddress', camera.spec.mac)}<tt:MTU>1500</tt:MTU>`,
  );
  return tag(
    'tds:GetNetworkInterfacesResponse',
    tag('tds:NetworkInterfaces', `<tt:Enabled>true</tt:Enabled>${info}${ipv4}`, { token: 'eth0' }),
  );
};

const relayOutputs =
  (prefix: 'tds' | 'tmd'): Operation =>
  ({ camera }) => {
    const properties = tag(
      'tt:Properties',
      '<tt:Mode>Bistable</tt:Mode><tt:DelayTime>PT0S</tt:DelayTime><tt:IdleState>open</tt:IdleState>',
    );
    const list = numbers(camera.spec.relays).map((number) =>
      tag(`${prefix}:RelayOutputs`, properties, { token: relayToken(number) }),
    );
    return tag(`${prefix}:GetRelayOutputsResponse`, list.join(''));
  };

const setRelayOutputState =
  (prefix: 'tds' | 'tmd'): Operation =>
  ({ request, camera }) => {
    const token = textOf(request, 'RelayOutputToken') ?? '';
    const state = textOf(request, 'LogicalState');
    if (!numbers(camera.spec.relays).map(relayToken).includes(token)) {
      throw invalidArgument('ter:RelayToken', `There is no relay ${token}`);
    }
    if (state !== 'active' && state !== 'inactive') throw invalidArgument('ter:ModeError', 'No such state');
    camera.relayLog.push({ token, active: state === 'active', atMs: Date.now() });
    camera.changeProperty({
      topic: 'tns1:Device/Trigger/Relay',
      source: { RelayToken: token },
      data: { LogicalState: state },
    });
    return tag(`${prefix}:SetRelayOutputStateResponse`);
  };

const systemReboot: Operation = ({ camera }) => {
  camera.reboot();
  return tag('tds:SystemRebootResponse', tag('tds:Message', 'Rebooting'));
};

/** A GetServiceCapabilities that says no more than attributes. */
export const capabilitiesOf =
  (prefix: string, attributes: Readonly<Record<string, number | boolean>>): Operation =>
  () =>
    tag(`${prefix}:GetServiceCapabilitiesResponse`, tag(`${prefix}:Capabilities`, '', attributes));

const getDeviceCapabilities: Operation = ({ camera: { spec } }) =>
  tag(
    'tds:GetServiceCapabilitiesResponse',
    tag(
      'tds:Capabilities',
      tag('tds:Network', '', { NTP: 1 }) +
        tag('tds:Security', '', {
          UsernameToken: spec.auth === 'wsse' || spec.auth === 'both',
          HttpDigest: spec.auth === 'digest' || spec.auth === 'both',
        }) +
        tag('tds:System', '', { DiscoveryResolve: false, DiscoveryBye: true }),
    ),
  );

const getHostname: Operation = ({ camera }) =>
  tag(
    'tds:GetHostnameResponse',
    tag('tds:HostnameInformation', `<tt:FromDHCP>false</tt:FromDHCP>${tag('tt:Name', camera.spec.name)}`),
  );

export const deviceService: Service = {
  GetSystemDateAndTime: getSystemDateAndTime,
  SetSystemDateAndTime: setSystemDateAndTime,
  GetDeviceInformation: getDeviceInformation,
  GetServices: getServices,
  GetServiceCapabilities: getDeviceCapabilities,
  GetCapabilities: getCapabilities,
  GetScopes: getScopes,
  GetHostname: getHostname,
  GetNetworkInterfaces: getNetworkInterfaces,
  GetRelayOutputs: relayOutputs('tds'),
  SetRelayOutputState: setRelayOutputState('tds'),
  SystemReboot: systemReboot,
};

export const deviceIoService: Service = {
  GetServiceCapabilities: (call) =>
    capabilitiesOf('tmd', {
      RelayOutputs: call.camera.spec.relays,
      DigitalInputs: call.camera.spec.digitalInputs,
    })(call),
  GetDigitalInputs: ({ camera }) =>
    tag(
      'tmd:GetDigitalInputsResponse',
      numbers(camera.spec.digitalInputs)
        .map((number) => tag('tmd:DigitalInputs', '', { token: inputToken(number), IdleState: 'open' }))
        .join(''),
    ),
  GetRelayOutputs: relayOutputs('tmd'),
  SetRelayOutputState: setRelayOutputState('tmd'),
};
