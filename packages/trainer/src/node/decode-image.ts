// Files → pixels. One bad file never ends a run: it is skipped and reported with the reason.
import { checkName } from '@paris/files';
import { optionalPackage } from './optional.js';

/** A folder is searched for these. The format of a file is recognised by its bytes. */
export const IMAGE_EXTENSIONS: string[] = '.png .jpg .jpeg .jfif .jpe .webp .gif .avif .tif .tiff .svg'.split(' ');

/** The form that pictures are brought to. */
export interface DecodeOptions {
  /** Edge length of the result in pixels. */
  size: number;
  /** `cover` cuts the longer side, `contain` fills with the background. Default `cover`. */
  fit?: 'cover' | 'contain';
  /** The background of transparent pictures. Default white. */
  background?: string;
  /** Why a picture of so many pixels, as it is stored and shown, is not taken; default: all are. */
  refused?: ((width: number, height: number) => string | undefined) | undefined;
}

/** RGB, u8 [3, size, size]; or why a file could not be decoded. */
export type Decoded = { pixels: Uint8Array } | { reason: string };

/**
 * Decodes and resizes one file to RGB, u8 [3, size, size]. Alpha is composited onto the background, the first frame of
 * an animation counts, 16 bits become 8, CMYK and profiles become sRGB, the camera's orientation is applied.
 * @throws ValueError for another fit; DataError if the optional peer dependency `sharp`, which decodes, is not installed
 */
export async function decodeImage(file: string | Uint8Array, options: DecodeOptions): Promise<Decoded> {
  const { size, fit = 'cover', background = '#ffffff' } = options;
  checkFit(fit);
  const { default: sharp } = await optionalPackage('sharp', 'decoding pictures', () => import('sharp'));
  try {
    const image = sharp(file, { failOn: 'error', autoOrient: true });
    if (options.refused) {
      const { width, height } = (await image.metadata()).autoOrient;
      const reason = options.refused(width, height);
      if (reason !== undefined) return { reason };
    }
    const { data, info } = await image
      .toColourspace('srgb')
      .flatten({ background })
      .resize(size, size, { fit, background, kernel: 'lanczos3' })
      .removeAlpha()
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    return { pixels: channelsFirst(data, info.channels, size * size) };
  } catch (error) {
    return { reason: shorten(error) };
  }
}

/** @throws ValueError for a way of fitting that there is not */
export function checkFit(fit: string): void {
  checkName('prepare', 'fit', fit, ['cover', 'contain']);
}

/** [size · size, channels] → [3, size · size]; grey becomes three equal channels. */
function channelsFirst(data: Uint8Array, channels: number, area: number): Uint8Array {
  const out = new Uint8Array(3 * area);
  for (let c = 0; c < 3; c++) {
    const from = channels >= 3 ? c : 0;
    for (let i = 0; i < area; i++) out[c * area + i] = data[i * channels + from]!;
  }
  return out;
}

function shorten(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n')[0]!.trim();
}
