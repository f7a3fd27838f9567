/** Which steps to show first. Pure. */
export const platforms = ['windows', 'macos', 'ios', 'android', 'linux', 'firefox'] as const;
export type Platform = (typeof platforms)[number];

/** Firefox keeps its own list of authorities on every desk system, so it is asked first there. */
export function guessPlatform(userAgent: string, touchPoints: number): Platform {
  if (/iPhone|iPad|iPod/.test(userAgent)) return 'ios';
  // iPads call themselves Macs; Macs have no touch screen.
  if (userAgent.includes('Macintosh') && touchPoints > 1) return 'ios';
  if (userAgent.includes('Android')) return 'android';
  if (userAgent.includes('Firefox')) return 'firefox';
  if (userAgent.includes('Windows')) return 'windows';
  if (userAgent.includes('Mac')) return 'macos';
  return 'linux';
}
