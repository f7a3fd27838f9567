import { describe, expect, it } from 'vitest';
import {
  asH264,
  encoderNode,
  readEncoder,
  readMedia2Options,
  readMediaOptions,
  setMedia,
  setMedia2,
  type EncoderSettings,
  type H264Options,
} from './encoder-settings.ts';
import { parseXml, type XmlNode } from './xml.ts';

const answer = (inner: string): XmlNode => parseXml(`<e><Body><r>${inner}</r></Body></e>`) as XmlNode;
const settings: EncoderSettings = {
  token: 'e',
  encoding: 'H265',
  size: { width: 3840, height: 2160 },
  fps: 30,
  bitrateKbps: 6_000,
  gop: 60,
  quality: 5,
  profile: 'Main',
};
const options: H264Options = {
  sizes: [
    { width: 640, height: 360 },
    { width: 2560, height: 1440 },
    { width: 2592, height: 1944 },
    { width: 7680, height: 4320 },
  ],
  profiles: ['Baseline', 'Main'],
  rates: [25, 15, 5],
  bitrates: { min: 64, max: 4_096 },
  gops: { min: 1, max: 50 },
  qualities: { min: 0, max: 4 },
};

describe('an encoder in H.264', () => {
  it('has the nearest size below, of the same shape, and stays within what it can', () => {
    expect(asH264(settings, options)).toEqual({
      ...settings,
      encoding: 'H264',
      size: { width: 2560, height: 1440 },
      fps: 25,
      bitrateKbps: 4_096,
      gop: 50,
      quality: 4,
      profile: 'Main',
    });
  });

  it('keeps all that it may, and takes the smallest where all are larger', () => {
    const sizes = [{ width: 3840, height: 2160 }, ...options.sizes];
    const free = { ...options, sizes, profiles: [], rates: { min: 1, max: 60 } };
    expect(asH264(settings, { ...free, bitrates: undefined, gops: undefined, qualities: undefined })).toEqual(
      {
        ...settings,
        encoding: 'H264',
        profile: undefined,
      },
    );
    const small = { ...settings, size: { width: 320, height: 180 } };
    expect(asH264(small, options).size).toEqual({ width: 640, height: 360 });
  });
});

describe('what a camera can encode', () => {
  it('is read from Media2 and from Media; without H.264 it is nothing', () => {
    const size =
      '<ResolutionsAvailable><Width>640</Width><Height>360</Height></ResolutionsAvailable><ResolutionsAvailable><Width>-1</Width><Height>x</Height></ResolutionsAvailable>';
    const h264 = `<Options GovLengthRange="1 300" FrameRatesSupported="25 x 12.5" ProfilesSupported="Main High"><Encoding>H264</Encoding><BitrateRange><Min>64</Min><Max>8192</Max></BitrateRange>${size}</Options>`;
    expect(readMedia2Options(answer(`<Options><Encoding>H265</Encoding>${size}</Options>${h264}`))).toEqual({
      sizes: [{ width: 640, height: 360 }],
      profiles: ['Main', 'High'],
      rates: [25, 12.5],
      bitrates: { min: 64, max: 8_192 },
      gops: { min: 1, max: 300 },
      qualities: undefined,
    });
    expect(readMedia2Options(answer(`<Options><Encoding>H265</Encoding>${size}</Options>`))).toBeUndefined();
    expect(readMediaOptions(answer(`<Options><H264>${size}</H264></Options>`))).toMatchObject({
      sizes: [{ width: 640, height: 360 }],
      rates: [],
    });
    expect(readMediaOptions(answer(`<Options><JPEG>${size}</JPEG></Options>`))).toBeUndefined();
  });
});

describe('a setting', () => {
  const evil = '&lt;/Name&gt;&quot;&amp;';
  const node = encoderNode(
    answer(
      `<Configurations token="e&quot;&lt;" GovLength="60" Profile="Main"><Name>${evil}</Name><UseCount>1</UseCount><Encoding>H265</Encoding>` +
        '<Resolution><Width>640</Width><Height>360</Height></Resolution><RateControl ConstantBitRate="true"><FrameRateLimit>30</FrameRateLimit><BitrateLimit>900</BitrateLimit></RateControl>' +
        `<Multicast><Address><Type>IPv4</Type><IPv4Address>${evil}</IPv4Address></Address><Port>0</Port></Multicast><SessionTimeout>PT5S${evil}</SessionTimeout></Configurations>`,
    ),
    'e"<',
  ) as XmlNode;

  it('goes back with what the camera told, escaped', () => {
    const read = readEncoder(node) as EncoderSettings;
    for (const set of [setMedia2, setMedia]) {
      const text = set(node, asH264(read, options));
      const configuration = parseXml(text)?.children[0] as XmlNode;
      expect(configuration.attributes['token']).toBe('e"<');
      expect(configuration.children.find(({ name }) => name === 'Name')?.text).toBe('</Name>"&');
      expect(JSON.stringify(configuration)).toContain('IPv4Address');
      expect(readEncoder(configuration)).toMatchObject({
        encoding: 'H264',
        fps: 25,
        bitrateKbps: 900,
        gop: 50,
        profile: 'Main',
      });
    }
    expect(setMedia2(node, read)).toContain('ConstantBitRate="true"');
  });

  it('is none without a size', () => {
    expect(readEncoder(answer('<Encoding>H265</Encoding>'))).toBeUndefined();
  });
});
