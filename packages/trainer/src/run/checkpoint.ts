// checkpoints/00000200.safetensors: the whole training state after a step. The store's write is atomic, and the one before is
// kept in case the newest cannot be read. run.json has the hash of each.
import { type FileContent, type FileSource, type FileStore, sha256 } from '@paris/files';

const FOLDER = 'checkpoints';
const KEPT = 2;

/** Checkpoints are written and hashed in pieces of this size: the last one may be shorter. */
const pieceBytes = 16 * 2 ** 20;

/** What run.json says of a checkpoint. */
export interface SavedCheckpoint {
  /** How many steps had been made. */
  step: number;
  sizeBytes: number;
  /** SHA-256 of the hexadecimal SHA-256 of all pieces of 16 MiB, joined: no piece has to wait for the whole. */
  sha256: string;
}

/**
 * Writes a checkpoint piece by piece, and removes those that are older than the one before. So are those of later steps: a run
 * that comes by here has refused them.
 */
export async function writeCheckpoint(store: FileStore, step: number, content: FileContent): Promise<SavedCheckpoint> {
  const written = await writeHashed(store, checkpointPath(step), content);
  const steps = await listCheckpoints(store);
  const kept = steps.filter((other) => other <= step).slice(0, KEPT);
  for (const other of steps) if (!kept.includes(other)) await store.remove(checkpointPath(other));
  return { step, ...written };
}

/** Size and hash of a file, as {@link SavedCheckpoint} has them. */
export type Hashed = Omit<SavedCheckpoint, 'step'>;

/** Writes a file piece by piece, and hashes it on the way. */
export async function writeHashed(store: FileStore, path: string, content: FileContent): Promise<Hashed> {
  const hashes: string[] = [];
  let sizeBytes = 0;
  async function* hashed() {
    for await (const piece of pieces(content)) {
      hashes.push(await sha256(piece));
      sizeBytes += piece.length;
      yield piece;
    }
  }
  await store.write(path, hashed());
  return { sizeBytes, sha256: await hashOf(hashes) };
}

/** Size and hash of content that is not written. */
export async function hashContent(content: FileContent): Promise<Hashed> {
  const hashes: string[] = [];
  let sizeBytes = 0;
  for await (const piece of pieces(content)) {
    hashes.push(await sha256(piece));
    sizeBytes += piece.length;
  }
  return { sizeBytes, sha256: await hashOf(hashes) };
}

/** Size and hash of a file. */
export async function hashFile(store: FileSource, path: string): Promise<Hashed> {
  const sizeBytes = await store.size(path);
  const hashes: string[] = [];
  for (let offset = 0; offset < sizeBytes; offset += pieceBytes) {
    const length = Math.min(pieceBytes, sizeBytes - offset);
    hashes.push(await sha256(await store.read(path, { offset, length })));
  }
  return { sizeBytes, sha256: await hashOf(hashes) };
}

/** Whether the file is the one that was written. */
export async function isIntact(
  store: FileSource,
  saved: SavedCheckpoint,
  path: string = checkpointPath(saved.step),
): Promise<boolean> {
  if ((await store.size(path)) !== saved.sizeBytes) return false;
  return (await hashFile(store, path)).sha256 === saved.sha256;
}

/** Steps with a checkpoint, the newest first. */
export async function listCheckpoints(store: FileStore): Promise<number[]> {
  const names = await store.list(FOLDER);
  return names
    .map((path) => /^checkpoints\/(\d{8})\.safetensors$/.exec(path)?.[1])
    .filter((digits) => digits !== undefined)
    .map(Number)
    .sort((a, b) => b - a);
}

/** Removes all but that of step `kept`, where one is to stay. */
export async function removeCheckpoints(store: FileStore, kept?: number): Promise<void> {
  for (const step of await listCheckpoints(store)) if (step !== kept) await store.remove(checkpointPath(step));
}

export function checkpointPath(step: number): string {
  return `${FOLDER}/${String(step).padStart(8, '0')}.safetensors`;
}

function hashOf(hashes: readonly string[]): Promise<string> {
  return sha256(new TextEncoder().encode(hashes.join('')));
}

/** The same bytes in pieces of one size. */
async function* pieces(content: FileContent): AsyncGenerator<Uint8Array> {
  let piece = new Uint8Array(pieceBytes);
  let filled = 0;
  for await (const part of ArrayBuffer.isView(content) ? [content] : content) {
    for (let at = 0; at < part.length; ) {
      const taken = part.subarray(at, at + pieceBytes - filled);
      piece.set(taken, filled);
      at += taken.length;
      filled += taken.length;
      if (filled < pieceBytes) continue;
      yield piece;
      [piece, filled] = [new Uint8Array(pieceBytes), 0];
    }
  }
  if (filled > 0) yield piece.subarray(0, filled);
}
