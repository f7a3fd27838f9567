/** Zone map, its CSV, retransmission and supervision rules. */
import { describe, expect, it } from 'vitest';
import { indexZones, locate, type Zone } from './account.ts';
import type { Message } from './judge.ts';
import { ackLostMs, isRetransmission, sameMessageMs } from './retransmission.ts';
import { clockStepMs, overdueMs } from './supervision.ts';
import { readZoneCsv } from './zone-csv.ts';

const device = '0192f000-0000-7000-8000-0000000000d1';
const area = '0192f000-0000-7000-8000-0000000000a1';
const zone = (more: Partial<Zone>): Zone => ({
  partition: null,
  zone: null,
  name: 'Zone',
  deviceId: null,
  areaId: null,
  ...more,
});

describe('the zone map', () => {
  const account = {
    deviceId: 'panel',
    areaId: 'building',
    zones: indexZones([
      zone({ partition: '1', zone: '5', name: 'Loading dock door', deviceId: device }),
      zone({ zone: '5', name: 'Any fifth zone', areaId: area }),
      zone({ partition: '02', name: 'Warehouse', areaId: area }),
    ]),
  };

  it('finds a zone however many zeros the panel puts in front', () => {
    expect(locate(account, '01', '005')).toMatchObject({ subject: device, zoneName: 'Loading dock door' });
  });

  it('falls back from zone in partition to zone, partition, account', () => {
    expect(locate(account, '03', '005')).toMatchObject({
      subject: undefined,
      areaId: area,
      zoneName: 'Any fifth zone',
    });
    expect(locate(account, '2', '009')).toMatchObject({
      subject: undefined,
      areaId: area,
      partitionName: 'Warehouse',
    });
    expect(locate(account, '3', '009')).toMatchObject({
      subject: 'panel',
      areaId: 'building',
      zoneName: undefined,
    });
    expect(locate(undefined, '1', '5')).toEqual({
      subject: undefined,
      areaId: undefined,
      zoneName: undefined,
      partitionName: undefined,
    });
  });
});

describe('a zone CSV', () => {
  it('is read with what each row would do', () => {
    const rows = readZoneCsv(
      `partition,zone,name,device_id,area_id\n1,005,Loading dock door,${device},\n1,006,"Door, rear",,${area}\n,7,Gate,,\n`,
      [zone({ partition: '1', zone: '6', name: 'Old', areaId: area }), zone({ zone: '7', name: 'Gate' })],
    );
    expect(rows.map((row) => [row.line, row.action, row.zone.name])).toEqual([
      [2, 'create', 'Loading dock door'],
      [3, 'update', 'Door, rear'],
      [4, 'unchanged', 'Gate'],
    ]);
  });

  it('has each bad row named with its column', () => {
    const rows = readZoneCsv(
      `partition,zone,name,device_id,area_id\n1,5,=cmd|' /C calc'!A0,,\n1,6,,,\n1,7,Ok,not-an-id,\n,,Nowhere,,\n1,9,A,,\n1,009,B,,\n1,${'9'.repeat(9)},C,,\n`,
      [],
    );
    expect(rows.map((row) => row.errors.map((error) => error.column))).toEqual([
      ['name'],
      ['name'],
      ['device_id'],
      ['zone'],
      [],
      ['zone'],
      ['zone'],
    ]);
  });

  it.each(['', 'a,b\n1,2', 'zone,name', 'zone,name\n"1,2', 'zone,name,colour\n1,2,3'])(
    'that is none is refused: %j',
    (csv) => {
      expect(readZoneCsv(csv, [])[0]).toMatchObject({ action: 'error', errors: [{ column: 'file' }] });
    },
  );
});

describe('the same message again', () => {
  const message = { contentHash: Buffer.alloc(16, 1) } as Message;
  const earlier = { contentHash: Buffer.alloc(16, 1), eventId: 'x', committedMs: 0, ackedMs: null };

  it('is known while core has not taken it, and for a while after when its panel was not answered', () => {
    expect(isRetransmission(message, { ...earlier, committedMs: null }, 1e12)).toBe(true);
    expect(isRetransmission(message, earlier, sameMessageMs)).toBe(true);
    expect(isRetransmission(message, earlier, sameMessageMs + 1)).toBe(false);
  });

  it('is known as long as our ACK may have been lost, and then it is a new report', () => {
    expect(isRetransmission(message, { ...earlier, ackedMs: 0 }, ackLostMs)).toBe(true);
    expect(isRetransmission(message, { ...earlier, ackedMs: 0 }, ackLostMs + 1)).toBe(false);
    expect(isRetransmission(message, { ...earlier, ackedMs: sameMessageMs }, sameMessageMs + 1)).toBe(false);
  });

  it('is another one when it says something else', () => {
    expect(isRetransmission({ contentHash: Buffer.alloc(16, 2) } as Message, earlier, 0)).toBe(false);
    expect(isRetransmission(message, undefined, 0)).toBe(false);
  });
});

describe('supervision', () => {
  it('ends with silence longer than the interval', () => {
    expect(overdueMs({ supervisionMs: 90_000, heardMs: 1_000 }, 91_000)).toBeUndefined();
    expect(overdueMs({ supervisionMs: 90_000, heardMs: 1_000 }, 91_001)).toBe(90_001);
  });

  it('does not take a set clock for silence', () => {
    expect(clockStepMs(3_601_000, 1_000, 2_000)).toBe(3_600_000);
    expect(clockStepMs(-59_000, 1_000, 2_000)).toBe(-60_000);
    expect(clockStepMs(1_900, 1_000, 2_000)).toBe(0);
  });
});
