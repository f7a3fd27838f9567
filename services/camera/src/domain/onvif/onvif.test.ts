/** The pure half of ONVIF: hostile XML, answers, topics, choice of streams, ranges. */
import { describe, expect, it } from 'vitest';
import { atHost, endpointAddress, endpointUrl, onvifEndpoint, rtspSchemes } from '../address.ts';
import { normalMac, readProfiles, type MediaProfile } from './answers.ts';
import { chooseStreams } from './choose-streams.ts';
import { expandRanges, probeMessage, readProbeMatches } from './discovery.ts';
import { eventId, meaningOf, readNotifications } from './notifications.ts';
import { escapeXml, find, parseXml, textAt, xmlBytesMax } from './xml.ts';

describe('XML of a camera', () => {
  it('is read without its prefixes, with the five entities and CDATA', () => {
    const root = parseXml(
      `\uFEFF<?xml version="1.0"?><!-- x --><s:A xmlns:s="u"><b:C d:e='1 &lt; 2'>x &amp; &#x41;&#66;<![CDATA[<raw>]]></b:C><F/></s:A>\n`,
    );
    expect(root?.name).toBe('A');
    expect(find(root, 'C')?.attributes).toEqual({ e: '1 < 2' });
    expect(textAt(root, 'C')).toBe('x & AB<raw>');
    expect(find(root, 'F')?.children).toEqual([]);
  });

  it.each([
    ['a DTD', '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'],
    ['a second root', '<a/><b/>'],
    ['text outside', 'x<a/>'],
    ['elements that cross', '<a><b></a></b>'],
    ['an end that is missing', '<a><b>'],
    ['a tag that breaks off', '<a><b x="1'],
    ['nothing', ''],
    ['too much depth', '<a>'.repeat(100) + '</a>'.repeat(100)],
    ['too many elements', `<a>${'<b/>'.repeat(30_000)}</a>`],
    ['too many bytes', `<a>${' '.repeat(xmlBytesMax)}</a>`],
    ['too many attributes', `<a ${Array.from({ length: 100 }, (_, index) => `x${index}="1"`).join(' ')}/>`],
  ])('is refused with %s', (_name, text) => {
    expect(parseXml(text)).toBeUndefined();
  });

  it('keeps unknown entities as text and never touches a prototype', () => {
    const root = parseXml('<a __proto__="1"><__proto__>&evil;</__proto__></a>');
    expect(textAt(root, '__proto__')).toBe('&evil;');
    expect(Object.getPrototypeOf(root?.attributes ?? {})).toBe(Object.prototype);
  });

  it('survives any damage, in time', () => {
    const good = `<s:Envelope xmlns:s="x"><s:Body><tev:PullMessagesResponse xmlns:tev="y"><wsnt:NotificationMessage><wsnt:Topic Dialect="z">tns1:RuleEngine/CellMotionDetector/Motion</wsnt:Topic><wsnt:Message><tt:Message UtcTime="2026-11-28T00:00:00Z" PropertyOperation="Changed"><tt:Source><tt:SimpleItem Name="Rule" Value="m"/></tt:Source><tt:Data><tt:SimpleItem Name="IsMotion" Value="true"/></tt:Data></tt:Message></wsnt:Message></wsnt:NotificationMessage></tev:PullMessagesResponse></s:Body></s:Envelope>`;
    let seed = 1;
    const next = (below: number): number => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    const pieces = [
      '<',
      '>',
      '&',
      '"',
      "'",
      '/',
      '<!',
      '<![CDATA[',
      ']]>',
      '<?',
      '--',
      '\0',
      '=',
      ' ',
      '<a>',
      '&#x110000;',
    ];
    const started = performance.now();
    for (let round = 0; round < 5_000; round += 1) {
      let text = good;
      for (let hit = 0; hit <= next(5); hit += 1) {
        const at = next(text.length);
        text = text.slice(0, at) + (pieces[next(pieces.length)] ?? '') + text.slice(at + next(30));
      }
      const root = parseXml(text);
      if (root) for (const one of readNotifications(root)) meaningOf(one);
    }
    expect(performance.now() - started).toBeLessThan(10_000);
    for (const text of [
      `<a ${' '.repeat(200_000)}`,
      `<a x="${'<'.repeat(200_000)}`,
      '<'.repeat(200_000),
      `<a>${'&'.repeat(200_000)}</a>`,
    ])
      expect(parseXml(text)?.name ?? 'a').toBe('a');
    expect(performance.now() - started).toBeLessThan(15_000);
  });

  it('is written with nothing that could end an element', () => {
    expect(escapeXml(`<&>"'\u0000\u0007é`)).toBe('&lt;&amp;&gt;&quot;&apos;é');
  });
});

const notification = (topic: string, data: string, operation = 'Changed', source = '') =>
  readNotifications(
    parseXml(
      `<e><Body><r><n:NotificationMessage xmlns:n="n"><n:Topic>${topic}</n:Topic><n:Message><t:Message xmlns:t="t" UtcTime="2026-11-28T01:02:03Z" PropertyOperation="${operation}"><t:Source>${source}</t:Source><t:Data>${data}</t:Data></t:Message></n:Message></n:NotificationMessage></r></Body></e>`,
    ) as never,
  )[0];
const item = (name: string, value: string): string => `<t:SimpleItem Name="${name}" Value="${value}"/>`;

describe('a topic', () => {
  it.each([
    ['tns1:RuleEngine/CellMotionDetector/Motion', item('IsMotion', 'true'), { kind: 'motion', on: true }],
    ['tns1:VideoSource/MotionAlarm', item('State', '0'), { kind: 'motion', on: false }],
    ['tns1:RuleEngine/tnsaxis:MotionRegionDetector/Motion', item('State', '1'), { kind: 'motion', on: true }],
    ['tns1:RuleEngine/TamperDetector/Tamper', item('IsTamper', 'true'), { kind: 'tamper', on: true }],
    [
      'tns1:VideoSource/GlobalSceneChange/ImagingService',
      item('State', 'false'),
      { kind: 'tamper', on: false },
    ],
    ['tns1:Device/Trigger/DigitalInput', item('LogicalState', 'true'), { kind: 'input', on: true }],
    ['tns1:Device/Trigger/Relay', item('LogicalState', 'inactive'), { kind: 'relay', on: false }],
    ['tns1:RuleEngine/LineDetector/Crossed', item('ObjectId', '7'), { kind: 'line', text: 'ObjectId=7' }],
    [
      'tns1:RuleEngine/FieldDetector/ObjectsInside',
      item('IsInside', 'true'),
      { kind: 'intrusion', text: 'IsInside=true' },
    ],
    [
      'tns1:RuleEngine/MyRuleDetector/FaceDetect',
      item('State', 'true'),
      { kind: 'analytics', text: 'State=true' },
    ],
    ['tns1:RuleEngine/FieldDetector/ObjectsInside', item('IsInside', 'false'), undefined],
    ['tns1:Monitoring/ProcessorUsage', item('Value', '0.5'), undefined],
    ['tns1:RuleEngine/CellMotionDetector/Motion', item('IsMotion', 'maybe'), undefined],
  ])('%s is understood', (topic, data, meaning) => {
    expect(meaningOf(notification(topic, data) as never)).toEqual(meaning);
  });

  it('keeps what is about what, and that it is a state only', () => {
    expect(
      notification(
        'tns1:Device/Trigger/DigitalInput',
        item('LogicalState', 'true'),
        'Initialized',
        item('InputToken', 'in0'),
      ),
    ).toMatchObject({
      topic: 'Device/Trigger/DigitalInput',
      source: 'in0',
      operation: 'Initialized',
      utcTime: '2026-11-28T01:02:03Z',
    });
  });

  it('gives the same event the same id, and no other one', () => {
    expect(eventId('c', 't', 's', 1)).toBe(eventId('c', 't', 's', 1));
    expect(eventId('c', 't', 's', 1)).not.toBe(eventId('c', 't', 's', 2));
    expect(eventId('c', 'a', 'b')).not.toBe(eventId('c', 'a,b'));
  });
});

const profile = (
  token: string,
  video: MediaProfile['video'],
  width: number,
  height: number,
): MediaProfile => ({
  token,
  name: token,
  video,
  audio: 'none',
  width,
  height,
  fps: 25,
  bitrate_bps: null,
});

describe('the streams', () => {
  it.each([
    [
      'H.264 of useful size before a larger H.265',
      [profile('a', 'h265', 3840, 2160), profile('b', 'h264', 1920, 1080), profile('c', 'h264', 640, 360)],
      'b',
      'c',
    ],
    [
      'H.265 where H.264 is a thumbnail',
      [profile('a', 'h265', 3840, 2160), profile('b', 'h264', 640, 360)],
      'a',
      'b',
    ],
    ['a small camera as it is', [profile('a', 'h264', 640, 360), profile('b', 'h264', 320, 180)], 'a', 'b'],
    [
      'the smallest useful sub',
      [
        profile('a', 'h264', 1920, 1080),
        profile('b', 'h264', 1280, 720),
        profile('c', 'h264', 640, 360),
        profile('d', 'h264', 160, 90),
      ],
      'a',
      'c',
    ],
    ['one stream', [profile('a', 'h264', 1920, 1080)], 'a', undefined],
    [
      'MJPEG beside H.264',
      [profile('a', 'other', 1920, 1080), profile('b', 'h264', 1920, 1080)],
      'b',
      undefined,
    ],
    ['none', [], undefined, undefined],
  ] as const)('are chosen: %s', (_name, profiles, main, sub) => {
    const chosen = chooseStreams(profiles);
    expect([chosen.main?.token, chosen.sub?.token]).toEqual([main, sub]);
  });

  it('are those that were chosen by hand', () => {
    const profiles = [
      profile('a', 'h264', 1920, 1080),
      profile('b', 'h265', 1920, 1080),
      profile('c', 'h264', 640, 360),
    ];
    expect(chooseStreams(profiles, { main: 'b', sub: null })).toMatchObject({
      main: { token: 'b' },
      sub: undefined,
    });
  });

  it('are read from Media and Media2, and absurd numbers are none', () => {
    const read = (inner: string) => readProfiles(parseXml(`<e><Body><r>${inner}</r></Body></e>`) as never);
    expect(
      read(
        `<Profiles token="p"><Name>Main</Name><Configurations><VideoEncoder><Encoding>H265</Encoding><Resolution><Width>1e99</Width><Height>-5</Height></Resolution></VideoEncoder><AudioEncoder><Encoding>PCMU</Encoding></AudioEncoder></Configurations></Profiles><Profiles/>`,
      ),
    ).toEqual([
      {
        token: 'p',
        name: 'Main',
        video: 'h265',
        audio: 'pcmu',
        width: null,
        height: null,
        fps: null,
        bitrate_bps: null,
      },
    ]);
  });
});

describe('addresses', () => {
  it('are device services, whatever was typed', () => {
    const read = (text: string) => {
      const endpoint = onvifEndpoint(text);
      return endpoint && [endpointAddress(endpoint), endpointUrl(endpoint)];
    };
    expect(read('10.0.0.9')).toEqual(['10.0.0.9', 'http://10.0.0.9/onvif/device_service']);
    expect(read('[fe80::1]:8080')).toEqual(['[fe80::1]:8080', 'http://[fe80::1]:8080/onvif/device_service']);
    expect(read('https://cam.local/onvif/x?y=1')).toEqual(['cam.local', 'https://cam.local/onvif/x?y=1']);
    expect(read('file:///etc/passwd')).toBeUndefined();
    expect(read('http://user:pass@10.0.0.9/')).toBeUndefined();
  });

  it('that a camera tells are used at the host that works, without credentials', () => {
    expect(atHost('rtsp://u:p@192.168.1.1:554/a?b=1', '10.0.0.9', rtspSchemes)).toBe(
      'rtsp://10.0.0.9:554/a?b=1',
    );
    expect(atHost('http://10.0.0.1/x', '10.0.0.9', rtspSchemes)).toBeUndefined();
  });

  it('of a range are counted, and too many are refused', () => {
    expect(expandRanges(['10.0.0.0/30', '10.0.0.2', '10.1.0.250-252'])).toEqual([
      '10.0.0.1',
      '10.0.0.2',
      '10.1.0.250',
      '10.1.0.251',
      '10.1.0.252',
    ]);
    expect(expandRanges(['10.0.0.0/22'])).toHaveLength(1_022);
    for (const bad of ['10.0.0.0/8', '10.0.0', '300.1.1.1', '10.0.0.5-2', '::1', '10.0.0.0/33'])
      expect(expandRanges([bad])).toBeUndefined();
  });
});

describe('a probe match', () => {
  it('is read when it answers our probe', () => {
    const answer = (relates: string) =>
      `<s:Envelope xmlns:s="x"><s:Header><a:RelatesTo xmlns:a="y">urn:uuid:${relates}</a:RelatesTo></s:Header><s:Body><d:ProbeMatches xmlns:d="z"><d:ProbeMatch><a:EndpointReference xmlns:a="y"><a:Address>urn:uuid:1</a:Address></a:EndpointReference><d:Scopes>onvif://www.onvif.org/name/Gate%20%7F1 onvif://www.onvif.org/hardware/X%ZZ onvif://www.onvif.org/mac/aa-bb-cc-dd-ee-ff</d:Scopes><d:XAddrs>javascript:1 http://10.0.0.9/onvif/device_service</d:XAddrs></d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>`;
    expect(readProbeMatches(answer('m'), new Set(['m']))).toEqual([
      {
        endpoint: 'urn:uuid:1',
        onvifUrls: ['http://10.0.0.9/onvif/device_service'],
        name: 'Gate  1',
        hardware: 'X%ZZ',
        mac: 'AA:BB:CC:DD:EE:FF',
      },
    ]);
    expect(readProbeMatches(answer('other'), new Set(['m']))).toEqual([]);
    expect(parseXml(probeMessage('m', 'tds:Device'))?.name).toBe('Envelope');
    expect(normalMac('00:00:00:00:00:00')).toBeNull();
  });
});
