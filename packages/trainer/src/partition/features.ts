// Where the features of pictures are while they are clustered: in memory as long as they are few, else in a file.
import { type FeatureKeeper, keepInMemory } from '@paris/clustering';
import type { FileStore } from '@paris/files';

/** Bytes of features in memory, unless something else is asked for. */
const memoryBytes = 64 * 2 ** 20;

/** What {@link featureKeeper} takes. */
export interface KeeperOptions {
  /** Bytes of features in memory at most; more are written. Default 64 MiB. */
  readonly bytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Keeps features as f32, so that they have the same bits in memory and in a file.
 * @param scratch - gives a folder for the file; called once if they are too many for memory
 */
export function featureKeeper(scratch: () => Promise<FileStore>, options: KeeperOptions): FeatureKeeper {
  const { bytes = memoryBytes, signal } = options;
  return async (batches, shape) => {
    const { count, dimensions } = shape;
    const all = untilAborted(batches, signal);
    if (4 * count * dimensions <= bytes) return keepInMemory(all, shape);
    const store = await scratch();
    await store.write(FILE, bytesOf(all));
    return {
      count,
      dimensions,
      async read(from, wanted) {
        signal?.throwIfAborted();
        return floatsOf(await store.read(FILE, { offset: 4 * from * dimensions, length: 4 * wanted * dimensions }));
      },
    };
  };
}

const FILE = 'features.f32';

/** @throws the signal's reason when it is aborted */
async function* untilAborted(
  batches: AsyncIterable<Float32Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Float32Array> {
  for await (const features of batches) {
    signal?.throwIfAborted();
    yield features;
  }
}

/** The machine that writes them is the one that reads them: its order of bytes is kept. */
async function* bytesOf(batches: AsyncIterable<Float32Array>): AsyncGenerator<Uint8Array> {
  for await (const { buffer, byteOffset, byteLength } of batches) {
    yield new Uint8Array(buffer, byteOffset, byteLength);
  }
}

function floatsOf(bytes: Uint8Array<ArrayBuffer>): Float32Array {
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
  return new Float32Array(buffer, byteOffset, byteLength / 4);
}
