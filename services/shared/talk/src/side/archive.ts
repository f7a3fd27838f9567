/** One record of the archive: a 1:1 message as this device keeps it, sealed under the archive key. Its id is bound to it. */
import { importKey, openBox, sealBox } from './box.ts';
import { fromBase64, fromText, toBase64, toText } from './bytes.ts';

export type ArchiveCipher = {
  /** Base64, as `putArchive` takes it. */
  seal(id: string, record: unknown): Promise<string>;
  /** `undefined` for what was not sealed under this id and key. */
  open(id: string, box: string): Promise<unknown>;
};

/** The key is 32 random bytes that are in the secrets of the person. @throws Error for any other length */
export async function archiveCipher(archiveKey: Uint8Array): Promise<ArchiveCipher> {
  const key = await importKey(archiveKey);
  const purpose = (id: string): string => `siphera-archive:1:${id}`;
  return {
    seal: async (id, record) => toBase64(await sealBox(key, fromText(JSON.stringify(record)), purpose(id))),
    open: async (id, box) => {
      const bytes = fromBase64(box);
      const opened = bytes && (await openBox(key, bytes, purpose(id)));
      if (!opened) return undefined;
      try {
        return JSON.parse(toText(opened)) as unknown;
      } catch {
        // Sealed by us, so it was JSON; what is not comes of a fault of another version and is worth no crash.
        return undefined;
      }
    },
  };
}
