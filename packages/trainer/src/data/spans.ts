// A large file, a piece at a time.
import type { FileSource } from '@paris/files';

const spanBytes = 4 * 2 ** 20;

/** The bytes of a file of this size in spans of 4 MiB, each read when it is asked for. */
export async function* spans(store: FileSource, path: string, size: number): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (let offset = 0; offset < size; offset += spanBytes) {
    yield await store.read(path, { offset, length: Math.min(spanBytes, size - offset) });
  }
}
