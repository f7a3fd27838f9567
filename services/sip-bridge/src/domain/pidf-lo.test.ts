import fc from 'fast-check';
import { SaxesParser } from 'saxes';
import { describe, expect, it } from 'vitest';
import { civic } from '../testing/location-kit.ts';
import { civicOrder } from './civic-address.ts';
import { pidfLo } from './pidf-lo.ts';

const pidf = 'urn:ietf:params:xml:ns:pidf';
const geopriv = `${pidf}:geopriv10`;
const civicSpace = `${geopriv}:civicAddr`;

type Element = { uri: string; name: string; path: string; text: string; attributes: Record<string, string> };

/** A strict parser: what is not well-formed throws. Kamailio's part is done as Kamailio does it. */
function parse(xml: string): Element[] {
  const parser = new SaxesParser({ xmlns: true });
  const open: Element[] = [];
  const all: Element[] = [];
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', ({ uri, local, attributes }) => {
    const path = [...open.map(({ name }) => name), local].join('/');
    const values = Object.values(attributes).map(({ name, value }) => [name, value] as const);
    const element = { uri, name: local, path, text: '', attributes: Object.fromEntries(values) };
    open.push(element);
    all.push(element);
  });
  parser.on('text', (text) => {
    const element = open.at(-1);
    if (element) element.text += text;
  });
  parser.on('closetag', () => void open.pop());
  parser
    .write(xml.replace('%ENTITY%', 'sip:+13035550100@box.test').replace('%TIME%', '2026-03-02T08:00:00Z'))
    .close();
  return all;
}
const elements = (all: readonly Element[]): [string, string][] =>
  all
    .filter(({ uri, name }) => uri === civicSpace && name !== 'civicAddress')
    .map(({ name, text }) => [name, text]);
const named = (all: readonly Element[], name: string): Element | undefined =>
  all.find((element) => element.name === name);
const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom(
    ']]>',
    '<!--',
    '<![CDATA[',
    '&lt;&#x0;&unknown;',
    '%ENTITY%%TIME%',
    '$var(x) $(avp(sdp){s.len})',
    '\r\n--boundary\r\nContent-Type: text/plain\r\n\r\n',
    '\uD800',
    '\uFFFE\uFFFF\u0000\u0008\u2028',
    '"><ca:A1>XX</ca:A1><x a="',
  ),
);

describe('PIDF-LO of a dispatchable location', () => {
  it('holds who, where, how and when, in the elements and the order of RFC 5139', () => {
    const all = parse(pidfLo(civic({ A2: 'Denver County', LOC: 'behind the desk' })));
    expect(all[0]).toMatchObject({
      uri: pidf,
      name: 'presence',
      attributes: { entity: 'sip:+13035550100@box.test' },
    });
    expect(elements(all)).toEqual([
      ['country', 'US'],
      ['A1', 'CO'],
      ['A2', 'Denver County'],
      ['A3', 'Denver'],
      ['RD', 'Larimer'],
      ['STS', 'Street'],
      ['HNO', '1400'],
      ['LOC', 'behind the desk'],
      ['FLR', '2'],
      ['NAM', 'Siphera Works'],
      ['PC', '80202'],
      ['ROOM', 'Guard room'],
    ]);
    expect(named(all, 'civicAddress')).toMatchObject({
      uri: civicSpace,
      path: 'presence/tuple/status/geopriv/location-info/civicAddress',
      attributes: { 'xml:lang': 'en' },
    });
    const geoprivChildren = all.filter(({ path }) => /^presence\/tuple\/status\/geopriv\/[^/]+$/.test(path));
    expect(geoprivChildren.map(({ uri, name }) => [uri, name])).toEqual([
      [geopriv, 'location-info'],
      [geopriv, 'usage-rules'],
      [geopriv, 'method'],
    ]);
    expect(named(all, 'timestamp')).toMatchObject({ uri: pidf, text: '2026-03-02T08:00:00Z' });
  });

  it('names the language of the country', () => {
    const language = (country: string): string | undefined =>
      named(parse(pidfLo(civic({ country }))), 'civicAddress')?.attributes['xml:lang'];
    expect(language('AT')).toBe('de');
    expect(language('FR')).toBe('fr');
    expect(language('ZZ')).toBe('en');
  });

  it('carries umlauts, quotes and angle brackets as they were typed', () => {
    const typed = `Größe "Süd" <b> & 'Öl' 東京 100 % $5`;
    expect(elements(parse(pidfLo(civic({ LMK: typed }))))).toContainEqual(['LMK', typed]);
  });

  it('is well-formed, on one line and with both placeholders once, whatever was typed', () => {
    const texts = fc.record(Object.fromEntries(civicOrder.slice(1).map((name) => [name, hostile])));
    fc.assert(
      fc.property(texts, (typed) => {
        const xml = pidfLo({ ...civic(), ...typed });
        expect(xml.split('%ENTITY%')).toHaveLength(2);
        expect(xml.split('%TIME%')).toHaveLength(2);
        expect(xml.isWellFormed()).toBe(true);
        expect(/\p{Cc}/u.test(xml)).toBe(false);
        const names = elements(parse(xml)).map(([name]) => name);
        expect(names).toEqual(civicOrder.filter((name) => names.includes(name)));
      }),
      { numRuns: 150 },
    );
  });
});
