// Each picture in a file of its own. No option names these files one by one, so that only those of ours are written over.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readPictureMetadata } from '@paris/sampler/metadata';
import { OutputError } from '@paris/trainer/options';

/** `0000.png`, … in the folder of --singles; none without one. */
export function singleFiles(folder: string | undefined, count: number): string[] {
  if (folder === undefined) return [];
  return Array.from({ length: count }, (_, i) => join(folder, `${String(i).padStart(4, '0')}.png`));
}

/** @throws OutputError if there is a file of one of these names that does not say that it was drawn by us */
export async function trySingles(files: readonly string[]): Promise<void> {
  for (const file of files) {
    const isOurs = await readFile(file)
      .then((bytes) => readPictureMetadata(bytes).made !== undefined)
      .catch((error: NodeJS.ErrnoException) => error.code === 'ENOENT');
    if (isOurs) continue;
    const what = `singles: ${file} is there, and does not say that Paris drew it`;
    throw new OutputError('sample', `${what}. Move it away, or give another folder.`);
  }
}
