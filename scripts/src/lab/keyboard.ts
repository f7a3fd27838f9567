/** Single keys from the terminal. */

/** Calls back for each key until closed; does nothing when there is no terminal. */
export function readKeys(onKey: (key: string) => void): { close: () => void } {
  const { stdin } = process;
  if (!stdin.isTTY) return { close: () => undefined };
  const listen = (bytes: Buffer): void => {
    // Ctrl-C and Ctrl-D arrive as keys in raw mode.
    for (const key of bytes.toString('utf8'))
      onKey(key === '\u0003' || key === '\u0004' ? 'q' : key.toLowerCase());
  };
  stdin.setRawMode(true);
  stdin.resume();
  stdin.on('data', listen);
  return {
    close: () => {
      stdin.off('data', listen);
      stdin.setRawMode(false);
      stdin.pause();
    },
  };
}
