/** Single keys from the terminal, or from a pipe: whoever drives the lab writes the same letters. */

/** Calls back for each key until closed. */
export function readKeys(onKey: (key: string) => void): { close: () => void } {
  const { stdin } = process;
  const listen = (bytes: Buffer): void => {
    // Ctrl-C and Ctrl-D arrive as keys in raw mode.
    for (const key of bytes.toString('utf8'))
      onKey(key === '\u0003' || key === '\u0004' ? 'q' : key.toLowerCase());
  };
  if (stdin.isTTY) stdin.setRawMode(true);
  stdin.resume();
  stdin.on('data', listen);
  return {
    close: () => {
      stdin.off('data', listen);
      if (stdin.isTTY) stdin.setRawMode(false);
      stdin.pause();
    },
  };
}
