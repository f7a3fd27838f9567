/** Does a text fit a query? Every word of the query must begin a word of the text, or be inside it. */
export function matches(query: string, text: string): boolean {
  const haystack = fold(text);
  return fold(query)
    .split(/\s+/)
    .every((word) => haystack.includes(word));
}

/** Case and accents do not matter: "tur" finds "Tür". */
const fold = (text: string): string =>
  text
    .normalize('NFD')
    .replace(/\p{Diacritic}/gu, '')
    .toLowerCase();
