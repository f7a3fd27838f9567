/** What people write for a number, as it is dialled. */

/** As `Dialled` of the contract. */
const dialled = /^[+*#]?[\d*#]{1,24}$/;

/** Without what makes a number readable; undefined when the rest is no number. */
export function asDialled(text: string): string | undefined {
  const bare = text.replace(/^\s*(?:tel:|sip:)/i, '').replace(/[\s\-./()]/g, '');
  return dialled.test(bare) ? bare : undefined;
}
