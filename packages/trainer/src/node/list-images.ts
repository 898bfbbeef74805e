// What is in a folder of pictures: what is decoded, and what is left out and why.
import { readdir, realpath, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { byCodeUnit } from '@paris/files';
import { DataError } from '../errors.js';
import type { SkippedPicture } from '../prepare/picture-source.js';
import { IMAGE_EXTENSIONS } from './decode-image.js';
import { isArchive } from './sources/file-names.js';

/** A folder's content. Paths have `/` between folders and are sorted by code unit: the order of every file we write. */
export interface ListedImages {
  files: string[];
  /** Pictures of formats that are not read, and links that cannot be followed. */
  left: SkippedPicture[];
  /** How many files are not pictures, by extension. Hidden ones are not counted. */
  others: Record<string, number>;
  /** Files of `others` that hold captions: `cat.txt` next to `cat.png`, `metadata.jsonl`. */
  captions: string[];
  /** Files of `others` that hold pictures: tar shards, parquet files. */
  archives: string[];
}

/**
 * Lists a folder with its subfolders. Links are followed, each folder and each file is taken once.
 * @param except - a file that is not a picture and is not counted, for it is read otherwise
 * @throws DataError if it is not a folder
 */
export async function listImages(folder: string, except?: string): Promise<ListedImages> {
  const exists = await stat(folder).catch(() => undefined);
  if (!exists?.isDirectory()) throw new DataError('prepare', `${folder} is not a folder.`);
  const listing = new Listing(folder, except);
  await listing.read();
  const stems = new Set(listing.files.map(stemOf));
  const captions = listing.maybeCaptions.filter((file) => isMetadata(file) || stems.has(stemOf(file)));
  return {
    files: listing.files.sort(byCodeUnit),
    captions: captions.sort(byCodeUnit),
    archives: listing.archives.sort(byCodeUnit),
    left: listing.left.sort((a, b) => byCodeUnit(a.file, b.file)),
    others: Object.fromEntries([...listing.others].sort(([a], [b]) => byCodeUnit(a, b))),
  };
}

/** `pets/cat.png` → `pets/cat`: one picture in several formats has one name. */
export function stemOf(file: string): string {
  return file.slice(0, file.length - extname(file).length);
}

const isMetadata = (file: string): boolean => /(^|\/)metadata\.(jsonl|json|csv|parquet)$/i.test(file);
const captionExtensions: ReadonlySet<string> = new Set(['.txt', '.caption']);

/** Common formats of pictures that cannot be decoded. */
const notRead: ReadonlySet<string> = new Set(
  '.heic .heif .bmp .ico .jxl .jp2 .psd .tga .dng .cr2 .cr3 .nef .arw .orf .rw2 .raf .raw'.split(' '),
);

/** Why a picture of this format is not read: of `.heic`, in lower case. Undefined for all other files. */
export function whyNotRead(extension: string): string | undefined {
  if (!notRead.has(extension)) return undefined;
  return `${extension.slice(1).toUpperCase()} is not read; convert it to PNG or JPEG`;
}

class Listing {
  readonly files: string[] = [];
  readonly left: SkippedPicture[] = [];
  readonly others = new Map<string, number>();
  readonly maybeCaptions: string[] = [];
  readonly archives: string[] = [];
  /** Real paths of the folders and files that were met: links may lead in a circle, or to what is here already. */
  readonly #met = new Set<string>();
  readonly #links: string[] = [];

  constructor(
    readonly folder: string,
    readonly except: string | undefined,
  ) {}

  /** What lies in the folder goes before what links lead to, so that a link never takes a picture's own name from it. */
  async read(): Promise<void> {
    await this.#readFolder('', await realpath(this.folder));
    for (const path of this.#links) await this.#follow(path); // grows as linked folders are read
  }

  async #readFolder(path: string, real: string): Promise<void> {
    if (this.#isKnown(path, real, 'folder')) return;
    let entries: Awaited<ReturnType<typeof entriesIn>>;
    try {
      entries = await entriesIn(real);
    } catch (error) {
      this.left.push({
        file: `${path}/`,
        reason: `a folder that cannot be read (${(error as NodeJS.ErrnoException).code})`,
      });
      return;
    }
    for (const entry of entries) {
      const inner = path === '' ? entry.name : `${path}/${entry.name}`;
      if (entry.isSymbolicLink()) this.#links.push(inner);
      else if (entry.isDirectory()) await this.#readFolder(inner, join(real, entry.name));
      else if (entry.isFile()) this.#take(inner, join(real, entry.name));
    }
  }

  async #follow(path: string): Promise<void> {
    const [real, found] = await Promise.all([
      realpath(join(this.folder, path)).catch(() => undefined),
      stat(join(this.folder, path)).catch(() => undefined),
    ]);
    if (real === undefined || !found) this.left.push({ file: path, reason: 'a link that leads nowhere' });
    else if (found.isDirectory()) await this.#readFolder(path, real);
    else if (found.isFile()) this.#take(path, real);
  }

  #take(path: string, real: string): void {
    const extension = extname(path).toLowerCase();
    const unread = whyNotRead(extension);
    if (IMAGE_EXTENSIONS.includes(extension)) {
      if (!this.#isKnown(path, real, 'picture')) this.files.push(path);
    } else if (unread !== undefined) {
      this.left.push({ file: path, reason: unread });
    } else if (real !== this.except && !path.slice(path.lastIndexOf('/') + 1).startsWith('.')) {
      const name = extension || 'without extension';
      this.others.set(name, (this.others.get(name) ?? 0) + 1);
      if (captionExtensions.has(extension) || isMetadata(path)) this.maybeCaptions.push(path);
      else if (isArchive(path)) this.archives.push(path);
    }
  }

  /** Whether it was met by another path already; says so. */
  #isKnown(path: string, real: string, what: 'folder' | 'picture'): boolean {
    const known = this.#met.has(real);
    this.#met.add(real);
    if (known) this.left.push({ file: path, reason: `a link to a ${what} that is read already` });
    return known;
  }
}

async function entriesIn(folder: string) {
  return readdir(folder, { withFileTypes: true });
}
