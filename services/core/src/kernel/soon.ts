/**
 * One call for many: what is asked for within `ms` is done once, at its end. For telling other threads of commits: to wake a
 * thread costs more than a lone commit's statements, and takes a core from what the commit has just sent.
 */
export function soon(ms: number, act: () => void): () => void {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    setTimeout(() => {
      asked = false;
      act();
    }, ms);
  };
}
