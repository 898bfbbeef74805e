/** A model's files as its index describes them: what does not match its hash is never handed on. */

import { type ByteRange, checkSize, type FileSource, FileTooLargeError, type ReadOptions, sha256 } from '@paris/files';
import { CheckpointError } from '@paris/tensor';
import { chunkBytes, type ModelFile, type ModelIndex } from './format.js';

/** Called with the number of bytes of each piece that was read, its file and its place in it. */
export type OnBytes = (count: number, path: string, offset: number) => void;

/**
 * The listed files. Files are read in pieces of up to 16 MiB, each checked once it is here; the last piece
 * is kept, so that reading a file span by span in its order reads no piece twice. No more is taken from the store than the
 * index says, and no memory for more than one piece before the file has been seen to be of its size.
 * @throws CheckpointError from its methods: for a file that is not listed, has another size or another hash
 */
export function verifiedStore(store: FileSource, index: ModelIndex, onBytes: OnBytes = () => {}): FileSource {
  const files = new VerifiedFiles(store, index, onBytes);
  return {
    read: (path, range, options) => files.read(path, range, options),
    size: async (path) => files.find(path).sizeBytes,
    exists: async (path) => files.has(path),
  };
}

class VerifiedFiles {
  readonly #store: FileSource;
  readonly #onBytes: OnBytes;
  readonly #files: ReadonlyMap<string, ModelFile>;
  #kept: { path: string; piece: number; bytes: Uint8Array<ArrayBuffer> } | undefined;

  constructor(store: FileSource, index: ModelIndex, onBytes: OnBytes) {
    this.#store = store;
    this.#onBytes = onBytes;
    this.#files = new Map(index.files.map((file) => [file.path, file]));
  }

  has(path: string): boolean {
    return this.#files.has(path);
  }

  find(path: string): ModelFile {
    const file = this.#files.get(path);
    if (file) return file;
    throw new CheckpointError('loadPipeline', `${path} is not listed in model_index.json. Assemble the model again.`);
  }

  async read(path: string, range?: ByteRange, options: ReadOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    const file = this.find(path);
    if (!range) checkSize(path, options, file.sizeBytes);
    const { offset, length } = range ?? { offset: 0, length: file.sizeBytes };
    if (offset + length > file.sizeBytes) throw wrongSize(file, offset + length);
    if (length === 0) return range ? new Uint8Array(0) : (await this.#piece(file, 0)).slice();
    const pieceBytes = file.chunks ? chunkBytes : file.sizeBytes;
    let out: Uint8Array<ArrayBuffer> | undefined;
    for (let done = 0; done < length; ) {
      const piece = Math.floor((offset + done) / pieceBytes);
      const bytes = await this.#piece(file, piece);
      const part = bytes.subarray(offset + done - piece * pieceBytes).subarray(0, length - done);
      out ??= await this.#allocate(file, length);
      out.set(part, done);
      done += part.length;
    }
    return out!;
  }

  /** After a piece was read: a server that knows nothing of ranges has sent the whole file by then. */
  async #allocate(file: ModelFile, length: number): Promise<Uint8Array<ArrayBuffer>> {
    if (length > chunkBytes) {
      const size = await this.#store.size(file.path);
      if (size !== file.sizeBytes) throw wrongSize(file, size);
    }
    try {
      return new Uint8Array(length);
    } catch (cause) {
      const what = `${length} bytes of ${file.path} do not fit into memory at once`;
      throw new CheckpointError('loadPipeline', `${what}. Store the model in smaller tensors.`, { cause });
    }
  }

  async #piece(file: ModelFile, piece: number): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#kept?.path === file.path && this.#kept.piece === piece) return this.#kept.bytes;
    const offset = piece * chunkBytes;
    const length = Math.min(chunkBytes, file.sizeBytes - offset);
    const { path, chunks, sizeBytes } = file;
    const range = chunks ? { offset, length } : undefined;
    const bytes = await this.#store.read(path, range, { maxBytes: sizeBytes }).catch((error) => {
      throw error instanceof FileTooLargeError ? wrongSize(file, error.sizeBytes ?? 'more') : error;
    });
    if (bytes.length !== length) throw wrongSize(file, offset + bytes.length);
    if ((await sha256(bytes)) !== (chunks?.[piece] ?? file.sha256)) {
      throw new CheckpointError(
        'loadPipeline',
        `${path} is not the file that model_index.json describes: its SHA-256 differs. Get the file again.`,
      );
    }
    this.#onBytes(bytes.length, path, offset);
    this.#kept = { path, piece, bytes };
    return bytes;
  }
}

function wrongSize(file: ModelFile, got: number | string): CheckpointError {
  return new CheckpointError(
    'loadPipeline',
    `${file.path} should have ${file.sizeBytes} bytes, got ${got}. Get the file again.`,
  );
}
