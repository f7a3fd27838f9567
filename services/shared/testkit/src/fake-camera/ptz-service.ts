/** ONVIF PTZ: moves are written down and simulated, so that GetStatus answers as a real head would. */
import type { CameraState, Position, PtzCommand } from './camera-state.ts';
import { capabilitiesOf } from './device-service.ts';
import { durationMs, isoTime, type Operation, type Service, tag } from './service.ts';
import { invalidArgument } from './soap.ts';
import { child, escapeXml, textOf, type XmlNode } from './xml.ts';

const spaces = 'http://www.onvif.org/ver10/tptz';
/** A move without a timeout goes on this long (DefaultPTZTimeout of the configuration). */
const moveMsDefault = 10_000;
/** Presets a camera keeps. */
const presetsMax = 64;
const home: Position = { pan: 0, tilt: 0, zoom: 0 };

function vector(node: XmlNode | undefined): Partial<Position> {
  const panTilt = child(node, 'PanTilt');
  const zoom = child(node, 'Zoom');
  return {
    ...(panTilt ? { pan: Number(panTilt.attributes['x']), tilt: Number(panTilt.attributes['y']) } : {}),
    ...(zoom ? { zoom: Number(zoom.attributes['x']) } : {}),
  };
}

function log(camera: CameraState, command: Omit<PtzCommand, 'atMs'>): void {
  camera.ptzLog.push({ ...command, atMs: Date.now() });
}

const positionXml = ({ pan, tilt, zoom }: Position, name: string): string =>
  tag(
    name,
    tag('tt:PanTilt', '', { x: pan, y: tilt, space: `${spaces}/PanTiltSpaces/PositionGenericSpace` }) +
      tag('tt:Zoom', '', { x: zoom, space: `${spaces}/ZoomSpaces/PositionGenericSpace` }),
  );

const continuousMove: Operation = ({ request, camera }) => {
  const speed = vector(child(request, 'Velocity'));
  if (Object.values(speed).some((value) => !(Math.abs(value) <= 1))) {
    throw invalidArgument('ter:InvalidVelocity', 'A speed is from -1 to 1');
  }
  const given = textOf(request, 'Timeout');
  const timeoutMs = given === undefined ? moveMsDefault : durationMs(given);
  if (timeoutMs === undefined)
    throw invalidArgument('ter:TimeoutNotSupported', `No duration: ${given ?? ''}`);
  camera.move({ ...home, ...speed }, timeoutMs);
  log(camera, { operation: 'ContinuousMove', ...speed, timeoutMs });
  return tag('tptz:ContinuousMoveResponse');
};

const absoluteMove: Operation = ({ request, camera }) => {
  const wanted = vector(child(request, 'Position'));
  camera.place({ ...camera.position(), ...wanted });
  log(camera, { operation: 'AbsoluteMove', ...wanted });
  return tag('tptz:AbsoluteMoveResponse');
};

const relativeMove: Operation = ({ request, camera }) => {
  const by = { ...home, ...vector(child(request, 'Translation')) };
  const from = camera.position();
  camera.place({ pan: from.pan + by.pan, tilt: from.tilt + by.tilt, zoom: from.zoom + by.zoom });
  log(camera, { operation: 'RelativeMove', ...by });
  return tag('tptz:RelativeMoveResponse');
};

const stop: Operation = ({ camera }) => {
  camera.place(camera.position());
  log(camera, { operation: 'Stop' });
  return tag('tptz:StopResponse');
};

function presetOf(camera: CameraState, request: XmlNode): [string, { name: string; position: Position }] {
  const token = textOf(request, 'PresetToken') ?? '';
  const preset = camera.presets.get(token);
  if (!preset) throw invalidArgument('ter:NoToken', `There is no preset ${token}`);
  return [token, preset];
}

const setPreset: Operation = ({ request, camera }) => {
  const asked = textOf(request, 'PresetToken');
  if (asked !== undefined && asked !== '') presetOf(camera, request);
  if (camera.presets.size >= presetsMax) throw invalidArgument('ter:TooManyPresets', 'No room for a preset');
  const free = Array.from({ length: presetsMax }, (_, index) => `preset_${index + 1}`).find(
    (one) => !camera.presets.has(one),
  );
  const preset = asked !== undefined && asked !== '' ? asked : (free ?? '');
  camera.presets.set(preset, { name: textOf(request, 'PresetName') ?? preset, position: camera.position() });
  log(camera, { operation: 'SetPreset', preset });
  return tag('tptz:SetPresetResponse', tag('tptz:PresetToken', preset));
};

const getPresets: Operation = ({ camera }) =>
  tag(
    'tptz:GetPresetsResponse',
    [...camera.presets]
      .map(([token, { name, position }]) =>
        tag('tptz:Preset', tag('tt:Name', escapeXml(name)) + positionXml(position, 'tt:PTZPosition'), {
          token,
        }),
      )
      .join(''),
  );

const gotoPreset: Operation = ({ request, camera }) => {
  const [preset, { position }] = presetOf(camera, request);
  camera.place(position);
  log(camera, { operation: 'GotoPreset', preset });
  return tag('tptz:GotoPresetResponse');
};

const removePreset: Operation = ({ request, camera }) => {
  const [preset] = presetOf(camera, request);
  camera.presets.delete(preset);
  log(camera, { operation: 'RemovePreset', preset });
  return tag('tptz:RemovePresetResponse');
};

const gotoHomePosition: Operation = ({ camera }) => {
  camera.place({ ...home });
  log(camera, { operation: 'GotoHomePosition' });
  return tag('tptz:GotoHomePositionResponse');
};

const getStatus: Operation = ({ camera }) => {
  const state = camera.moving ? 'MOVING' : 'IDLE';
  const moves = tag('tt:MoveStatus', tag('tt:PanTilt', state) + tag('tt:Zoom', state));
  const status =
    positionXml(camera.position(), 'tt:Position') + moves + tag('tt:UtcTime', isoTime(camera.now()));
  return tag('tptz:GetStatusResponse', tag('tptz:PTZStatus', status));
};

const range = (name: string, low: number): string => tag(name, `<tt:Min>${low}</tt:Min><tt:Max>1</tt:Max>`);

const supportedSpaces = tag(
  'tt:SupportedPTZSpaces',
  tag(
    'tt:AbsolutePanTiltPositionSpace',
    tag('tt:URI', `${spaces}/PanTiltSpaces/PositionGenericSpace`) +
      range('tt:XRange', -1) +
      range('tt:YRange', -1),
  ) +
    tag(
      'tt:AbsoluteZoomPositionSpace',
      tag('tt:URI', `${spaces}/ZoomSpaces/PositionGenericSpace`) + range('tt:XRange', 0),
    ) +
    tag(
      'tt:ContinuousPanTiltVelocitySpace',
      tag('tt:URI', `${spaces}/PanTiltSpaces/VelocityGenericSpace`) +
        range('tt:XRange', -1) +
        range('tt:YRange', -1),
    ) +
    tag(
      'tt:ContinuousZoomVelocitySpace',
      tag('tt:URI', `${spaces}/ZoomSpaces/VelocityGenericSpace`) + range('tt:XRange', -1),
    ),
);

const node = (name: string): string =>
  tag(
    name,
    `<tt:Name>head</tt:Name>${supportedSpaces}<tt:MaximumNumberOfPresets>${presetsMax}</tt:MaximumNumberOfPresets><tt:HomeSupported>true</tt:HomeSupported>`,
    { token: 'ptz_node_0', FixedHomePosition: true },
  );

const getConfigurations: Operation = () =>
  tag(
    'tptz:GetConfigurationsResponse',
    tag(
      'tptz:PTZConfiguration',
      `<tt:Name>ptz</tt:Name><tt:UseCount>2</tt:UseCount><tt:NodeToken>ptz_node_0</tt:NodeToken><tt:DefaultPTZTimeout>PT${moveMsDefault / 1_000}S</tt:DefaultPTZTimeout>`,
      { token: 'ptz_configuration_0' },
    ),
  );

export const ptzService: Service = {
  GetServiceCapabilities: (call) =>
    capabilitiesOf('tptz', { EFlip: false, MoveStatus: true, StatusPosition: true })(call),
  GetNodes: () => tag('tptz:GetNodesResponse', node('tptz:PTZNode')),
  GetNode: () => tag('tptz:GetNodeResponse', node('tptz:PTZNode')),
  GetConfigurations: getConfigurations,
  GetStatus: getStatus,
  ContinuousMove: continuousMove,
  AbsoluteMove: absoluteMove,
  RelativeMove: relativeMove,
  Stop: stop,
  GetPresets: getPresets,
  SetPreset: setPreset,
  GotoPreset: gotoPreset,
  RemovePreset: removePreset,
  GotoHomePosition: gotoHomePosition,
};
