/**
 * What a box begins with in each country: how numbers are dialled, which numbers bring help, which cost more than they look. An
 * admin changes all of it in the number plan but the emergency numbers of his country.
 */
import type { DestinationClass } from '@siphera/contract';

export type Country = {
  countryCode: string;
  nationalPrefix: string;
  internationalPrefix: string;
  /** The first is the one that the others of other countries lead to. */
  emergency: readonly string[];
  /** Answers by saying that the emergency call works, without anybody coming. */
  test?: string;
  /** Digits after the country code. */
  premium?: readonly string[];
  free?: readonly string[];
  /** Numbers have no areas: a call inside the country is a local one. */
  isOneArea?: true;
};

const country = (
  countryCode: string,
  nationalPrefix: string,
  emergency: string,
  more: Partial<Country> = {},
): Country => ({
  countryCode,
  nationalPrefix,
  internationalPrefix: '00',
  emergency: emergency.split(' '),
  ...more,
});

const tollFree = ['800', '833', '844', '855', '866', '877', '888'];
const northAmerica = { internationalPrefix: '011', premium: ['900', '976'], free: tollFree };

/** By ISO 3166-1 alpha-2. National numbers as the regulators publish them; 112 comes first wherever it is answered. */
export const countries: Readonly<Record<string, Country>> = {
  US: country('1', '1', '911', { ...northAmerica, test: '933' }),
  CA: country('1', '1', '911', northAmerica),
  PR: country('1', '1', '911', { ...northAmerica, test: '933' }),
  MX: country('52', '', '911', { premium: ['900'], free: ['800'] }),
  BR: country('55', '0', '190 192 193 197 199', { premium: ['900'], free: ['800'] }),
  AR: country('54', '0', '911 100 101 107', { premium: ['600', '609'], free: ['800'] }),
  CL: country('56', '', '131 132 133', { premium: ['700'], free: ['800'] }),
  CO: country('57', '', '123 112', { premium: ['1901'], free: ['1800'] }),
  GB: country('44', '0', '999 112', { premium: ['9', '70', '87', '84', '118'], free: ['800', '808'] }),
  IE: country('353', '0', '112 999', { premium: ['15'], free: ['1800'] }),
  DE: country('49', '0', '112 110', {
    premium: ['900', '137', '138', '180', '118', '700'],
    free: ['800', '116'],
  }),
  AT: country('43', '0', '112 122 133 144 140 141', {
    premium: ['900', '901', '930', '931', '939', '118', '810', '820', '821'],
    free: ['800', '116'],
  }),
  CH: country('41', '0', '112 117 118 144 145 1414 1415', {
    premium: ['900', '901', '906', '84'],
    free: ['800'],
  }),
  LI: country('423', '', '112 117 118 144', {
    premium: ['900', '901', '906'],
    free: ['800'],
    isOneArea: true,
  }),
  FR: country('33', '0', '112 15 17 18 114 115 119 191 196', {
    premium: ['89', '81', '82', '118'],
    free: ['80'],
  }),
  BE: country('32', '0', '112 100 101 110', { premium: ['90', '70', '78'], free: ['800'] }),
  NL: country('31', '0', '112', { premium: ['900', '906', '909', '18'], free: ['800'] }),
  LU: country('352', '', '112 113', { premium: ['90'], free: ['800'], isOneArea: true }),
  IT: country('39', '', '112 113 115 118 1530', {
    premium: ['89', '144', '166', '178', '199', '84', '70', '4'],
    free: ['800', '803'],
  }),
  ES: country('34', '', '112 061 062 080 085 091 092', {
    premium: ['803', '806', '807', '905', '907', '901', '902', '118'],
    free: ['800', '900'],
    isOneArea: true,
  }),
  PT: country('351', '', '112', {
    premium: ['60', '64', '76', '707', '708', '118'],
    free: ['800'],
    isOneArea: true,
  }),
  DK: country('45', '', '112', { premium: ['90', '901'], free: ['80'], isOneArea: true }),
  SE: country('46', '0', '112', { premium: ['900', '939', '944', '118', '77'], free: ['20'] }),
  NO: country('47', '', '112 110 113', { premium: ['82', '18'], free: ['800'], isOneArea: true }),
  FI: country('358', '0', '112', { premium: ['600', '700', '606', '118'], free: ['800'] }),
  IS: country('354', '', '112', { premium: ['90'], free: ['800'], isOneArea: true }),
  PL: country('48', '', '112 997 998 999 986 985 984 983', {
    premium: ['70', '701', '703', '704', '708', '118'],
    free: ['800'],
    isOneArea: true,
  }),
  CZ: country('420', '', '112 150 155 156 158', { premium: ['90', '118'], free: ['800'], isOneArea: true }),
  SK: country('421', '0', '112 150 155 158 159', { premium: ['90', '97'], free: ['800'] }),
  HU: country('36', '06', '112 104 105 107', { premium: ['90', '91'], free: ['80'] }),
  RO: country('40', '0', '112', { premium: ['900', '903', '906'], free: ['800'] }),
  BG: country('359', '0', '112 150 160 166', { premium: ['90'], free: ['800'] }),
  GR: country('30', '', '112 100 108 166 199', { premium: ['90', '118'], free: ['800'], isOneArea: true }),
  SI: country('386', '0', '112 113', { premium: ['90', '89'], free: ['80'] }),
  HR: country('385', '0', '112 192 193 194 195', { premium: ['60', '61', '64', '69'], free: ['800'] }),
  EE: country('372', '', '112 110', { premium: ['90'], free: ['800'], isOneArea: true }),
  LV: country('371', '', '112 110 113', { premium: ['90'], free: ['80'], isOneArea: true }),
  LT: country('370', '0', '112', { premium: ['90', '91'], free: ['800'] }),
  MT: country('356', '', '112', { premium: ['5'], free: ['800'], isOneArea: true }),
  CY: country('357', '', '112 199', { premium: ['90', '70'], free: ['800'], isOneArea: true }),
  TR: country('90', '0', '112', { premium: ['900', '898'], free: ['800'] }),
  UA: country('380', '0', '112 101 102 103', { premium: ['900'], free: ['800'] }),
  IL: country('972', '0', '100 101 102 112', { premium: ['19'], free: ['180'] }),
  AE: country('971', '0', '999 997 998 112', { premium: ['900'], free: ['800'] }),
  SA: country('966', '0', '911 997 998 999 112', { premium: ['700'], free: ['800'] }),
  IN: country('91', '0', '112 100 101 102 108', { premium: ['190'], free: ['1800'] }),
  SG: country('65', '', '999 995 112', {
    internationalPrefix: '001',
    premium: ['1900'],
    free: ['800'],
    isOneArea: true,
  }),
  HK: country('852', '', '999 112', {
    internationalPrefix: '001',
    premium: ['900'],
    free: ['800'],
    isOneArea: true,
  }),
  JP: country('81', '0', '110 119 118', {
    internationalPrefix: '010',
    premium: ['990', '570'],
    free: ['120', '800'],
  }),
  KR: country('82', '0', '112 119', { internationalPrefix: '001', premium: ['60'], free: ['80'] }),
  AU: country('61', '0', '000 112 106', { internationalPrefix: '0011', premium: ['19'], free: ['180'] }),
  NZ: country('64', '0', '111', { premium: ['900'], free: ['800', '508'] }),
  ZA: country('27', '0', '112 10111 10177', { premium: ['86'], free: ['80'] }),
};

/** Of a country that is not in the table: what most mobiles dial anywhere (3GPP TS 22.101 §10). */
export const elsewhere: Country = country('1', '', '112 911');

/** Numbers of the North American plan that look like a call inside it and are billed as one abroad: the classic of toll fraud. */
const abroadInNorthAmerica = [
  ...['242', '246', '264', '268', '284', '345', '441', '473', '649', '658', '664', '721', '758', '767'],
  ...['784', '809', '829', '849', '868', '869', '876'],
];
/** Satellites and numbers of no country, whose price nobody knows. */
const dearEverywhere = ['870', '878', '881', '882', '883', '888', '979'];

export type PrefixClass = { prefix: string; class: DestinationClass };

/** Prefixes in E.164 digits. What is not here is national inside the country and international outside it. */
export function defaultPrefixes(of: Country): PrefixClass[] {
  const own = (digits: readonly string[] = [], kind: DestinationClass): PrefixClass[] =>
    digits.map((digit) => ({ prefix: `${of.countryCode}${digit}`, class: kind }));
  return [
    ...(of.isOneArea ? own([''], 'local') : []),
    ...own(of.premium, 'premium'),
    ...own(of.free, 'local'),
    ...(of.countryCode === '1' ? own(abroadInNorthAmerica, 'international') : []),
    ...dearEverywhere.map((prefix): PrefixClass => ({ prefix, class: 'premium' })),
  ];
}
