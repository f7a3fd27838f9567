/** What changed between two versions of a rule, as the lines of plain words that went and came. */
export type LineChange = { kind: 'gone' | 'new'; text: string };

export function diffLines(before: readonly string[], after: readonly string[]): LineChange[] {
  const gone = [...before];
  const added: string[] = [];
  for (const line of after) {
    const at = gone.indexOf(line);
    if (at === -1) added.push(line);
    else gone.splice(at, 1);
  }
  return [
    ...gone.map((text) => ({ kind: 'gone' as const, text })),
    ...added.map((text) => ({ kind: 'new' as const, text })),
  ];
}
