// Pictures that a command is given, and prompts in a file.
import { readFile } from 'node:fs/promises';
import { ValueError } from '@paris/files';
import type { MaskImage, RgbImage } from '@paris/sampler';
import { type MadeRecord, readPictureMetadata } from '@paris/sampler/metadata';
import { DataError } from '@paris/trainer/options';
import type { Metadata, Sharp } from 'sharp';

/** In pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A picture of any format and size, cut and resized to this one; what is transparent is white. @throws DataError */
export async function readPicture(option: string, file: string, size: Size): Promise<RgbImage> {
  const data = await decoded(option, file, (picture) =>
    picture
      .toColourspace('srgb')
      .flatten({ background: '#ffffff' })
      .resize(size.width, size.height, { fit: 'cover', kernel: 'lanczos3' })
      .removeAlpha(),
  );
  return { ...size, data: new Uint8Array(data) };
}

/**
 * A mask: white is drawn again, black is kept.
 * @throws ValueError for a size that is not a whole multiple of the pictures', since nobody can say which pixels it keeps then
 */
export async function readMask(file: string, size: Size): Promise<MaskImage> {
  const { width = 0, height = 0 } = await decodedMetadata('--mask', file);
  if (width % size.width !== 0 || height % size.height !== 0 || width / size.width !== height / size.height) {
    const fix = 'Give one of that size, or of a whole multiple of it.';
    throw new ValueError(
      'sample',
      `mask ${file} is ${width}×${height}, and the model draws ${size.width}×${size.height}. ${fix}`,
    );
  }
  const data = await decoded('--mask', file, (picture) =>
    picture.flatten({ background: '#000000' }).greyscale().resize(size.width, size.height, { kernel: 'nearest' }),
  );
  const channels = data.length / (size.width * size.height);
  return { ...size, data: Uint8Array.from({ length: size.width * size.height }, (_, i) => data[i * channels]!) };
}

/** How a picture was made, and its width. @throws DataError if its file does not say */
export async function readMade(file: string): Promise<{ made: MadeRecord; width: number }> {
  const bytes = await readFile(file).catch((cause: NodeJS.ErrnoException) => unreadable('--like', file, cause));
  const { made } = readPictureMetadata(bytes);
  const fix = 'Give a PNG that paris sample wrote with metadata.';
  if (!made) throw new DataError('sample', `like: ${file} does not say how it was made. ${fix}`);
  const custom = (['sampler', 'schedule', 'routing'] as const).find((name) => made[name] === 'custom');
  if (custom)
    throw new ValueError('sample', `like: ${file} was made with a ${custom} of somebody's own, which it cannot name.`);
  return { made, width: new DataView(bytes.buffer, bytes.byteOffset).getUint32(16) };
}

/** Prompts, one a line; empty lines are left out. @throws ValueError if there is none, DataError if it cannot be read */
export async function readPrompts(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => unreadable('--batch', file, cause));
  const prompts = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  if (prompts.length === 0) throw new ValueError('sample', `batch: ${file} has no prompt. Write one on each line.`);
  return prompts;
}

async function decoded(option: string, file: string, change: (picture: Sharp) => Sharp): Promise<Buffer> {
  const { default: sharp } = await import('sharp');
  try {
    return await change(sharp(file, { failOn: 'error', autoOrient: true }))
      .raw({ depth: 'uchar' })
      .toBuffer();
  } catch (cause) {
    throw noPicture(option, file, cause);
  }
}

async function decodedMetadata(option: string, file: string): Promise<Metadata> {
  const { default: sharp } = await import('sharp');
  return sharp(file)
    .metadata()
    .catch((cause) => {
      throw noPicture(option, file, cause);
    });
}

function noPicture(option: string, file: string, cause: unknown): DataError {
  const why = String(cause instanceof Error ? cause.message : cause).split('\n')[0];
  return new DataError('sample', `${option.slice(2)}: ${file} cannot be read as a picture (${why}).`, { cause });
}

function unreadable(option: string, file: string, cause: NodeJS.ErrnoException): never {
  throw new DataError('sample', `${option.slice(2)}: ${file} cannot be read (${cause.code}). Check its path.`, {
    cause,
  });
}
