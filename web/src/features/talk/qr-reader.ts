/**
 * Reads QR codes out of a picture. Browsers that have a reader use theirs; for the others the box serves one (WebAssembly). What
 * must stay true: nothing is fetched from anywhere but the box.
 */
import wasmUrl from 'zxing-wasm/reader/zxing_reader.wasm?url';

export type QrReader = (picture: HTMLVideoElement) => Promise<string | undefined>;
type Detector = { detect(picture: HTMLVideoElement): Promise<{ rawValue: string }[]> };
type DetectorClass = {
  new (options: { formats: string[] }): Detector;
  getSupportedFormats(): Promise<string[]>;
};

async function ownDetector(): Promise<Detector> {
  const { BarcodeDetector, prepareZXingModule } = await import('barcode-detector/ponyfill');
  prepareZXingModule({
    overrides: {
      locateFile: (path: string, prefix: string) => (path.endsWith('.wasm') ? wasmUrl : prefix + path),
    },
  });
  return new BarcodeDetector({ formats: ['qr_code'] });
}

export async function openQrReader(): Promise<QrReader> {
  const native = (globalThis as { BarcodeDetector?: DetectorClass }).BarcodeDetector;
  const can = native && (await native.getSupportedFormats().catch((): string[] => [])).includes('qr_code');
  const detector = can ? new native({ formats: ['qr_code'] }) : await ownDetector();
  return async (picture) => (await detector.detect(picture))[0]?.rawValue;
}
