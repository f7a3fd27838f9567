/** Types of `DataTable`, and the sort it does over rows already read. */
export type SortState = { key: string; direction: 'asc' | 'desc' };
export type Column<T> = {
  key: string;
  label: string;
  /** Text of the cell; a slot named `cell-<key>` may draw it instead. */
  text?: (row: T) => string | number | null | undefined;
  /** Makes the column sortable, by this value. */
  sortBy?: (row: T) => string | number;
  width?: string;
  align?: 'start' | 'end';
  mono?: boolean;
  /** Left out on narrow screens: 1 goes first (below 1100 px), 2 below 720 px. */
  drop?: 1 | 2;
};

export function sortRows<T>(
  rows: readonly T[],
  columns: readonly Column<T>[],
  sort: SortState | undefined,
): T[] {
  const value = columns.find((column) => column.key === sort?.key)?.sortBy;
  if (!sort || !value) return [...rows];
  const sign = sort.direction === 'asc' ? 1 : -1;
  return [...rows].sort((a, b) => {
    const left = value(a);
    const right = value(b);
    if (typeof left === 'number' && typeof right === 'number') return (left - right) * sign;
    return (
      String(left).localeCompare(String(right), undefined, { numeric: true, sensitivity: 'base' }) * sign
    );
  });
}
