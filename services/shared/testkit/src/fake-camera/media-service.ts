/** ONVIF Media (Profile S) and Media2 (Profile T): profiles, stream and snapshot URIs, encoder settings. */
import type { CameraState } from './camera-state.ts';
import { capabilitiesOf } from './device-service.ts';
import type { CameraStream } from './options.ts';
import { type Operation, type Service, tag } from './service.ts';
import { invalidArgument } from './soap.ts';
import { child, textOf, type XmlNode } from './xml.ts';

export const snapshotPath = '/onvif/snapshot';
const profileToken = (stream: CameraStream): string => `profile_${stream.name}`;
const encoderToken = (stream: CameraStream): string => `encoder_${stream.name}`;

const h264Profiles = { 'constrained-baseline': 'Baseline', main: 'Main', high: 'High' } as const;
const sizes = [
  [640, 360],
  [1280, 720],
  [1920, 1080],
] as const;

function streamOf(camera: CameraState, request: XmlNode, name: string): CameraStream {
  const token = textOf(request, name) ?? '';
  const stream = camera.streams.find((one) => profileToken(one) === token || encoderToken(one) === token);
  if (!stream) throw invalidArgument('ter:NoProfile', `There is no profile ${token}`);
  return stream;
}

const resolution = (width: number, height: number): string =>
  tag('tt:Width', String(width)) + tag('tt:Height', String(height));

const bounds = (camera: CameraState): string => {
  const [main] = camera.streams;
  return `<tt:Bounds x="0" y="0" width="${main?.width ?? 0}" height="${main?.height ?? 0}"></tt:Bounds>`;
};

const sourceConfiguration = (camera: CameraState, name: string): string =>
  tag(
    name,
    `<tt:Name>video</tt:Name><tt:UseCount>${camera.streams.length}</tt:UseCount><tt:SourceToken>source_0</tt:SourceToken>${bounds(camera)}`,
    { token: 'source_configuration_0' },
  );

function encoderBody(stream: CameraStream): string {
  const gop = Math.round(stream.gopSeconds * stream.fps);
  const rate = `<tt:FrameRateLimit>${stream.fps}</tt:FrameRateLimit><tt:EncodingInterval>1</tt:EncodingInterval><tt:BitrateLimit>${stream.bitrateKbps}</tt:BitrateLimit>`;
  const codec = `<tt:GovLength>${gop}</tt:GovLength><tt:H264Profile>${h264Profiles[stream.profile]}</tt:H264Profile>`;
  return (
    `<tt:Name>${stream.name}</tt:Name><tt:UseCount>1</tt:UseCount>${tag('tt:Encoding', stream.codec.toUpperCase())}` +
    tag('tt:Resolution', resolution(stream.width, stream.height)) +
    `<tt:Quality>5</tt:Quality>${tag('tt:RateControl', rate)}${tag('tt:H264', codec)}` +
    '<tt:Multicast><tt:Address><tt:Type>IPv4</tt:Type><tt:IPv4Address>0.0.0.0</tt:IPv4Address></tt:Address><tt:Port>0</tt:Port><tt:TTL>0</tt:TTL><tt:AutoStart>false</tt:AutoStart></tt:Multicast>' +
    '<tt:SessionTimeout>PT60S</tt:SessionTimeout>'
  );
}

const announced = (camera: CameraState, stream: CameraStream): CameraStream => ({
  ...stream,
  codec: camera.faults.announcedCodec ?? stream.codec,
});

const ptzConfiguration =
  '<tt:Name>ptz</tt:Name><tt:UseCount>2</tt:UseCount><tt:NodeToken>ptz_node_0</tt:NodeToken>';

function profile(camera: CameraState, stream: CameraStream, name: string): string {
  const ptz = camera.spec.ptz
    ? tag('tt:PTZConfiguration', ptzConfiguration, { token: 'ptz_configuration_0' })
    : '';
  const encoder = tag('tt:VideoEncoderConfiguration', encoderBody(announced(camera, stream)), {
    token: encoderToken(stream),
  });
  const inner = `${tag('tt:Name', stream.name)}${sourceConfiguration(camera, 'tt:VideoSourceConfiguration')}${encoder}${ptz}`;
  return tag(name, inner, { token: profileToken(stream), fixed: true });
}

/** Media2 counts the codec's words anew: rate control has attributes, and H265 is a codec like any other. */
function encoder2(stream: CameraStream, name: string): string {
  const rate = `<tt:FrameRateLimit>${stream.fps}</tt:FrameRateLimit><tt:BitrateLimit>${stream.bitrateKbps}</tt:BitrateLimit>`;
  const inner =
    `<tt:Name>${stream.name}</tt:Name><tt:UseCount>1</tt:UseCount>${tag('tt:Encoding', stream.codec.toUpperCase())}` +
    tag('tt:Resolution', resolution(stream.width, stream.height)) +
    `${tag('tt:RateControl', rate, { ConstantBitRate: false })}<tt:Quality>5</tt:Quality>`;
  const gop = Math.round(stream.gopSeconds * stream.fps);
  const codecProfile = stream.codec === 'h265' ? 'Main' : h264Profiles[stream.profile];
  return tag(name, inner, { token: encoderToken(stream), GovLength: gop, Profile: codecProfile });
}

function profile2(camera: CameraState, stream: CameraStream): string {
  const ptz = camera.spec.ptz ? tag('tr2:PTZ', ptzConfiguration, { token: 'ptz_configuration_0' }) : '';
  const configurations =
    sourceConfiguration(camera, 'tr2:VideoSource') +
    encoder2(announced(camera, stream), 'tr2:VideoEncoder') +
    ptz;
  return tag('tr2:Profiles', tag('tr2:Name', stream.name) + tag('tr2:Configurations', configurations), {
    token: profileToken(stream),
    fixed: true,
  });
}

/** Takes what a client set and tells it back; another codec changes the picture too. */
const setVideoEncoderConfiguration =
  (prefix: 'trt' | 'tr2'): Operation =>
  async ({ request, camera }) => {
    const configuration = child(request, 'Configuration');
    const token = configuration?.attributes['token'] ?? '';
    const stream = camera.streams.find((one) => encoderToken(one) === token);
    if (!configuration || !stream)
      throw invalidArgument('ter:NoConfig', `There is no configuration ${token}`);
    const changed = changeOf(configuration);
    const { codec = stream.codec } = changed;
    const wrong = Object.entries(changed).find(([name, value]) => name !== 'codec' && !(Number(value) > 0));
    if (wrong) throw invalidArgument('ter:ConfigModify', `${wrong[0]} is not possible`);
    if (!codecs.includes(codec) || (codec === 'h264' && camera.faults.noH264Encoder === true))
      throw invalidArgument('ter:ConfigModify', `${codec} is not possible`);
    const other = codec !== stream.codec;
    Object.assign(stream, changed);
    camera.encoderLog.push({ token, changed });
    // A file is of one codec: the other one is drawn.
    if (other && camera.faults.encoderStays !== true) {
      stream.mode = 'clock';
      await camera.remount(stream);
    }
    return tag(`${prefix}:SetVideoEncoderConfigurationResponse`);
  };

function changeOf(configuration: XmlNode): Partial<CameraStream> {
  const number = (...names: string[]) => Number(textOf(configuration, ...names));
  const gop = Number(configuration.attributes['GovLength'] ?? textOf(configuration, 'H264', 'GovLength'));
  const fps = number('RateControl', 'FrameRateLimit');
  return {
    codec: textOf(configuration, 'Encoding')?.toLowerCase() as CameraStream['codec'],
    width: number('Resolution', 'Width'),
    height: number('Resolution', 'Height'),
    fps,
    bitrateKbps: number('RateControl', 'BitrateLimit'),
    gopSeconds: gop / fps,
  };
}

const codecs: readonly CameraStream['codec'][] = ['h264', 'h265'];
const range = (name: string, low: number, high: number): string =>
  tag(`tt:${name}`, `<tt:Min>${low}</tt:Min><tt:Max>${high}</tt:Max>`);
const sizesAvailable = sizes
  .map(([width, height]) => tag('tt:ResolutionsAvailable', resolution(width, height)))
  .join('');

const getVideoEncoderConfigurationOptions: Operation = ({ camera }) => {
  const profiles = Object.values(h264Profiles).map((name) => tag('tt:H264ProfilesSupported', name));
  const h264 =
    sizesAvailable +
    range('GovLengthRange', 1, 300) +
    range('FrameRateRange', 1, 25) +
    range('EncodingIntervalRange', 1, 1) +
    profiles.join('');
  return tag(
    'trt:GetVideoEncoderConfigurationOptionsResponse',
    tag(
      'trt:Options',
      range('QualityRange', 1, 10) + (camera.faults.noH264Encoder === true ? '' : tag('tt:H264', h264)),
    ),
  );
};

/** One entry a codec, with lists in attributes (Media2 §5.2.3.6). */
const getVideoEncoder2ConfigurationOptions: Operation = ({ request, camera }) => {
  streamOf(camera, request, 'ConfigurationToken');
  const entry = (encoding: string, profiles: string): string =>
    tag(
      'tr2:Options',
      tag('tt:Encoding', encoding) +
        range('QualityRange', 1, 10) +
        sizesAvailable +
        range('BitrateRange', 64, 8_192),
      {
        GovLengthRange: '1 300',
        FrameRatesSupported: '25 20 15 12 10 8 6 5 1',
        ProfilesSupported: profiles,
        ConstantBitRateSupported: true,
      },
    );
  const h264 = camera.faults.noH264Encoder === true ? '' : entry('H264', 'Baseline Main High');
  return tag('tr2:GetVideoEncoderConfigurationOptionsResponse', entry('H265', 'Main') + h264);
};

const mediaUri = (uri: string): string =>
  tag(
    'trt:MediaUri',
    `${tag('tt:Uri', uri)}<tt:InvalidAfterConnect>false</tt:InvalidAfterConnect><tt:InvalidAfterReboot>false</tt:InvalidAfterReboot><tt:Timeout>PT0S</tt:Timeout>`,
  );

export const mediaService: Service = {
  GetServiceCapabilities: (call) => capabilitiesOf('trt', { SnapshotUri: true, Rotation: false })(call),
  GetProfiles: ({ camera }) =>
    tag(
      'trt:GetProfilesResponse',
      camera.streams.map((one) => profile(camera, one, 'trt:Profiles')).join(''),
    ),
  GetProfile: ({ request, camera }) =>
    tag('trt:GetProfileResponse', profile(camera, streamOf(camera, request, 'ProfileToken'), 'trt:Profile')),
  GetStreamUri: ({ request, camera }) =>
    tag('trt:GetStreamUriResponse', mediaUri(camera.rtspUrl(streamOf(camera, request, 'ProfileToken').name))),
  GetSnapshotUri: ({ request, camera }) => {
    const { name } = streamOf(camera, request, 'ProfileToken');
    return tag('trt:GetSnapshotUriResponse', mediaUri(camera.httpUrl(`${snapshotPath}/${name}.jpg`)));
  },
  GetVideoSources: ({ camera }) => {
    const [main] = camera.streams;
    const inner = `<tt:Framerate>${main?.fps ?? 0}</tt:Framerate>${tag('tt:Resolution', resolution(main?.width ?? 0, main?.height ?? 0))}`;
    return tag('trt:GetVideoSourcesResponse', tag('trt:VideoSources', inner, { token: 'source_0' }));
  },
  GetVideoSourceConfigurations: ({ camera }) =>
    tag('trt:GetVideoSourceConfigurationsResponse', sourceConfiguration(camera, 'trt:Configurations')),
  GetVideoEncoderConfigurations: ({ camera }) =>
    tag(
      'trt:GetVideoEncoderConfigurationsResponse',
      camera.streams
        .map((one) => tag('trt:Configurations', encoderBody(one), { token: encoderToken(one) }))
        .join(''),
    ),
  GetVideoEncoderConfiguration: ({ request, camera }) => {
    const stream = streamOf(camera, request, 'ConfigurationToken');
    const configuration = tag('trt:Configuration', encoderBody(stream), { token: encoderToken(stream) });
    return tag('trt:GetVideoEncoderConfigurationResponse', configuration);
  },
  SetVideoEncoderConfiguration: setVideoEncoderConfiguration('trt'),
  GetVideoEncoderConfigurationOptions: getVideoEncoderConfigurationOptions,
};

export const media2Service: Service = {
  GetProfiles: ({ request, camera }) => {
    const token = textOf(request, 'Token');
    const wanted = camera.streams.filter((one) => token === undefined || profileToken(one) === token);
    return tag('tr2:GetProfilesResponse', wanted.map((one) => profile2(camera, one)).join(''));
  },
  GetStreamUri: ({ request, camera }) =>
    tag(
      'tr2:GetStreamUriResponse',
      tag('tr2:Uri', camera.rtspUrl(streamOf(camera, request, 'ProfileToken').name)),
    ),
  GetSnapshotUri: ({ request, camera }) => {
    const { name } = streamOf(camera, request, 'ProfileToken');
    return tag('tr2:GetSnapshotUriResponse', tag('tr2:Uri', camera.httpUrl(`${snapshotPath}/${name}.jpg`)));
  },
  GetVideoEncoderConfigurations: ({ request, camera }) => {
    const token = textOf(request, 'ConfigurationToken');
    const wanted = camera.streams.filter((one) => token === undefined || encoderToken(one) === token);
    return tag(
      'tr2:GetVideoEncoderConfigurationsResponse',
      wanted.map((one) => encoder2(one, 'tr2:Configurations')).join(''),
    );
  },
  SetVideoEncoderConfiguration: setVideoEncoderConfiguration('tr2'),
  GetVideoEncoderConfigurationOptions: getVideoEncoder2ConfigurationOptions,
};
