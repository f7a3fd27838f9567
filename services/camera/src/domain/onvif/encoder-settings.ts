/**
 * Video encoder configurations and what a camera can encode (ONVIF Media2 §5.2.3, Media §5.5): read, changed to H.264, and
 * written back. Pure. What the camera told goes back to it escaped, and only where its schema has a place for it.
 */
import { escapeXml, find, findAll, numberAt, textAt, type XmlNode } from './xml.ts';

export type Size = { width: number; height: number };
type Range = { min: number; max: number };

export type EncoderSettings = {
  token: string;
  encoding: string;
  size: Size;
  fps: number;
  bitrateKbps: number;
  gop: number;
  quality: number;
  profile: string | undefined;
};

/** What the camera can do in H.264. */
export type H264Options = {
  sizes: readonly Size[];
  profiles: readonly string[];
  /** Frame rates that it takes, or the range of them. */
  rates: readonly number[] | Range;
  bitrates: Range | undefined;
  gops: Range | undefined;
  qualities: Range | undefined;
};

/** Media2 calls the profiles as they are; Media leaves out what is too old to be seen. The first that is there is taken. */
const profileOrder = ['High', 'Main', 'Baseline'] as const;
/** Lists longer than these are no camera's. */
const optionsMax = 200;
const defaults = { fps: 15, bitrateKbps: 2_048, quality: 5 } as const;

const answer = (root: XmlNode): XmlNode | undefined => find(root, 'Body')?.children[0];
export const isH264 = ({ encoding }: EncoderSettings): boolean =>
  encoding.toUpperCase().replaceAll(/[^A-Z0-9]/g, '') === 'H264';

/** Token of the video encoder of a profile, in Media's form or Media2's. */
export function encoderTokenOf(root: XmlNode, profileToken: string): string | undefined {
  const all = [...findAll(answer(root), 'Profiles'), ...findAll(answer(root), 'Profile')];
  const profile = all.find(({ attributes }) => attributes['token'] === profileToken);
  const encoder =
    find(profile, 'VideoEncoderConfiguration') ?? find(profile, 'Configurations', 'VideoEncoder');
  return encoder?.attributes['token'];
}

/** The configuration of that token in an answer, as it stands there. */
export function encoderNode(root: XmlNode, token: string): XmlNode | undefined {
  const all = [...findAll(answer(root), 'Configurations'), ...findAll(answer(root), 'Configuration')];
  return all.find(({ attributes }) => attributes['token'] === token);
}

/** @returns undefined when it tells no size: nothing could be chosen. */
export function readEncoder(node: XmlNode): EncoderSettings | undefined {
  const size = sizeOf(find(node, 'Resolution'));
  const token = node.attributes['token'];
  if (!size || token === undefined) return undefined;
  const fps = positive(numberAt(node, 'RateControl', 'FrameRateLimit')) ?? defaults.fps;
  const gop = positive(Number(node.attributes['GovLength'])) ?? positive(numberAt(node, 'H264', 'GovLength'));
  return {
    token,
    encoding: textAt(node, 'Encoding') ?? '',
    size,
    fps,
    bitrateKbps: positive(numberAt(node, 'RateControl', 'BitrateLimit')) ?? defaults.bitrateKbps,
    // A key frame every two seconds, where nothing is said.
    gop: gop ?? Math.round(fps * 2),
    quality: positive(numberAt(node, 'Quality')) ?? defaults.quality,
    profile: node.attributes['Profile'] ?? textAt(node, 'H264', 'H264Profile'),
  };
}

/** GetVideoEncoderConfigurationOptions of Media2: one entry a codec. */
export function readMedia2Options(root: XmlNode): H264Options | undefined {
  const entry = findAll(answer(root), 'Options').find(
    (one) => textAt(one, 'Encoding')?.toUpperCase() === 'H264',
  );
  if (!entry) return undefined;
  const list = (name: string): string[] =>
    (entry.attributes[name] ?? '').split(/\s+/).filter(Boolean).slice(0, optionsMax);
  const [shortest, longest] = list('GovLengthRange').map(Number);
  return usable({
    sizes: sizesOf(entry),
    profiles: list('ProfilesSupported'),
    rates: list('FrameRatesSupported')
      .map(Number)
      .filter((rate) => rate > 0),
    bitrates: rangeOf(find(entry, 'BitrateRange')),
    gops: shortest !== undefined && longest !== undefined ? { min: shortest, max: longest } : undefined,
    qualities: rangeOf(find(entry, 'QualityRange')),
  });
}

/** The same of Media; bitrates came later, in an extension. */
export function readMediaOptions(root: XmlNode): H264Options | undefined {
  const options = find(answer(root), 'Options');
  const entry = find(options, 'H264');
  if (!entry) return undefined;
  const extended = find(options, 'Extension', 'H264');
  return usable({
    sizes: sizesOf(entry),
    profiles: findAll(entry, 'H264ProfilesSupported').map(({ text }) => text),
    rates: rangeOf(find(entry, 'FrameRateRange')) ?? [],
    bitrates: rangeOf(find(extended, 'BitrateRange')),
    gops: rangeOf(find(entry, 'GovLengthRange')),
    qualities: rangeOf(find(options, 'QualityRange')),
  });
}

const usable = (options: H264Options): H264Options | undefined =>
  options.sizes.length > 0 ? options : undefined;

/** The same picture in H.264: its size or the nearest below, its rate and bitrate as far as the encoder goes. */
export function asH264(settings: EncoderSettings, options: H264Options): EncoderSettings {
  const fps = nearestRate(settings.fps, options.rates);
  const known = options.profiles.filter((name) => /^\w{1,40}$/.test(name));
  return {
    ...settings,
    encoding: 'H264',
    size: nearestSize(settings.size, options.sizes),
    fps,
    bitrateKbps: within(settings.bitrateKbps, options.bitrates),
    gop: Math.round(within(settings.gop, options.gops)),
    quality: within(settings.quality, options.qualities),
    profile: profileOrder.find((name) => known.includes(name)) ?? known[0],
  };
}

function nearestSize(wanted: Size, sizes: readonly Size[]): Size {
  const largest = [...sizes].sort((a, b) => b.width * b.height - a.width * a.height);
  const fits = largest.filter(({ width, height }) => width <= wanted.width && height <= wanted.height);
  const shape = (size: Size): number => Math.abs(size.width / size.height - wanted.width / wanted.height);
  // Of the same shape before one that would cut or squeeze the picture.
  return fits.find((size) => shape(size) < 0.02) ?? fits[0] ?? largest.at(-1) ?? wanted;
}

function nearestRate(wanted: number, rates: H264Options['rates']): number {
  if ('min' in rates) return within(wanted, rates);
  const below = rates.filter((rate) => rate <= wanted);
  if (below.length > 0) return Math.max(...below);
  return rates.length > 0 ? Math.min(...rates) : wanted;
}

const within = (value: number, range: Range | undefined): number =>
  range ? Math.min(range.max, Math.max(range.min, value)) : value;

const media2 = 'http://www.onvif.org/ver20/media/wsdl';
const media = 'http://www.onvif.org/ver10/media/wsdl';
const schema = 'http://www.onvif.org/ver10/schema';

export const askMedia2 = {
  profile: (token: string): string =>
    `<GetProfiles xmlns="${media2}"><Token>${escapeXml(token)}</Token><Type>VideoEncoder</Type></GetProfiles>`,
  encoder: (token: string): string =>
    `<GetVideoEncoderConfigurations xmlns="${media2}"><ConfigurationToken>${escapeXml(token)}</ConfigurationToken></GetVideoEncoderConfigurations>`,
  options: (token: string, profileToken: string): string =>
    `<GetVideoEncoderConfigurationOptions xmlns="${media2}"><ConfigurationToken>${escapeXml(token)}</ConfigurationToken>` +
    `<ProfileToken>${escapeXml(profileToken)}</ProfileToken></GetVideoEncoderConfigurationOptions>`,
};

export const askMedia = {
  profile: (token: string): string =>
    `<GetProfile xmlns="${media}"><ProfileToken>${escapeXml(token)}</ProfileToken></GetProfile>`,
  encoder: (token: string): string =>
    `<GetVideoEncoderConfiguration xmlns="${media}"><ConfigurationToken>${escapeXml(token)}</ConfigurationToken></GetVideoEncoderConfiguration>`,
  options: (token: string, profileToken: string): string =>
    `<GetVideoEncoderConfigurationOptions xmlns="${media}"><ConfigurationToken>${escapeXml(token)}</ConfigurationToken>` +
    `<ProfileToken>${escapeXml(profileToken)}</ProfileToken></GetVideoEncoderConfigurationOptions>`,
};

/** SetVideoEncoderConfiguration of Media2 (`tt:VideoEncoder2Configuration`, in the schema's order). */
export function setMedia2(was: XmlNode, to: EncoderSettings): string {
  const profile = to.profile === undefined ? '' : ` Profile="${escapeXml(to.profile)}"`;
  const constant = find(was, 'RateControl')?.attributes['ConstantBitRate'] === 'true';
  return (
    `<SetVideoEncoderConfiguration xmlns="${media2}" xmlns:tt="${schema}">` +
    `<Configuration token="${escapeXml(to.token)}" GovLength="${to.gop}"${profile}>` +
    head(was, to) +
    `<tt:RateControl ConstantBitRate="${constant}"><tt:FrameRateLimit>${to.fps}</tt:FrameRateLimit>` +
    `<tt:BitrateLimit>${Math.round(to.bitrateKbps)}</tt:BitrateLimit></tt:RateControl>` +
    `${copied(find(was, 'Multicast'))}<tt:Quality>${to.quality}</tt:Quality></Configuration></SetVideoEncoderConfiguration>`
  );
}

/** The same of Media (`tt:VideoEncoderConfiguration`): frame rates are whole, and it is to last over a reboot. */
export function setMedia(was: XmlNode, to: EncoderSettings): string {
  const interval = positive(numberAt(was, 'RateControl', 'EncodingInterval')) ?? 1;
  return (
    `<SetVideoEncoderConfiguration xmlns="${media}" xmlns:tt="${schema}">` +
    `<Configuration token="${escapeXml(to.token)}">${head(was, to)}<tt:Quality>${to.quality}</tt:Quality>` +
    `<tt:RateControl><tt:FrameRateLimit>${Math.round(to.fps)}</tt:FrameRateLimit><tt:EncodingInterval>${interval}</tt:EncodingInterval>` +
    `<tt:BitrateLimit>${Math.round(to.bitrateKbps)}</tt:BitrateLimit></tt:RateControl>` +
    `<tt:H264><tt:GovLength>${to.gop}</tt:GovLength><tt:H264Profile>${escapeXml(to.profile ?? 'Main')}</tt:H264Profile></tt:H264>` +
    `${copied(find(was, 'Multicast'))}<tt:SessionTimeout>${escapeXml(textAt(was, 'SessionTimeout') ?? 'PT60S')}</tt:SessionTimeout>` +
    '</Configuration><ForcePersistence>true</ForcePersistence></SetVideoEncoderConfiguration>'
  );
}

const head = (was: XmlNode, { encoding, size }: EncoderSettings): string =>
  `<tt:Name>${escapeXml(textAt(was, 'Name') ?? '')}</tt:Name><tt:UseCount>${numberAt(was, 'UseCount') ?? 1}</tt:UseCount>` +
  `<tt:Encoding>${escapeXml(encoding)}</tt:Encoding>` +
  `<tt:Resolution><tt:Width>${size.width}</tt:Width><tt:Height>${size.height}</tt:Height></tt:Resolution>`;

/** As the camera told it: multicast has elements of the schema alone, and no attributes. */
const copied = (node: XmlNode | undefined): string =>
  node === undefined
    ? ''
    : `<tt:${node.name}>${node.children.length > 0 ? node.children.map(copied).join('') : escapeXml(node.text)}</tt:${node.name}>`;

const positive = (value: number | undefined): number | undefined =>
  value !== undefined && value > 0 && value < 1e9 ? value : undefined;

function sizeOf(node: XmlNode | undefined): Size | undefined {
  const width = positive(numberAt(node, 'Width'));
  const height = positive(numberAt(node, 'Height'));
  if (width === undefined || height === undefined || width > 32_768 || height > 32_768) return undefined;
  return { width: Math.round(width), height: Math.round(height) };
}

const sizesOf = (entry: XmlNode): Size[] =>
  findAll(entry, 'ResolutionsAvailable')
    .slice(0, optionsMax)
    .flatMap((node) => sizeOf(node) ?? []);

function rangeOf(node: XmlNode | undefined): Range | undefined {
  const min = numberAt(node, 'Min');
  const max = numberAt(node, 'Max');
  return min === undefined || max === undefined || max < min || max > 1e9 ? undefined : { min, max };
}
