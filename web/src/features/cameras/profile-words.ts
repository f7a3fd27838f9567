/** A media profile of a camera as a person chooses it: "1920×1080 · 25 fps · H.264 · 4 Mbit/s". Pure. */
import type { ProbeReport } from '#features/cameras/camera-types.ts';

const codecs: Readonly<Record<string, string>> = { h264: 'H.264', h265: 'H.265', other: '?' };

export function profileWords(profile: ProbeReport['media_profiles'][number], locale: string): string {
  const number = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
  return [
    profile.name,
    profile.width && profile.height ? `${String(profile.width)}×${String(profile.height)}` : '',
    profile.fps ? `${number.format(profile.fps)} fps` : '',
    profile.video ? (codecs[profile.video] ?? '') : '',
    profile.bitrate_bps ? `${number.format(profile.bitrate_bps / 1_000_000)} Mbit/s` : '',
  ]
    .filter((part) => part !== '')
    .join(' · ');
}
