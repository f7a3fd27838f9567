/**
 * What a civic address (RFC 5139, elements of RFC 4776) must hold so that help finds it, country by country. Pure. A finding
 * of level `error` is an address no provider takes, or that leads somewhere else; `warning`: help comes, but has to ask.
 */
import type { CivicAddress, LocationFinding } from '@siphera/contract';
import type { z } from 'zod';

export type Finding = z.infer<typeof LocationFinding>;
export type CivicElement = keyof CivicAddress;

/** Elements in the order in which the schema of RFC 5139 wants them. */
export const civicOrder = [
  'country',
  'A1',
  'A2',
  'A3',
  'PRD',
  'RD',
  'STS',
  'POD',
  'HNO',
  'HNS',
  'LMK',
  'LOC',
  'FLR',
  'NAM',
  'PC',
  'BLD',
  'UNIT',
  'ROOM',
] as const satisfies readonly CivicElement[];

const words: Partial<Record<CivicElement, string>> = {
  A1: 'the state or province',
  A3: 'the city',
  RD: 'the road',
  HNO: 'the house number',
  PC: 'the postal code',
};

type CountryRule = {
  required: readonly CivicElement[];
  /** Where it is missing help may still find the place. */
  wanted: readonly CivicElement[];
  /** Codes that A1 may be, and what they are called. */
  A1?: { codes: ReadonlySet<string>; called: string };
  PC?: { pattern: RegExp; example: string };
};

const codes = (text: string): ReadonlySet<string> => new Set(text.split(' '));
/** USPS codes: states, the District, territories and the three of the armed forces. */
const usStates = codes(
  'AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY DC AS GU MP PR VI UM AA AE AP',
);
const caProvinces = codes('AB BC MB NB NL NS NT NU ON PE QC SK YT');

const northAmerica: readonly CivicElement[] = ['A1', 'A3', 'RD', 'HNO', 'PC'];
/** Countries whose addresses always have a number and a postal code. */
const numbered = codes(
  'AT BE BG CH CY CZ DE DK EE ES FI FR GB GR HR HU IT LI LT LU LV MT NL NO PL PT RO SE SI SK',
);

function ruleOf(country: string): CountryRule {
  if (country === 'US')
    return {
      required: northAmerica,
      wanted: [],
      A1: { codes: usStates, called: 'a state code of the USPS, e.g. CO' },
      PC: { pattern: /^\d{5}(?:-\d{4})?$/, example: '80202 or 80202-1234' },
    };
  if (country === 'CA')
    return {
      required: northAmerica,
      wanted: [],
      A1: { codes: caProvinces, called: 'a province code, e.g. ON' },
      PC: { pattern: /^[ABCEGHJ-NPRSTVXY]\d[ABCEGHJ-NPRSTV-Z] ?\d[ABCEGHJ-NPRSTV-Z]\d$/, example: 'K1A 0B1' },
    };
  if (numbered.has(country)) return { required: ['A3', 'RD', 'HNO', 'PC'], wanted: [] };
  return { required: ['A3', 'RD'], wanted: ['HNO', 'PC'] };
}

/** Characters that XML cannot carry, or that break the line: RFC 5139 elements are one line of text. */
const unfit = /[\p{Cc}\p{Cs}\uFFFE\uFFFF]/u;

export function civicFindings(civic: CivicAddress): Finding[] {
  const findings: Finding[] = [];
  const add = (level: Finding['level'], element: CivicElement, message: string): void =>
    void findings.push({ level, field: `civic.${element}`, message });
  const rule = ruleOf(civic.country);
  if (!isCountry(civic.country))
    add('error', 'country', 'must be a country by its two letters (ISO 3166-1), e.g. US');
  for (const element of rule.required)
    if (civic[element].trim() === '')
      add('error', element, `${words[element] ?? element} is missing: in ${civic.country} it is required`);
  for (const element of rule.wanted)
    if (civic[element].trim() === '') add('warning', element, `${words[element] ?? element} is missing`);
  if (rule.A1 && civic.A1.trim() !== '' && !rule.A1.codes.has(civic.A1))
    add('error', 'A1', `must be ${rule.A1.called}`);
  if (rule.PC && civic.PC.trim() !== '' && !rule.PC.pattern.test(civic.PC))
    add('error', 'PC', `must be a postal code like ${rule.PC.example}`);
  for (const element of civicOrder)
    if (unfit.test(civic[element])) add('error', element, 'must be one line without control characters');
  return findings;
}

/** Whether it says more than the street address: where in the building. */
export const saysWhereInside = ({ FLR, ROOM, UNIT, LOC }: CivicAddress): boolean =>
  [FLR, ROOM, UNIT, LOC].some((text) => text.trim() !== '');

/** The same for two places with one street address. */
export const streetAddress = (civic: CivicAddress): string =>
  [
    civic.country,
    civic.A1,
    civic.A3,
    civic.PRD,
    civic.RD,
    civic.STS,
    civic.POD,
    civic.HNO,
    civic.HNS,
    civic.PC,
    civic.BLD,
  ]
    .map((text) => text.trim().toLowerCase())
    .join('|');

const regions = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' });
const isCountry = (code: string): boolean => /^[A-Z]{2}$/.test(code) && regions.of(code) !== undefined;

/** The language most spoken there: `xml:lang` of the address. */
export const languageOf = (country: string): string =>
  isCountry(country) ? new Intl.Locale(`und-${country}`).maximize().language : 'en';
