/** A first guess for the name of this device, from what the browser says of itself. */
export function guessDeviceName(userAgent: string): string {
  const system = /iPhone|iPad|Android|Windows|Mac|CrOS|Linux/.exec(userAgent)?.[0] ?? 'Browser';
  const browser = /Electron|Edg|Firefox|Chrome|Safari/.exec(userAgent)?.[0] ?? '';
  const names: Record<string, string> = { Edg: 'Edge', Electron: 'Guard desk', CrOS: 'ChromeOS' };
  return [names[system] ?? system, names[browser] ?? browser].filter((part) => part !== '').join(' · ');
}
