/** Pictures as programs show and save them. */
import { ShapeError, ValueError } from '@paris/tensor';
import type { Made } from './made.js';

/** Interleaved 8-bit RGB, row by row from the top left: data.length = 3 · width · height. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
  /** Of a picture that `generate` drew: how. `savePng` writes it into the file. */
  readonly made?: Made;
}

/** From [−1, 1] to 0 … 255: (x + 1) / 2, clamped to [0, 1], to the nearest of 256 levels. NaN becomes 0. */
export function clampDisplay(x: number): number {
  const unit = (x + 1) / 2;
  return unit > 0 ? Math.round(Math.min(unit, 1) * 255) : 0;
}

/**
 * Pictures from planar values in [−1, 1].
 * @param values - [B, 3, height, width]
 * @throws ShapeError if the shape is another one
 */
export function toRgbImages(values: Float32Array, shape: readonly number[]): RgbImage[] {
  const [count = 0, channels, height = 0, width = 0] = shape;
  if (shape.length !== 4 || channels !== 3 || values.length !== count * 3 * height * width) {
    const got = `[${shape.join(', ')}] with ${values.length} values`;
    throw new ShapeError('toRgbImages', `pictures are [B, 3, H, W], got ${got}. Decode latents with the codec first.`);
  }
  const plane = height * width;
  return Array.from({ length: count }, (_, i) => {
    const data = new Uint8Array(3 * plane);
    for (let at = 0; at < plane; at++) {
      for (let c = 0; c < 3; c++) data[3 * at + c] = clampDisplay(values[(3 * i + c) * plane + at]!);
    }
    return { width, height, data };
  });
}

/**
 * Pictures of one size side by side, row by row, as one.
 * @param options - `gap` in pixels around and between, `background` as [r, g, b]
 * @throws ValueError if there are none; ShapeError if their sizes differ
 */
export function tileImages(
  images: readonly RgbImage[],
  columns: number,
  options: { readonly gap?: number; readonly background?: readonly [number, number, number] } = {},
): RgbImage {
  const { gap = 0, background = [255, 255, 255] } = options;
  const [first] = images;
  if (!first || columns < 1) {
    throw new ValueError('tileImages', `${images.length} pictures in ${columns} columns. Pass one of each at least.`);
  }
  const rows = Math.ceil(images.length / columns);
  const [width, height] = [columns * (first.width + gap) + gap, rows * (first.height + gap) + gap];
  const data = new Uint8Array(3 * width * height);
  for (let i = 0; i < data.length; i++) data[i] = background[i % 3]!;
  for (const [i, image] of images.entries()) {
    if (image.width !== first.width || image.height !== first.height) {
      const sizes = `${image.width}×${image.height}, the first ${first.width}×${first.height}`;
      throw new ShapeError('tileImages', `picture ${i} is ${sizes}. Pass pictures of one size.`);
    }
    const left = gap + (i % columns) * (first.width + gap);
    const top = gap + Math.floor(i / columns) * (first.height + gap);
    for (let y = 0; y < image.height; y++) {
      const row = image.data.subarray(3 * y * image.width, 3 * (y + 1) * image.width);
      data.set(row, 3 * ((top + y) * width + left));
    }
  }
  return { width, height, data };
}
