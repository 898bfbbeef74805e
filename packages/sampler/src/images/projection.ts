/**
 * Colours of latents by a linear map, for previews that cost nothing: what "latent2rgb" tables hold for known autoencoders, fitted
 * here by least squares to what the model's own codec makes of the same latents.
 */
import type { Tensor } from '@paris/tensor';
import type { RgbImage } from './image.js';

/** Latents [B, C, h, w] → pictures with a pixel for each position. */
export type Projection = (latents: Float32Array, shape: readonly number[]) => RgbImage[];

const fitted = new WeakMap<object, Projection>();

/** Latents by the map of a pipeline, which its first call fits. */
export async function projected(
  pipeline: object,
  latents: Tensor,
  decode: () => Promise<readonly RgbImage[]>,
): Promise<RgbImage[]> {
  const values = (await latents.read()) as Float32Array;
  const project = fitted.get(pipeline) ?? fitProjection(values, latents.shape, await decode());
  fitted.set(pipeline, project);
  return project(values, latents.shape);
}

/** Keeps the fit defined where all latents are alike: a thousandth of a latent's variance. */
const ridge = 1e-3;

/**
 * The map that brings latents closest to the mean colours of what they decode to.
 * @param latents - [B, C, h, w]
 * @param pictures - what they decode to, B of them
 */
export function fitProjection(
  latents: Float32Array,
  shape: readonly number[],
  pictures: readonly RgbImage[],
): Projection {
  const [count, channels, height, width] = shape as [number, number, number, number];
  const plane = height * width;
  const size = channels + 1;
  const normal = Array.from({ length: size }, (_, i) =>
    Float64Array.from({ length: size + 3 }, (_, j) => (i === j && i < channels ? ridge * count * plane : 0)),
  );
  for (let b = 0; b < count; b++) {
    const colours = meanColours(pictures[b]!, width, height);
    for (let at = 0; at < plane; at++) {
      const x = Array.from({ length: size }, (_, c) => (c < channels ? latents[(b * channels + c) * plane + at]! : 1));
      const row = [...x, ...colours[at]!];
      for (let i = 0; i < size; i++) for (let j = 0; j < size + 3; j++) normal[i]![j]! += x[i]! * row[j]!;
    }
  }
  const weights = solve(normal, size); // [C + 1][3]
  return (values, [B = 0, C = 0, h = 0, w = 0]) =>
    Array.from({ length: B }, (_, b) => {
      const data = new Uint8ClampedArray(3 * h * w); // rounds and clamps
      for (let at = 0; at < h * w; at++) {
        for (let colour = 0; colour < 3; colour++) {
          let sum = weights[C]![colour]!;
          for (let c = 0; c < C; c++) sum += values[(b * C + c) * h * w + at]! * weights[c]![colour]!;
          data[3 * at + colour] = 127.5 * (sum + 1);
        }
      }
      return { width: w, height: h, data: new Uint8Array(data.buffer) };
    });
}

/** The mean colour of the pixels of each latent position, in [−1, 1]. */
function meanColours(picture: RgbImage, width: number, height: number): number[][] {
  const [fx, fy] = [picture.width / width, picture.height / height];
  return Array.from({ length: width * height }, (_, at) => {
    const [left, top] = [(at % width) * fx, Math.floor(at / width) * fy];
    const sums = [0, 0, 0];
    for (let y = 0; y < fy; y++) {
      for (let x = 0; x < fx; x++) {
        for (let c = 0; c < 3; c++) sums[c]! += picture.data[3 * ((top + y) * picture.width + left + x) + c]!;
      }
    }
    return sums.map((sum) => sum / (fx * fy) / 127.5 - 1);
  });
}

/** Gauss–Jordan elimination with row exchange: [A | B], A symmetric and positive, gives A⁻¹B. */
function solve(rows: Float64Array[], size: number): number[][] {
  for (let i = 0; i < size; i++) {
    let best = i;
    for (let k = i + 1; k < size; k++) if (Math.abs(rows[k]![i]!) > Math.abs(rows[best]![i]!)) best = k;
    [rows[i], rows[best]] = [rows[best]!, rows[i]!];
    const pivot = rows[i]!;
    for (let k = 0; k < size; k++) {
      const factor = k === i ? 0 : rows[k]![i]! / pivot[i]!;
      if (factor !== 0) for (let j = i; j < pivot.length; j++) rows[k]![j]! -= factor * pivot[j]!;
    }
  }
  return rows.map((row, i) => Array.from(row.subarray(size), (value) => value / row[i]!));
}
