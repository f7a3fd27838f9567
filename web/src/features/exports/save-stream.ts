/**
 * Saves a large download. Where the browser lets a page write a file, it goes there as it comes; elsewhere the browser keeps it
 * until it is whole.
 */
import { saveFile } from '#ui/save-file.ts';

type Picker = (options: {
  suggestedName: string;
}) => Promise<{ createWritable: () => Promise<WritableStream<Uint8Array>> }>;

/** Asks where to save, first: the question must follow the click. Undefined: the browser has no such thing. */
export async function askWhere(name: string): Promise<WritableStream<Uint8Array> | 'cancelled' | undefined> {
  const pick = (globalThis as { showSaveFilePicker?: Picker }).showSaveFilePicker;
  if (!pick) return undefined;
  try {
    const handle = await pick({ suggestedName: name });
    return await handle.createWritable();
  } catch (thrown) {
    if (thrown instanceof DOMException && thrown.name === 'AbortError') return 'cancelled';
    // Not allowed here (a frame, a policy): the browser's own download will do.
    return undefined;
  }
}

export async function saveStream(
  response: Response,
  name: string,
  target: WritableStream<Uint8Array> | undefined,
  progress: (bytes: number) => void,
): Promise<void> {
  let bytes = 0;
  const count = new TransformStream<Uint8Array, Uint8Array>({
    transform: (chunk, controller) => {
      bytes += chunk.byteLength;
      progress(bytes);
      controller.enqueue(chunk);
    },
  });
  const counted = response.body?.pipeThrough(count);
  if (!counted) throw new Error('The download is empty');
  if (target) await counted.pipeTo(target);
  else saveFile(await new Response(counted).blob(), name);
}
