// Encoded pictures of any source → pictures to prepare: decoded and captioned.
import { createReadStream } from 'node:fs';
import { basename, extname } from 'node:path';
import { sha256OfPieces } from '@paris/files';
import { captionWords } from '@paris/model';
import type { DataItem } from '../../data/formats.js';
import type {
  DecodedPicture,
  PictureSource,
  PixelSource,
  SkippedPicture,
  SourcePicture,
  StoredPicture,
} from '../../prepare/picture-source.js';
import { checkFit, type DecodeOptions, decodeImage } from '../decode-image.js';
import { stemOf } from '../list-images.js';
import { optionalPackage } from '../optional.js';
import type { EncodedPicture, EncodedSource } from './encoded-source.js';
import { checkNeeds, type PictureFilter, refusedBySize, refusedByWords } from './filter.js';

/** Which pictures are decoded and how, and who is informed of it. */
export interface DecodeSourceOptions extends Omit<DecodeOptions, 'refused'> {
  filter?: PictureFilter | undefined;
  /** Called after each picture, decoded or skipped; `total` is as many as are known by then. */
  onProgress?: ((done: number, total: number) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * What decides pixels in addition to the encoded bytes; equal settings give equal pixels.
 * @throws DataError if the optional peer dependency `sharp`, which decodes, is not installed
 */
export async function decodeSettings({ size, fit, background, filter }: DecodeSourceOptions): Promise<string> {
  const { default: sharp } = await optionalPackage('sharp', 'decoding pictures', () => import('sharp'));
  const { minSide, maxAspect } = filter ?? {};
  return JSON.stringify({ size, fit, background, minSide, maxAspect, versions: sharp.versions });
}

/** libvips has threads of its own; this keeps them fed. */
const AHEAD = 4;

/** @throws ValueError for a need or a fit that there is not */
export function checkDecoding({ fit, filter }: Pick<DecodeSourceOptions, 'fit' | 'filter'>): void {
  if (fit !== undefined) checkFit(fit);
  checkNeeds(filter ?? {});
}

/**
 * The pictures in their source's order, some of them decoded ahead. Throws the signal's reason when it is aborted.
 * @throws ValueError for a need or a fit that there is not
 */
export function decodePictures(source: EncodedSource, options: DecodeSourceOptions): PictureSource {
  checkDecoding(options);
  return ahead(source, options, (picture) => decoded(picture, options));
}

/**
 * As {@link decodePictures}, but pictures whose pixels are stored already are not decoded.
 * @param known - the number under which the pixels are stored that were made of the encoded bytes with this key
 */
export function decodeUnknown(
  source: EncodedSource,
  options: DecodeSourceOptions,
  known: (key: string) => number | undefined,
): PixelSource {
  return ahead(source, options, async (picture): Promise<DecodedPicture | StoredPicture | SkippedPicture> => {
    const reason = options.filter && refusedByWords(picture.words, options.filter);
    if (reason !== undefined) return { file: picture.file, reason };
    const key = await keyOf(picture.data);
    const row = known(key);
    if (row !== undefined) return { item: itemOf(picture), row };
    const result = await decoded(picture, options);
    return 'reason' in result ? result : { ...result, key };
  });
}

async function* ahead<T>(
  source: EncodedSource,
  { onProgress, signal }: DecodeSourceOptions,
  decode: (picture: EncodedPicture) => Promise<T>,
): AsyncGenerator<T | SkippedPicture> {
  let [done, met] = [0, 0];
  const start = async (picture: EncodedPicture | SkippedPicture) => {
    signal?.throwIfAborted();
    const result = 'reason' in picture ? picture : await decode(picture);
    onProgress?.(++done, source.total ?? met);
    return result;
  };
  const started: ReturnType<typeof start>[] = [];
  for await (const picture of source.pictures) {
    met++;
    const next = start(picture);
    next.catch(() => undefined); // is thrown where it is waited for
    started.push(next);
    if (started.length > AHEAD) yield await started.shift()!;
  }
  for (const next of started) yield await next;
}

async function decoded(
  picture: EncodedPicture,
  { filter, ...options }: DecodeSourceOptions,
): Promise<SourcePicture | SkippedPicture> {
  const reason = filter && refusedByWords(picture.words, filter);
  if (reason !== undefined) return { file: picture.file, reason };
  const bySize = filter?.minSide !== undefined || filter?.maxAspect !== undefined;
  const refused = bySize ? (width: number, height: number) => refusedBySize(width, height, filter) : undefined;
  const image = await decodeImage(picture.data, { ...options, refused });
  return 'reason' in image ? { file: picture.file, ...image } : { item: itemOf(picture), pixels: image.pixels };
}

/** SHA-256 of the encoded bytes. What cannot be read gets none: decoding says why. */
async function keyOf(data: Uint8Array | string): Promise<string> {
  if (typeof data !== 'string') return sha256OfPieces([data]);
  return sha256OfPieces(createReadStream(data)).catch(() => '');
}

/** `pets/smiling-cat_2.png` → `smiling cat 2`. */
export function captionFromName(file: string): string {
  return captionWords(basename(file, extname(file)).replace(/[-_.]+/g, ' ')).join(' ');
}

function itemOf({ file, words }: EncodedPicture): DataItem {
  const { category, licence, source } = words;
  return {
    id: file,
    caption: words.caption ?? captionFromName(file),
    group: words.group ?? stemOf(file),
    ...(category !== undefined && { category }),
    ...(licence !== undefined && { licence }),
    ...(source !== undefined && { source }),
  };
}
