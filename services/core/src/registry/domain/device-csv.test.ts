import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDeviceCsv } from './device-csv.ts';

const rowsOf = (text: string) => {
  const parsed = parseDeviceCsv(text);
  if ('problem' in parsed) throw new Error(parsed.problem);
  return parsed.rows;
};

describe('device CSV', () => {
  it('reads commas, semicolons, quotes, a byte order mark and blank lines', () => {
    expect(rowsOf('\uFEFFName;Kind;Area\r\n"Door; main";door;Hall\r\n\r\n')).toMatchObject([
      { name: 'Door; main', kind: 'door', area: 'Hall', errors: [] },
    ]);
    expect(rowsOf('name,kind,area,tags\nA,motion,Hall,night lobby')).toMatchObject([
      { tags: ['night', 'lobby'] },
    ]);
  });

  it('names each bad cell and keeps the line number of the file', () => {
    const [row] = rowsOf('name,kind,area,floor,x,y,tags\n,dragon,,Ground,2,0.5,BAD!');
    expect(row).toMatchObject({ line: 2 });
    expect(row?.errors.map((error) => error.column)).toEqual(['name', 'kind', 'area', 'x', 'floor', 'tags']);
  });

  it('takes the guard off a cell that a spreadsheet protected, and runs no formula', () => {
    expect(rowsOf(`name,kind,area\n"'=HYPERLINK(""x"")",door,Hall`)).toMatchObject([
      { name: '=HYPERLINK("x")' },
    ]);
  });

  it.each([
    ['nothing', ''],
    ['a header alone', 'name,kind,area'],
    ['another header', 'a,b,c\n1,2,3'],
    ['too many rows', `name,kind,area\n${'a,door,b\n'.repeat(5_001)}`],
  ])('says what is wrong with %s', (_name, text) => {
    expect(parseDeviceCsv(text)).toHaveProperty('problem');
  });

  it('throws for nothing', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseDeviceCsv(`name,kind,area\n${text}`)));
  });
});
