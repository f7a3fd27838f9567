import { describe, expect, it } from 'vitest';
import { location, siteId, surroundings } from '../testing/location-kit.ts';
import { readLocationCsv, type CsvLocation, type CsvSurroundings } from './location-csv.ts';

const area = (n: number): string => `0192f000-0000-7000-8000-0000000000a${n}`;
const areas = [
  { id: area(1), name: 'Yard' },
  { id: area(2), name: 'Office' },
  { id: area(3), name: 'Twin' },
  { id: area(4), name: 'Twin' },
];
const given = (locations: CsvSurroundings['locations'] = []): CsvSurroundings => {
  const { neighbours: _, ...around } = surroundings({
    areas: new Map(areas.map(({ id, name }) => [id, { site_id: siteId, name }])),
  });
  return { siteId, country: 'US', areas, locations, around };
};
const header = 'label,areas,networks,A1,A3,RD,HNO,PC,FLR,callback_number,provider_id,default';
const problems = (rows: CsvLocation[]): string[] =>
  rows.flatMap(({ line, errors }) => errors.map(({ column, message }) => `${line} ${column}: ${message}`));

describe('locations from a CSV', () => {
  it('reads rows with areas by name and id, networks, and the country of the plan', () => {
    const rows = readLocationCsv(
      `${header}\nLobby,Yard | ${area(2)},10.1.0.0/24|fd00::/64,CO,Denver,Larimer Street,1400,80202,1,'+1 303 555-0100,loc-1,yes\n`,
      given(),
    );
    expect(problems(rows)).toEqual([]);
    expect(rows[0]).toMatchObject({
      line: 2,
      action: 'create',
      input: {
        label: 'Lobby',
        site_id: siteId,
        area_ids: [area(1), area(2)],
        networks: ['10.1.0.0/24', 'fd00::/64'],
        civic: { country: 'US', A1: 'CO', A3: 'Denver', HNO: '1400', FLR: '1', BLD: '' },
        callback_number: '+13035550100',
        provider_id: 'loc-1',
        is_default: true,
      },
    });
  });

  it('reads semicolons, a byte order mark and cells of several lines, and names the line where a row ends', () => {
    const rows = readLocationCsv(
      `\uFEFFlabel;A1;A3;RD;HNO;PC;LOC\nA;CO;Denver;Larimer;1;80202;"two\nlines"\n\nB;CO;Denver;Larimer;2;80202;\n`,
      given(),
    );
    expect(problems(rows)).toEqual(['3 loc: must be one line without control characters']);
    expect(rows.map(({ line, action }) => `${line} ${action}`)).toEqual(['3 create', '5 create']);
  });

  it('names each bad cell of each row', () => {
    const rows = readLocationCsv(
      [
        header,
        ',Nowhere,10.0.0.0/40,Colorado,,Larimer,1,80202,,12,,maybe',
        'Two,Twin,,CO,Denver,Larimer,1,1,,,a b,',
        '=cmd,,,CO,Denver,Larimer,1,80202,,,,',
        'Two,,,CO,Denver,Larimer,1,80202,,,,',
      ].join('\n'),
      given(),
    );
    const told = problems(rows);
    for (const expected of [
      /^2 label: /,
      /^2 areas: there is no area "Nowhere" in this site$/,
      /^2 networks: /,
      /^2 callback_number: must be \+ and 3 to 15 digits$/,
      /^2 default: must be yes or no$/,
      /^3 areas: 2 areas are called "Twin": give the id$/,
      /^3 provider_id: /,
      /^4 label: must not begin with/,
      /^5 label: the same as line 3$/,
    ])
      expect(told).toContainEqual(expect.stringMatching(expected));
  });

  it('holds rows against each other and against what is there', () => {
    const there = location('x', {
      label: 'Gate',
      area_ids: [area(1)],
      networks: ['10.9.0.0/16'],
      is_default: true,
    });
    const rows = readLocationCsv(
      [
        header,
        'A,Yard,10.9.9.0/24,CO,Denver,Larimer,1,80202,,,,',
        'B,Office,10.2.0.0/16,CO,Denver,Larimer,1,80202,,,,yes',
        'C,Office,10.2.3.4,CO,Denver,Larimer,1,80202,,,,yes',
      ].join('\n'),
      given([there]),
    );
    expect(problems(rows)).toEqual([
      '2 areas: "Yard" is in "Gate" already',
      '2 networks: 10.9.9.0/24 meets 10.9.0.0/16 of "Gate"',
      '3 areas: "Office" is in "C" already',
      '3 networks: 10.2.0.0/16 meets 10.2.3.4 of "C"',
      '4 default: line 3 is the default of the site already',
      '4 areas: "Office" is in "B" already',
      '4 networks: 10.2.3.4 meets 10.2.0.0/16 of "B"',
    ]);
  });

  it('changes a location of the same label, keeps what has no column, and lets rows trade areas', () => {
    const one = location('one', { label: 'One', area_ids: [area(1)], callback_number: '+13035550100' });
    const two = location('two', { label: 'Two', area_ids: [area(2)], provider_id: 'p' });
    const rows = readLocationCsv('label,areas\none,Office\nTwo,Yard\n', given([one, two]));
    expect(problems(rows)).toEqual([]);
    expect(rows.map(({ action, existing, input }) => [action, existing?.id, input?.area_ids])).toEqual([
      ['update', 'one', [area(2)]],
      ['update', 'two', [area(1)]],
    ]);
    expect(rows[0]?.input).toMatchObject({ callback_number: '+13035550100', civic: { HNO: '1400' } });
    expect(readLocationCsv('label,areas\nOne,Yard\n', given([one]))[0]?.action).toBe('unchanged');
  });

  it.each([
    ['name\nA\n', 'must name the columns'],
    ['label,colour\nA,red\n', 'Unknown column: colour'],
    ['label,rd,RD\nA,b,c\n', 'The column rd is there twice'],
    ['label\n', 'no rows below'],
    ['label,rd\n"a', 'not a CSV we can read'],
    ['', 'must name the columns'],
    [`label\n${'A\n'.repeat(1_001)}`, 'At most 1000 rows'],
  ])('says what is wrong with the whole of %j', (csv, message) => {
    expect(problems(readLocationCsv(csv, given()))).toEqual([expect.stringContaining(message)]);
  });
});
