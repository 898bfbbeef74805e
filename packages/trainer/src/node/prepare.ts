// A folder of pictures → a data folder. Nothing here needs a GPU.
import { readFile, realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { FileStore } from '@paris/files';
import { nodeStore } from '@paris/files/node';
import { captionWords } from '@paris/model';
import type { Manifest } from '../data/formats.js';
import { DataError } from '../errors.js';
import { assertApart } from '../output/apart.js';
import { claimOutput } from '../output/claim.js';
import { dataFolder } from '../output/kinds.js';
import { recoverOutput } from '../output/replace.js';
import { type PreparePicturesOptions, preparePictures } from '../prepare/prepare.js';
import { type Captions, parseCaptions } from './captions.js';
import { type DecodeOptions, IMAGE_EXTENSIONS } from './images.js';
import { listImages } from './list-images.js';
import { folderPictures } from './pictures.js';

/** Which pictures and captions are read, where they go, and what is held out. */
export interface PrepareOptions extends DecodeOptions, Omit<PreparePicturesOptions, 'pictures'> {
  /** Folder of pictures, searched with its subfolders. */
  source: string;
  /** CSV file; without it a caption is made from each file's name. */
  captions?: string | undefined;
  out: FileStore;
  /** Called after each file, decoded or skipped. */
  onProgress?: (done: number, total: number) => void;
}

/** What was written, and what of the captions file was not used. */
export interface PrepareReport {
  manifest: Manifest;
  /** Rows of the captions file without a picture. */
  missing: string[];
  /** Files with more than one row; the first row counts. */
  repeated: string[];
  /** Pictures whose caption has more words than a caption's token ids: those beyond are not learned. */
  cut: string[];
  /** How many files of the folder are no pictures, by extension. */
  others: Record<string, number>;
}

/**
 * `preparePictures` of the pictures in a folder.
 * @throws OutputError if the output holds something else than a data folder of ours, or is not apart from pictures and
 *   captions; DataError if there is no usable picture, or none for training; the signal's reason when it is aborted
 */
export async function prepare(options: PrepareOptions): Promise<PrepareReport> {
  await claim(options);
  const folder = resolve(options.source); // what was compared with the output is what is read
  const captions = options.captions === undefined ? undefined : await readCaptions(options.captions);
  const { files, left, others } = await listImages(folder, options.captions && (await realpath(options.captions)));
  const names = new Set(files.map((file) => file.normalize('NFC')));
  const missing = captions ? [...captions.rows.keys()].filter((file) => !names.has(file)) : [];
  if (files.length === 0) {
    const what = `there is no picture in the folder (looked for ${IMAGE_EXTENSIONS.join(', ')})`;
    const [first] = left;
    const but = first ? ` but ${left.length} that cannot be used; the first: ${first.file}: ${first.reason}` : '';
    throw new DataError('prepare', `${what}${but}.`);
  }
  const pictures = folderPictures({ ...options, folder, files, left, captions });
  const manifest = await preparePictures({ ...options, pictures });
  const long = manifest.items.filter(({ caption }) => captionWords(caption).length > manifest.maxTokens);
  return { manifest, missing, repeated: captions?.repeated ?? [], cut: long.map(({ id }) => id), others };
}

/** @throws OutputError if the output may not be written */
async function claim({ source, captions, out }: PrepareOptions): Promise<void> {
  await assertApart(
    'prepare',
    [{ what: 'the output folder', store: out }],
    [
      { what: 'the folder of pictures', store: nodeStore(source) },
      ...(captions === undefined ? [] : [{ what: 'the captions file', store: nodeStore(captions) }]),
    ],
  );
  await recoverOutput(out);
  await claimOutput(out, dataFolder, 'prepare');
}

async function readCaptions(path: string): Promise<Captions> {
  const bytes = await readFile(path).catch((cause) => {
    throw new DataError(
      'prepare',
      `the captions file ${path} cannot be read (${cause.code ?? cause.message}). Check its path.`,
      {
        cause,
      },
    );
  });
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DataError('prepare', `the captions file ${path} is not UTF-8. Save it as CSV in UTF-8.`, { cause });
  }
  return parseCaptions(text, path);
}
