// A folder of pictures with what lies there to caption them: a captions file, metadata.jsonl, text files.
import { join } from 'node:path';
import type { SkippedPicture } from '../../prepare/picture-source.js';
import { type CaptionRow, type Captions, matchRows } from '../captions.js';
import { type ListedImages, stemOf } from '../list-images.js';
import { readCaptions, readText } from '../read-captions.js';
import type { EncodedPicture, EncodedSource } from './encoded-source.js';
import type { Columns, PictureWords } from './fields.js';

/** A folder of pictures, and what of it was not used. */
export interface FolderSource extends EncodedSource {
  /** Rows of captions without a picture. */
  readonly missing: readonly string[];
  /** Files with more than one row; the first counts. */
  readonly repeated: readonly string[];
  /** Pictures captioned by their name, where others have a text file. */
  readonly named: readonly string[];
  /** Files of the folder that captions were read from. */
  readonly read: readonly string[];
}

/**
 * The pictures of a folder in the order of their names. What captions them:
 * - rows of `captions`, a file that was asked for: pictures without a row are skipped;
 * - else rows of `metadata.jsonl` and `metadata.csv`, which name files of their own folder;
 * - else a text file of the picture's name, `cat.txt` or `cat.caption`;
 * - else the picture's name, unless there are rows for others.
 * @throws DataError if a captions file is none
 */
export async function folderSource(
  folder: string,
  { files, left, captions: found }: ListedImages,
  captions: Captions | undefined,
  columns?: Columns,
): Promise<FolderSource> {
  const metadata = found.filter(isTable);
  const rows = captions ?? (metadata.length > 0 ? await joined(folder, metadata, columns) : undefined);
  const matched = rows && matchRows(rows, files);
  const texts = new Map(captions ? [] : found.filter(isText).map((file) => [stemOf(file), file]));
  const from = captions ? 'the captions file' : metadata[0];
  async function* pictures(): AsyncGenerator<EncodedPicture | SkippedPicture> {
    for (const file of files) {
      const row = matched?.rows.get(file);
      const text = row ? undefined : texts.get(stemOf(file));
      if (matched && !row && text === undefined) yield { file, reason: `no row in ${from}` };
      else yield { file, data: join(folder, file), words: await wordsFor(folder, row, text) };
    }
    yield* left;
  }
  const byText = files.filter((file) => texts.has(stemOf(file)));
  return {
    pictures: pictures(),
    total: files.length + left.length,
    missing: matched?.missing ?? [],
    repeated: matched?.repeated ?? [],
    read: captions ? [] : [...new Set([...metadata, ...byText.map((file) => texts.get(stemOf(file))!)])],
    named: byText.length > 0 && !matched ? files.filter((file) => !texts.has(stemOf(file))) : [],
  };
}

const isText = (file: string): boolean => /\.(txt|caption)$/i.test(file);
export const isTable = (file: string): boolean => /(^|\/)metadata\.(jsonl|csv)$/i.test(file);

async function wordsFor(folder: string, row: CaptionRow | undefined, text: string | undefined): Promise<PictureWords> {
  if (row) return row;
  if (text === undefined) return {};
  const caption = (await readText(join(folder, text), 'the caption file')).trim();
  return caption === '' ? {} : { caption };
}

/** Rows of several tables, each of which names files of its own folder. */
async function joined(folder: string, tables: readonly string[], columns: Columns | undefined): Promise<Captions> {
  const rows = new Map<string, CaptionRow>();
  const repeated: string[] = [];
  for (const table of tables) {
    const captions = await readCaptions(join(folder, table), columns);
    const inside = table.slice(0, table.lastIndexOf('/') + 1);
    repeated.push(...captions.repeated.map((file) => inside + file));
    for (const row of captions.rows.values()) {
      const file = inside + row.file;
      if (rows.has(file)) repeated.push(file);
      else rows.set(file, { ...row, file });
    }
  }
  return { rows, repeated };
}
