// What is compared of a pinned folder: SHA-256 of every file by adapter, and numbers to a tolerance on any adapter.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { FileSource, FileStore } from '@paris/files';
import { sha256 } from '@paris/files';
import { nodeStore } from '@paris/files/node';
import { parseSafetensors } from '@paris/files/safetensors';
import { decode } from 'fast-png';

const folder = new URL('../../fixtures/pinned/', import.meta.url);

/** The committed folders: `data`, `runs`, `stopped`, `model`, `pictures.png`. */
export const pinned: FileStore = nodeStore(fileURLToPath(new URL('files', folder)));

/** By adapter (see `device.info.fingerprint`), then by path. */
export type Sums = { [fingerprint: string]: { [path: string]: string } };
export const sumsFile: string = fileURLToPath(new URL('sums.json', folder));

export function readSums(): Sums {
  return JSON.parse(readFileSync(sumsFile, 'utf8'));
}

/** SHA-256 of every file; of a run.json without what clocks and adapters decide. */
export async function sumsOf(store: FileStore): Promise<{ [path: string]: string }> {
  const sums: { [path: string]: string } = {};
  for (const path of await lastingFiles(store)) sums[path] = await sha256(timeless(path, await store.read(path)));
  return sums;
}

/** All files but the logs, which clocks write. */
export async function lastingFiles(store: FileStore): Promise<string[]> {
  return (await store.list()).filter((path) => !path.endsWith('/log.jsonl')).sort();
}

function timeless(path: string, bytes: Uint8Array): Uint8Array {
  if (!path.endsWith('/run.json')) return bytes;
  const { adapters: _, checkpoints: __, result, ...record } = JSON.parse(new TextDecoder().decode(bytes));
  // The loss follows from metrics.jsonl; in the older of these files it was a mean since a report, which the clock decided.
  const lasting = result && { steps: result.steps, sha256: result.sha256 };
  return new TextEncoder().encode(JSON.stringify({ ...record, result: lasting }));
}

/** The numbers of a file, by name: tensors, losses by step, pixels. None for files of other kinds. */
export async function numbersOf(store: FileSource, path: string): Promise<{ [name: string]: ArrayLike<number> }> {
  const bytes = await store.read(path);
  if (path.endsWith('.png')) return { pixels: decode(bytes).data };
  if (path.endsWith('.jsonl')) {
    const lines = new TextDecoder().decode(bytes).trim().split('\n');
    return { losses: lines.map((line) => JSON.parse(line).loss) };
  }
  if (!path.endsWith('.safetensors')) return {};
  return Object.fromEntries(Object.entries(parseSafetensors(bytes)).map(([name, { data }]) => [name, data]));
}

/** The largest difference of two lists of numbers of one length; infinite where one is longer. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i]! - b[i]!) || 0);
  return most;
}
