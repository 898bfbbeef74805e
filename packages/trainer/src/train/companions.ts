// Files that a run has in addition to its weights.

import { encodeJson, type FileStore, memoryStore } from '@paris/files';
import { writeVocabulary } from '@paris/model';
import type { Device } from '@paris/tensor';
import type { Companions } from '../run/claim.js';
import { encodeRunData, RUN_DATA_FILE, type RunPictures } from '../run/data.js';
import { TUNING_FILE } from '../run/names.js';

/**
 * Files that a run carries so that it can be resumed and assembled by itself: the vocabulary, the licences of the pictures
 * that it saw, and the table of measured kernels if there was one.
 */
export async function companionsOf(
  pictures: RunPictures,
  device: Device,
  others: FileStore = memoryStore(),
): Promise<Companions> {
  const { vocabulary, maxTokens } = pictures.manifest;
  await writeVocabulary(others, vocabulary, maxTokens);
  await others.write(RUN_DATA_FILE, await encodeRunData(pictures));
  const paths = await others.list();
  const files = await Promise.all(paths.map(async (path) => [path, await others.read(path)] as const));
  return { ...Object.fromEntries(files), ...tuningOf(device) };
}

/** The table of measured kernels, if there is one: it decides bytes. */
export function tuningOf({ adapter: { tuning } }: Device): Companions {
  return tuning ? { [TUNING_FILE]: encodeJson(tuning) } : {};
}
