import { join } from 'node:path';
import { migrate, openDatabase } from '@siphera/runtime';
import { describe, expect, it } from 'vitest';
import { PositionStore } from './position.store.ts';

const migrations = join(import.meta.dirname, '../../migrations');
function emptyFile() {
  const db = openDatabase(':memory:');
  migrate(db, migrations, 0);
  return db;
}

describe('positions', () => {
  it('count up one by one, each name for itself', () => {
    const positions = new PositionStore(emptyFile(), 1_000);
    const first = positions.next('queue');
    expect(positions.next('queue')).toBe(first + 1);
    expect(positions.last('queue')).toBe(first + 1);
    expect(positions.last('lists')).toBe(first - 1);
  });

  it('go on when the clock was set back', () => {
    const db = emptyFile();
    const last = new PositionStore(db, 5_000_000).next('queue');
    expect(new PositionStore(db, 1_000).next('queue')).toBe(last + 1);
  });

  it('never come again, although an older file is put back', () => {
    const before = new PositionStore(emptyFile(), 1_790_000_000_000);
    const seen = Array.from({ length: 50 }, () => before.next('queue'));
    const restored = new PositionStore(emptyFile(), 1_790_000_000_001).next('queue');
    expect(restored).toBeGreaterThan(Math.max(...seen));
    expect(Number.isSafeInteger(restored)).toBe(true);
  });
});
