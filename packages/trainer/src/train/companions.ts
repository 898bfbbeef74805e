// Files that a run has in addition to its weights.

import { type FileStore, memoryStore, writeJson } from '@paris/files';
import { writeVocabulary } from '@paris/model';
import type { Device } from '@paris/tensor';
import type { DataFormat, DataItem } from '../data/formats.js';
import type { Companions } from '../run/claim.js';
import { encodeRunData, RUN_DATA_FILE } from '../run/data.js';
import { TUNING_FILE } from '../run/names.js';

/**
 * Files that a run carries so that it can be resumed and assembled by itself: the vocabulary, the licences of the pictures
 * that it saw, and the table of measured kernels if there was one.
 */
export async function companionsOf(
  manifest: DataFormat & { partition: string; items: readonly DataItem[] },
  device: Device,
  others: FileStore = memoryStore(),
): Promise<Companions> {
  await writeVocabulary(others, manifest.vocabulary, manifest.maxTokens);
  await others.write(RUN_DATA_FILE, encodeRunData(manifest));
  const { tuning } = device.adapter;
  if (tuning) await writeJson(others, TUNING_FILE, tuning);
  const paths = await others.list();
  return Object.fromEntries(await Promise.all(paths.map(async (path) => [path, await others.read(path)] as const)));
}
