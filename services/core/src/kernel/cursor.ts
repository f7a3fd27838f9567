/** Opaque list cursors: the sort key of the last row, so that a page is stable while rows are added. */
import { AppError } from '@siphera/runtime/base';

const encodeCursor = (key: string | number): string =>
  Buffer.from(JSON.stringify([key])).toString('base64url');

export function decodeCursor(cursor: string): string | number {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    const key: unknown = Array.isArray(value) ? value[0] : undefined;
    if (typeof key === 'string' || typeof key === 'number') return key;
  } catch (cause) {
    throw new AppError('validation_failed', 'The cursor is not one of ours.', { cause });
  }
  throw new AppError('validation_failed', 'The cursor is not one of ours.');
}

/** Cuts the one row too many that was read to know whether there is a next page. */
export function toPage<Row, Item>(
  rows: readonly Row[],
  limit: number,
  map: (row: Row) => Item,
  key: (row: Row) => string | number,
): { items: Item[]; next_cursor?: string } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const items = shown.map(map);
  return rows.length > limit && last !== undefined
    ? { items, next_cursor: encodeCursor(key(last)) }
    : { items };
}
