/** Lets one tab of a browser ring, so that two open boards do not sound against each other. */

let asked = false;

/** Waits for the right to ring and keeps it while this tab lives. Without locks in the browser every tab rings. */
export function holdRinging(onChange: (held: boolean) => void): void {
  if (asked) return;
  asked = true;
  if (!('locks' in navigator)) {
    onChange(true);
    return;
  }
  void navigator.locks.request('siphera_ringing', () => {
    onChange(true);
    // Held until the tab goes; the browser then gives it to the next one.
    return new Promise<never>(() => undefined);
  });
}
