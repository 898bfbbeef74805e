/** A model's files as its index describes them: what does not match its hash is never handed on. */

import type { FileSource } from '@paris/files';
import { sha256 } from '@paris/files';
import { CheckpointError } from '@paris/tensor';
import { chunkBytes, type ModelFile, type ModelIndex } from './format.js';

/**
 * The listed files. Files are read in pieces of up to 16 MiB, each checked once it is here; the last piece
 * is kept, so that reading a file span by span in its order reads no piece twice.
 * @param onBytes - called with the number of bytes of each piece that was read, its file and its place in it
 * @throws CheckpointError from its methods: for a file that is not listed, has another size or another hash
 */
export function verifiedStore(
  store: FileSource,
  index: ModelIndex,
  onBytes: (count: number, path: string, offset: number) => void = () => {},
): FileSource {
  const files = new Map(index.files.map((file) => [file.path, file]));
  let kept: { path: string; piece: number; bytes: Uint8Array<ArrayBuffer> } | undefined;

  const find = (path: string): ModelFile => {
    const file = files.get(path);
    if (file) return file;
    throw new CheckpointError('loadPipeline', `${path} is not listed in model_index.json. Assemble the model again.`);
  };
  const readPiece = async (file: ModelFile, piece: number): Promise<Uint8Array<ArrayBuffer>> => {
    if (kept?.path === file.path && kept.piece === piece) return kept.bytes;
    const offset = piece * chunkBytes;
    const length = Math.min(chunkBytes, file.sizeBytes - offset);
    const bytes = await store.read(file.path, file.chunks ? { offset, length } : undefined);
    if (bytes.length !== length) throw wrongSize(file, offset + bytes.length);
    if ((await sha256(bytes)) !== (file.chunks?.[piece] ?? file.sha256)) {
      throw new CheckpointError(
        'loadPipeline',
        `${file.path} is not the file that model_index.json describes: its SHA-256 differs. Get the file again.`,
      );
    }
    onBytes(bytes.length, file.path, offset);
    kept = { path: file.path, piece, bytes };
    return bytes;
  };

  return {
    async read(path, range) {
      const file = find(path);
      const { offset, length } = range ?? { offset: 0, length: file.sizeBytes };
      if (offset + length > file.sizeBytes) throw wrongSize(file, offset + length);
      const pieceBytes = file.chunks ? chunkBytes : Math.max(file.sizeBytes, 1);
      const out = new Uint8Array(length);
      for (let done = 0; done < length; ) {
        const piece = Math.floor((offset + done) / pieceBytes);
        const bytes = await readPiece(file, piece);
        const part = bytes.subarray(offset + done - piece * pieceBytes).subarray(0, length - done);
        out.set(part, done);
        done += part.length;
      }
      return out;
    },
    size: async (path) => find(path).sizeBytes,
    exists: async (path) => files.has(path),
  };
}

function wrongSize(file: ModelFile, got: number): CheckpointError {
  return new CheckpointError(
    'loadPipeline',
    `${file.path} should have ${file.sizeBytes} bytes, got ${got}. Get the file again.`,
  );
}
