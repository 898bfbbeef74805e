// What `paris prepare` takes: a folder of pictures and a captions CSV.

import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { EmojiPicture } from './emoji.js';

const columns = ['file', 'caption', 'group', 'category', 'licence', 'source'] as const;

/** Copies the pictures to `folder/photos/<vendor>/` and writes `folder/captions.csv`, one line per picture. */
export async function writePhotos(
  pictures: readonly EmojiPicture[],
  folder: string,
): Promise<{ photos: string; captions: string }> {
  const photos = join(folder, 'photos');
  const captions = join(folder, 'captions.csv');
  for (const sub of new Set(pictures.map((picture) => dirname(picture.file))))
    await mkdir(join(photos, sub), { recursive: true });
  for (const picture of pictures) await copyFile(picture.path, join(photos, picture.file));
  await writeFile(captions, captionsCsv(pictures));
  return { photos, captions };
}

/** The CSV (RFC 4180) with a header line. */
export function captionsCsv(pictures: readonly EmojiPicture[]): string {
  const lines = pictures.map((picture) => columns.map((column) => quote(picture[column])).join(','));
  return `${[columns.join(','), ...lines].join('\n')}\n`;
}

function quote(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
