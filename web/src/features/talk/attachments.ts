/** Files chosen for a message: pictures are drawn anew at once, so that what is sent is what was shown. */
import type { Draft } from '@siphera/talk';
import { onBeforeUnmount, ref, shallowRef, triggerRef } from 'vue';
import { nameFor, preparePicture, type Picture } from '#features/talk/picture.ts';
import { safeFileName } from '#features/talk/safe-file.ts';

/** Of a file before encryption; the wire takes as much (contract `fileBytesMax`) and the cipher adds nothing. */
export const fileBytesMax = 26_214_400;
/** A guard shows what he sees; whoever has more makes an export. */
const filesMax = 10;

export type Attachment = {
  key: number;
  file: File;
  name: string;
  picture: Picture | undefined;
  preview: string | undefined;
  original: boolean;
};

export function useAttachments(tooLarge: (name: string) => void) {
  const items = shallowRef<Attachment[]>([]);
  const busy = ref(false);
  let lastKey = 0;

  async function addOne(file: File): Promise<void> {
    const picture = await preparePicture(file);
    if ((picture?.blob.size ?? file.size) > fileBytesMax) {
      tooLarge(safeFileName(file.name));
      return;
    }
    lastKey += 1;
    const preview = picture ? URL.createObjectURL(picture.thumbnail.blob) : undefined;
    const name = safeFileName(file.name);
    items.value = [...items.value, { key: lastKey, file, name, picture, preview, original: false }];
  }
  function drop(item: Attachment): void {
    if (item.preview !== undefined) URL.revokeObjectURL(item.preview);
    items.value = items.value.filter((one) => one !== item);
  }
  function clear(): void {
    for (const item of items.value) drop(item);
  }
  onBeforeUnmount(clear);

  return {
    items,
    busy,
    drop,
    clear,
    add: async (files: Iterable<File>): Promise<void> => {
      busy.value = true;
      try {
        for (const file of [...files].slice(0, filesMax - items.value.length)) await addOne(file);
      } finally {
        busy.value = false;
      }
    },
    setOriginal: (item: Attachment, original: boolean): void => {
      item.original = original;
      triggerRef(items);
    },
    drafts: (): NonNullable<Draft['file']>[] =>
      items.value.map((item) => {
        if (!item.picture) return { blob: item.file, name: item.name };
        const { blob, thumbnail } = item.picture;
        if (item.original) return { blob: item.file, name: item.name, thumbnail };
        return { blob, name: nameFor(item.name, blob.type), thumbnail };
      }),
  };
}
