// Pictures that clients send: PNG of the model's size, decoded no further than that.
import type { MaskImage, RgbImage } from '@paris/sampler';
import { isPng, pngChunks } from '@paris/sampler/metadata';
import { convertIndexedToRgb, decode } from 'fast-png';
import { invalid } from './errors.js';

/** A picture, and its opacity where it has any: one byte a pixel. */
export interface Upload {
  readonly image: RgbImage;
  readonly alpha?: Uint8Array;
}

/** @throws ApiError 400 that names the field, for anything but a PNG of this size */
export async function decodeUpload(
  field: string,
  bytes: Uint8Array<ArrayBuffer>,
  size: { readonly width: number; readonly height: number },
): Promise<Upload> {
  const header = isPng(bytes) ? pngChunks(bytes).next().value : undefined;
  if (header?.type !== 'IHDR' || header.data.length < 8) throw invalid(field, `${field} is not a PNG file.`);
  const view = new DataView(header.data.buffer, header.data.byteOffset, header.data.length);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  if (width !== size.width || height !== size.height) {
    throw invalid(
      field,
      `${field} is ${width}×${height}, and the model draws ${size.width}×${size.height}. Resize it.`,
    );
  }
  if (!(await inflatesWithin(bytes, (8 * width + 1 + 64) * height + 1024))) {
    throw invalid(field, `${field} is a broken PNG file.`);
  }
  try {
    return pixels(decode(bytes), width, height);
  } catch {
    throw invalid(field, `${field} is a broken PNG file.`);
  }
}

/**
 * Which pixels a mask has drawn again: as in OpenAI's API where it is transparent, or, of a mask without transparency, where it is
 * white.
 */
export function maskOf({ image, alpha }: Upload): MaskImage {
  const { width, height, data } = image;
  const drawn = (at: number) => (alpha ? alpha[at]! < 128 : data[3 * at]! >= 128);
  return { width, height, data: Uint8Array.from({ length: width * height }, (_, at) => (drawn(at) ? 255 : 0)) };
}

type Png = ReturnType<typeof decode>;

function pixels(png: Png, width: number, height: number): Upload {
  const indexed = png.palette !== undefined;
  const channels = indexed ? png.palette![0]!.length : png.channels;
  const source = indexed ? convertIndexedToRgb(png) : samplesOf(png);
  const shift = png.depth === 16 && !indexed ? 8 : 0;
  const grey = channels < 3;
  const hasAlpha = channels === 2 || channels === 4;
  const scale = png.depth < 8 && !indexed ? 255 / (2 ** png.depth - 1) : 1;
  const at = (pixel: number, c: number) => Math.round((source[pixel * channels + c]! >> shift) * scale);
  const count = width * height;
  const data = Uint8Array.from({ length: 3 * count }, (_, i) => at(Math.floor(i / 3), grey ? 0 : i % 3));
  const alpha = hasAlpha
    ? Uint8Array.from({ length: count }, (_, i) => at(i, channels - 1))
    : alphaOfColour(png, source);
  return { image: { width, height, data }, ...(alpha.some((value) => value < 255) && { alpha }) };
}

/** One number a sample: several samples of less than 8 bit share a byte, and each row begins with a byte of its own. */
function samplesOf({ width, height, depth, data }: Png): Png['data'] {
  if (depth >= 8) return data;
  const rowBytes = Math.ceil((width * depth) / 8);
  if (data.length !== rowBytes * height) throw new RangeError('fast-png cannot interlace samples of less than 8 bit');
  return Uint8Array.from({ length: width * height }, (_, i) => {
    const bit = (i % width) * depth;
    const byte = data[Math.floor(i / width) * rowBytes + (bit >> 3)]!;
    return (byte >> (8 - depth - (bit & 7))) & (2 ** depth - 1);
  });
}

/** Opacity by the tRNS chunk of a picture without a palette: pixels of exactly the colour that it names are transparent. */
function alphaOfColour(png: Png, samples: Png['data']): Uint8Array {
  const { width, height, channels, depth, palette, transparency } = png;
  if (palette || transparency?.length !== channels) return new Uint8Array();
  const colour = transparency.map((sample) => sample & (2 ** depth - 1)); // bits above the depth say nothing
  return Uint8Array.from({ length: width * height }, (_, i) =>
    colour.every((sample, c) => samples[i * channels + c] === sample) ? 0 : 255,
  );
}

/** Whether the compressed pixels are no more than such a picture has: a small file can hold gigabytes. */
async function inflatesWithin(bytes: Uint8Array<ArrayBuffer>, maxBytes: number): Promise<boolean> {
  const parts = [...pngChunks(bytes)].filter(({ type }) => type === 'IDAT').map(({ data }) => data.slice());
  let total = 0;
  try {
    const inflated = new Blob(parts).stream().pipeThrough(new DecompressionStream('deflate'));
    const reader = inflated.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return true;
      total += value.length;
      if (total <= maxBytes) continue;
      void reader.cancel().catch(() => undefined);
      return false;
    }
  } catch {
    return false;
  }
}
