/** Names of people as they are shown. Pure. */

/** Marks that turn text around or hide in it: with them one name could be drawn as another. */
const tricks = /[\u0000-\u001f\u007f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu;
const charsMax = 80;

export const shownName = (name: string): string => name.replace(tricks, '').trim().slice(0, charsMax);
