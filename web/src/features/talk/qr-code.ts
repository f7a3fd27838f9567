/**
 * The QR code of a verification. Its bytes are written as text (base64 behind a mark): scanners of browsers give text back and
 * would bend raw bytes.
 */
import { create } from 'qrcode';

const mark = 'siphera:1:';

/** An SVG path of the dark modules, in units of one module, and how many a side has. */
export function qrPath(bytes: Uint8Array): { path: string; side: number } {
  const { modules } = create(mark + btoa(String.fromCharCode(...bytes)), { errorCorrectionLevel: 'L' });
  let path = '';
  for (let y = 0; y < modules.size; y += 1) {
    for (let x = 0; x < modules.size; x += 1) {
      if (modules.get(y, x)) path += `M${String(x)} ${String(y)}h1v1h-1z`;
    }
  }
  return { path, side: modules.size };
}

/** The bytes of a scanned code; undefined when it is not one of ours. */
export function readQr(text: string): Uint8Array | undefined {
  if (!text.startsWith(mark)) return undefined;
  try {
    return Uint8Array.from(atob(text.slice(mark.length)), (letter) => letter.charCodeAt(0));
  } catch {
    // Not base64: some other code that begins like ours.
    return undefined;
  }
}
