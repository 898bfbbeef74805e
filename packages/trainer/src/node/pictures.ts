// A folder of pictures of this machine, as a source of pictures to prepare.
import { readdir, stat } from 'node:fs/promises';
import { basename, extname, join, relative, sep } from 'node:path';
import { captionWords } from '@paris/model';
import type { DataItem } from '../data/formats.js';
import { DataError } from '../errors.js';
import type { PictureSource } from '../prepare/source.js';
import type { CaptionRow, Captions } from './captions.js';
import { type DecodeOptions, decodeImage, IMAGE_EXTENSIONS } from './images.js';

/** Which pictures of a folder are decoded, and how. */
export interface FolderPicturesOptions extends DecodeOptions {
  folder: string;
  /** Files of it, as {@link listImages} lists them. */
  files: readonly string[];
  /** Files without a row are skipped. Without captions each is made from the file's name. */
  captions?: Captions | undefined;
  /** Called after each file, decoded or skipped. */
  onProgress?: ((done: number, total: number) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** The pictures in the order of `files`, some of them decoded ahead. Throws the signal's reason when it is aborted. */
export async function* folderPictures(options: FolderPicturesOptions): PictureSource {
  const { folder, files, captions, onProgress, signal } = options;
  let done = 0;
  const decode = async (file: string) => {
    signal?.throwIfAborted();
    const row = captions?.rows.get(file);
    const skipped = captions && !row;
    const decoded = skipped
      ? { reason: 'no row in the captions file' }
      : await decodeImage(join(folder, file), options);
    onProgress?.(++done, files.length);
    return 'reason' in decoded ? { file, ...decoded } : { item: itemOf(file, row), pixels: decoded.pixels };
  };
  const ahead: ReturnType<typeof decode>[] = [];
  for (const [i, file] of files.entries()) {
    const next = decode(file);
    next.catch(() => undefined); // is thrown where it is waited for
    ahead.push(next);
    if (i >= AHEAD) yield await ahead.shift()!;
  }
  for (const next of ahead) yield await next;
}

/** libvips has threads of its own; this keeps them fed. */
const AHEAD = 4;

/** The pictures below a folder, as paths with `/`, sorted by code unit: the order of every file we write. */
export async function listImages(folder: string): Promise<string[]> {
  const exists = await stat(folder).catch(() => undefined);
  if (!exists?.isDirectory()) throw new DataError('prepare', `${folder} is not a folder.`);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && IMAGE_EXTENSIONS.includes(extname(entry.name).toLowerCase()))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/** `pets/smiling-cat_2.png` → `smiling cat 2`. */
export function captionFromName(file: string): string {
  return captionWords(basename(file, extname(file)).replace(/[-_.]+/g, ' ')).join(' ');
}

function itemOf(file: string, row: CaptionRow | undefined): DataItem {
  const { category, licence, source } = row ?? {};
  return {
    id: file,
    caption: row?.caption ?? captionFromName(file),
    group: row?.group ?? file,
    ...(category !== undefined && { category }),
    ...(licence !== undefined && { licence }),
    ...(source !== undefined && { source }),
  };
}
