// What the trainings of experts and routers share around the run.

import { type FileSource, type FileStore, memoryStore, writeJson } from '@paris/files';
import { writeVocabulary } from '@paris/model';
import type { Device } from '@paris/tensor';
import type { DataFormat, DataItem } from '../formats/data.js';
import { assertApart } from '../output/apart.js';
import { TUNING_FILE } from '../run/claim.js';
import { encodeRunData, RUN_DATA_FILE } from '../run/data.js';
import type { OnTrainEvent } from '../run/events.js';
import { version } from '../version.js';

/** How a training is saved, stopped, begun anew and watched. None of it changes the weights. */
export interface RunControls {
  /** Steps between checkpoints; it changes no byte of the result. Default 100. */
  checkpointEvery?: number;
  /** Moves an old run aside and begins anew. */
  fresh?: boolean;
  /** Finishes the step, writes a checkpoint, throws InterruptedError. */
  signal?: AbortSignal;
  onEvent?: OnTrainEvent;
}

/** @throws OutputError if the runs are in the data folder or around it, or the run around what it reads besides */
export async function assertRunApart(
  { runs, data }: { runs: FileSource; data: FileSource },
  name: string,
  initial?: { store: FileSource; path: string },
): Promise<void> {
  await assertApart('train', [{ what: 'the folder of runs', store: runs }], [{ what: 'the data folder', store: data }]);
  if (!initial) return;
  const weights = { what: 'the file of weights to start from', ...initial };
  await assertApart('train', [{ what: `the run's folder ${name}`, store: runs, path: name }], [weights]);
}

export const versions: { [name: string]: string } = { '@paris/trainer': version };

export function adapterOf(device: Device): { fingerprint: string; name: string } {
  const { fingerprint, adapter } = device.info;
  return { fingerprint, name: adapter };
}

/**
 * Files that a run carries so that it can go on and be assembled by itself: the vocabulary, the licences of the pictures
 * that it saw, and the table of measured kernels if there was one.
 */
export async function companionsOf(
  manifest: DataFormat & { partition: string; items: readonly DataItem[] },
  device: Device,
  others: FileStore = memoryStore(),
): Promise<{ [path: string]: Uint8Array }> {
  await writeVocabulary(others, manifest.vocabulary, manifest.maxTokens);
  await others.write(RUN_DATA_FILE, encodeRunData(manifest));
  const { tuning } = device.adapter;
  if (tuning) await writeJson(others, TUNING_FILE, tuning);
  const paths = await others.list();
  return Object.fromEntries(await Promise.all(paths.map(async (path) => [path, await others.read(path)] as const)));
}
