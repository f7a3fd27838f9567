/**
 * What may be done with a file that somebody sent. What must stay true: only kinds that cannot run are shown in the page,
 * under a type out of this list and never under one that the sender chose freely; all else is saved.
 */

export type Preview = 'image' | 'audio' | 'video' | 'none';

/** SVG and HTML are not here on purpose: they are documents that can hold script. */
const shown: Readonly<Record<string, Exclude<Preview, 'none'>>> = {
  'image/png': 'image',
  'image/jpeg': 'image',
  'image/webp': 'image',
  'image/gif': 'image',
  'audio/webm': 'audio',
  'audio/ogg': 'audio',
  'audio/mpeg': 'audio',
  'audio/mp4': 'audio',
  'audio/wav': 'audio',
  'video/mp4': 'video',
  'video/webm': 'video',
};
const plainType = (mediaType: string): string => mediaType.split(';')[0]?.trim().toLowerCase() ?? '';

export const previewOf = (mediaType: string): Preview => shown[plainType(mediaType)] ?? 'none';

/** The same bytes under a type that is safe to give to the browser. */
export function safeBlob(blob: Blob, mediaType: string): Blob {
  const type = plainType(mediaType);
  return new Blob([blob], { type: shown[type] ? type : 'application/octet-stream' });
}

const nameCharsMax = 120;
const unsafe = /[\u0000-\u001f\u007f/\\<>:"|?*\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** A name that cannot lead elsewhere on the disk nor show another ending than it has (text turned around by Unicode marks). */
export function safeFileName(name: string): string {
  const clean = name.replace(unsafe, '_').replace(/^\.+/, '_').trim();
  if (clean === '') return 'file';
  if (clean.length <= nameCharsMax) return clean;
  const dot = clean.lastIndexOf('.');
  const ending = dot > 0 && clean.length - dot <= 12 ? clean.slice(dot) : '';
  return clean.slice(0, nameCharsMax - ending.length) + ending;
}
