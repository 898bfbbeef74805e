// checkpoints/00000200.safetensors: the whole training state after a step. Written in one piece (the store's write is
// atomic), the one before is kept in case the newest cannot be read.
import type { FileStore } from '@paris/files';

const FOLDER = 'checkpoints';
const KEPT = 2;

export async function writeCheckpoint(store: FileStore, step: number, bytes: Uint8Array): Promise<void> {
  await store.write(checkpointPath(step), bytes);
  const steps = await listCheckpoints(store);
  for (const old of steps.slice(KEPT)) await store.remove(checkpointPath(old));
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

export async function removeCheckpoints(store: FileStore): Promise<void> {
  for (const step of await listCheckpoints(store)) await store.remove(checkpointPath(step));
}

export function checkpointPath(step: number): string {
  return `${FOLDER}/${String(step).padStart(8, '0')}.safetensors`;
}
