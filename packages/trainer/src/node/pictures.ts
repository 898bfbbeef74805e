// A folder of pictures of this machine, as a source of pictures to prepare.
import { basename, extname, join } from 'node:path';
import { captionWords } from '@paris/model';
import type { DataItem } from '../data/formats.js';
import type { PictureSource, SkippedPicture } from '../prepare/source.js';
import type { CaptionRow, Captions } from './captions.js';
import { type DecodeOptions, decodeImage } from './images.js';

/** Which pictures of a folder are decoded, and how. */
export interface FolderPicturesOptions extends DecodeOptions {
  folder: string;
  /** Files of it, as {@link listImages} lists them. */
  files: readonly string[];
  /** Files that are left out for another reason; they come last. */
  left?: readonly SkippedPicture[];
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
    const row = captions?.rows.get(file.normalize('NFC'));
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
  yield* options.left ?? [];
}

/** libvips has threads of its own; this keeps them fed. */
const AHEAD = 4;

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
