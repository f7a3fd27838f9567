/** Which passwords are refused beyond their length: the first ones that a guesser tries (NIST SP 800-63B-4 §3.1.1.2). */

const common = [
  'password',
  'passwort',
  'qwertz',
  'qwerty',
  'letmein',
  'admin',
  'siphera',
  'welcome',
  'security',
];

/** @returns why the password is refused; undefined when it is taken. */
export function passwordProblem(password: string, known: readonly string[]): string | undefined {
  const lower = password.toLowerCase();
  if (new Set(lower).size < 5) return 'It uses fewer than five different characters.';
  if (isRun(lower)) return 'It is one run of neighbouring characters.';
  if (isMadeOf(lower, common)) return 'It is made of a very common password.';
  const own = known.map((word) => word.toLowerCase()).filter((word) => word.length >= 4);
  if (isMadeOf(lower, own)) return 'It is made of your own name or address.';
  return undefined;
}

/** Nothing but these words, and digits and signs around them. */
function isMadeOf(text: string, words: readonly string[]): boolean {
  const rest = words.reduce((left, word) => left.replaceAll(word, ''), text);
  return rest !== text && rest.replaceAll(/[^\p{L}]/gu, '').length < 4;
}

function isRun(text: string): boolean {
  const steps = new Set<number>();
  for (let index = 1; index < text.length; index += 1)
    steps.add(text.charCodeAt(index) - text.charCodeAt(index - 1));
  // A run that wraps once (…890123…) has two steps.
  return steps.size <= 2 && (steps.has(1) || steps.has(-1));
}
