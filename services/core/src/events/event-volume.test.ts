import { describe, expect, it } from 'vitest';
import { openMemory } from '../testing/memory-box.ts';
import { EventVolume } from './event-volume.ts';

const rowsOf = (db: ReturnType<typeof openMemory>['db']): unknown[] =>
  db.prepare('SELECT class, rows FROM event_volume ORDER BY class').all();

describe('EventVolume', () => {
  it('keeps what was added in the commit of a save for the next save', async () => {
    const { writer, db } = openMemory();
    const volume = new EventVolume();
    volume.add('motion', 0, 10, 1);
    const saving = writer.submit((tx) => volume.save(tx));
    const adding = writer.submit((tx) => tx.afterCommit(() => volume.add('motion', 0, 10, 2)));
    await Promise.all([saving, adding]);
    expect(rowsOf(db)).toEqual([{ class: 'motion', rows: 1 }]);
    await writer.submit((tx) => volume.save(tx));
    await writer.submit((tx) => volume.save(tx));
    expect(rowsOf(db)).toEqual([{ class: 'motion', rows: 2 }]);
  });

  it('saves again what a commit that failed did not keep', async () => {
    const { writer, db } = openMemory();
    const volume = new EventVolume();
    volume.add('door', 0, 10, 1);
    const failed = writer.submit((tx) => {
      volume.save(tx);
      throw Object.assign(new Error('full'), { code: 'SQLITE_FULL' });
    });
    await expect(failed).rejects.toMatchObject({ code: 'disk_full' });
    await writer.submit((tx) => volume.save(tx));
    expect(rowsOf(db)).toEqual([{ class: 'door', rows: 1 }]);
  });
});
