import { describe, expect, it } from 'vitest';
import { csvRowsMax, readCameraCsv } from './camera-csv.ts';

const areas = [
  { id: '0192f000-0000-7000-8000-0000000000a1', name: 'Yard' },
  { id: '0192f000-0000-7000-8000-0000000000a2', name: 'Hall' },
  { id: '0192f000-0000-7000-8000-0000000000a3', name: 'Hall' },
];
const read = (csv: string) =>
  readCameraCsv(csv, { areas, takenBy: (address) => (address === '10.0.0.1' ? 'Gate' : undefined) });
const errors = (csv: string) => read(csv).flatMap((row) => row.errors.map(({ column }) => column));

describe('cameras as CSV', () => {
  it('are read with commas or semicolons, a BOM, columns in any order, and a password as it is', () => {
    expect(
      read('\uFEFFAREA;Name;Address;Username;Password;keep_days\r\nyard;Gate;10.0.0.9;admin; a,b" ;7\r\n'),
    ).toMatchObject([
      {
        line: 2,
        name: 'Gate',
        areaId: areas[0]?.id,
        address: '10.0.0.9',
        credentials: { username: 'admin', password: ' a,b" ' },
        recording: { keep_days: 7 },
        errors: [],
      },
    ]);
    expect(read('name,area,rtsp_url,rtsp_sub_url\nA,Yard,rtsp://h/1,rtsp://h/2\n')).toMatchObject([
      { rtspUrls: ['rtsp://h/1', 'rtsp://h/2'], address: undefined, errors: [] },
    ]);
  });

  it.each([
    ['no area column', 'name,address\nA,10.0.0.9', ['row']],
    ['a column nobody knows', 'name,area,addres\nA,Yard,10.0.0.9', ['row']],
    ['no rows', 'name,area,address\n', ['row']],
    ['two areas of the name', 'name,area,address\nA,Hall,10.0.0.9', ['area']],
    ['an address that is taken', 'name,area,address\nA,Yard,10.0.0.1', ['address']],
    ['no way to it', 'name,area,address\nA,Yard,', ['address']],
    ['a password without a name', 'name,area,address,password\nA,Yard,10.0.0.9,x', ['username']],
    ['more cells than columns', 'name,area,address\nA,Yard,10.0.0.9,x', ['row']],
    ['too many rows', `name,area,address\n${'A,Yard,10.0.0.9\n'.repeat(csvRowsMax + 1)}`, ['row']],
    ['an open quote', 'name,area,address\n"A,Yard,10.0.0.9', ['row']],
  ])('are refused by name: %s', (_name, csv, wrong) => {
    expect(errors(csv)).toEqual(wrong);
  });

  it('never make the reader throw', () => {
    let seed = 7;
    const next = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
    const pieces = [
      '"',
      ',',
      ';',
      '\n',
      '\r',
      '\0',
      'name',
      'area',
      'address',
      'Yard',
      '=',
      '10.0.0.9',
      '\uFEFF',
      'rtsp://x/',
    ];
    for (let round = 0; round < 2_000; round += 1)
      read(
        `name,area,address\n${Array.from({ length: next(40) }, () => pieces[next(pieces.length)]).join('')}`,
      );
  });
});
