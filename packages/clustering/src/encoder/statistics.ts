// The built-in encoder: a picture's colours, where they are, and the direction of its edges. It needs no
// download and no device. Three blocks, each scaled to a length of its own, so that a dot product adds up three
// weighted similarities:
//
// - layout: mean opponent colours of a `grid` × `grid` raster (Swain & Ballard 1991, "Color indexing", axes rg, by, wb)
// - colours: a joint histogram of `bins`³ RGB cells with linear (soft) binning, square-rooted, so that the dot product
//   of two histograms is the Bhattacharyya coefficient
// - edges: histograms of unsigned gradient orientation on a `edgeGrid` × `edgeGrid` raster, weighted by magnitude
//   (Dalal & Triggs 2005, "Histograms of oriented gradients"), square-rooted likewise
import { ShapeError, ValueError } from '@paris/tensor';
import { ClusteringError } from '../errors.js';
import type { Encoder, ImageBatch } from './encoder.js';

/** The settings of {@link statisticsEncoder}; all are recorded in the manifest. */
export interface StatisticsOptions {
  /** Cells per side of the layout raster. */
  readonly grid: number;
  /** Levels of each colour channel in the joint histogram. */
  readonly bins: number;
  /** Cells per side of the edge raster. */
  readonly edgeGrid: number;
  /** Directions in a half turn. */
  readonly orientations: number;
  readonly layoutWeight: number;
  readonly colourWeight: number;
  readonly edgeWeight: number;
}

const defaults: StatisticsOptions = {
  grid: 4,
  bins: 4,
  edgeGrid: 4,
  orientations: 6,
  layoutWeight: 1,
  colourWeight: 1,
  edgeWeight: 1.5,
};

/**
 * Colour, layout and edge statistics of a picture, [N, 3·grid² + bins³ + orientations·edgeGrid²].
 * @throws ValueError for counts that are not positive whole numbers, or negative weights
 */
export function statisticsEncoder(options: Partial<StatisticsOptions> = {}): Encoder {
  const settings = { ...defaults, ...options };
  check(settings);
  const layoutLength = 3 * settings.grid ** 2;
  const colourLength = settings.bins ** 3;
  const dimensions = layoutLength + colourLength + settings.orientations * settings.edgeGrid ** 2;
  return {
    name: 'statistics',
    dimensions,
    parameters: { ...settings },
    encode(images) {
      checkImages(images, Math.max(settings.grid, settings.edgeGrid));
      const features = new Float32Array(images.count * dimensions);
      for (let i = 0; i < images.count; i++) {
        const pixels = images.pixels.subarray(i * 3 * images.size ** 2, (i + 1) * 3 * images.size ** 2);
        const row = features.subarray(i * dimensions, (i + 1) * dimensions);
        const edgesAt = layoutLength + colourLength;
        layout(pixels, images.size, settings, row.subarray(0, layoutLength));
        colours(pixels, images.size, settings, row.subarray(layoutLength, edgesAt));
        edges(pixels, images.size, settings, row.subarray(edgesAt));
      }
      return features;
    },
  };
}

/** Mean opponent colours of each cell, [3, grid, grid]. */
function layout(pixels: Uint8Array, size: number, { grid, layoutWeight }: StatisticsOptions, out: Float32Array): void {
  const plane = size * size;
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const cell = cellOf(y, size, grid) * grid + cellOf(x, size, grid);
      const at = y * size + x;
      const r = pixels[at]! / 255;
      const g = pixels[plane + at]! / 255;
      const b = pixels[2 * plane + at]! / 255;
      out[cell]! += (r + g + b) / 3 - 0.5;
      out[grid * grid + cell]! += r - g;
      out[2 * grid * grid + cell]! += (r + g) / 2 - b;
    }
  }
  scaleTo(out, layoutWeight);
}

/** The square root of the joint RGB histogram, [bins, bins, bins]. */
function colours(pixels: Uint8Array, size: number, { bins, colourWeight }: StatisticsOptions, out: Float32Array): void {
  const plane = size * size;
  const last = bins - 1;
  const lowest = Math.max(bins - 2, 0);
  // Written out by channel: a list for each pixel is 300 bytes of garbage for each.
  for (let at = 0; at < plane; at++) {
    const r = (pixels[at]! / 255) * last;
    const g = (pixels[plane + at]! / 255) * last;
    const b = (pixels[2 * plane + at]! / 255) * last;
    const [lowR, lowG, lowB] = [
      Math.min(Math.floor(r), lowest),
      Math.min(Math.floor(g), lowest),
      Math.min(Math.floor(b), lowest),
    ];
    for (let corner = 0; corner < 8; corner++) {
      const [highR, highG, highB] = [corner & 1, (corner >> 1) & 1, corner >> 2];
      const share =
        (highR ? r - lowR : 1 - (r - lowR)) * (highG ? g - lowG : 1 - (g - lowG)) * (highB ? b - lowB : 1 - (b - lowB));
      const index =
        (Math.min(lowR + highR, last) * bins + Math.min(lowG + highG, last)) * bins + Math.min(lowB + highB, last);
      out[index]! += share;
    }
  }
  for (let i = 0; i < out.length; i++) out[i] = Math.sqrt(out[i]!);
  scaleTo(out, colourWeight);
}

/** The square root of the orientation histogram of each cell, [edgeGrid, edgeGrid, orientations]. */
function edges(pixels: Uint8Array, size: number, settings: StatisticsOptions, out: Float32Array): void {
  const { edgeGrid, orientations, edgeWeight } = settings;
  const plane = size * size;
  const grey = (y: number, x: number) => {
    const at = Math.min(Math.max(y, 0), size - 1) * size + Math.min(Math.max(x, 0), size - 1);
    return (pixels[at]! + pixels[plane + at]! + pixels[2 * plane + at]!) / 765;
  };
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const dx = grey(y, x + 1) - grey(y, x - 1);
      const dy = grey(y + 1, x) - grey(y - 1, x);
      const magnitude = Math.hypot(dx, dy);
      if (magnitude === 0) continue;
      // Directions are a circle of half a turn; a gradient between two of them is shared between both.
      const turn = (((Math.atan2(dy, dx) / Math.PI + 1) % 1) * orientations) % orientations;
      const low = Math.floor(turn);
      const base = (cellOf(y, size, edgeGrid) * edgeGrid + cellOf(x, size, edgeGrid)) * orientations;
      out[base + low]! += magnitude * (low + 1 - turn);
      out[base + ((low + 1) % orientations)]! += magnitude * (turn - low);
    }
  }
  for (let i = 0; i < out.length; i++) out[i] = Math.sqrt(out[i]!);
  scaleTo(out, edgeWeight);
}

function cellOf(pixel: number, size: number, cells: number): number {
  return Math.floor((pixel * cells) / size);
}

/** Scales a block to the given length; a block of zeros (no edges at all) stays zero. */
function scaleTo(block: Float32Array, length: number): void {
  let squares = 0;
  for (const value of block) squares += value * value;
  if (squares === 0) return;
  const factor = length / Math.sqrt(squares);
  for (let i = 0; i < block.length; i++) block[i]! *= factor;
}

function check(settings: StatisticsOptions): void {
  for (const name of ['grid', 'bins', 'edgeGrid', 'orientations'] as const) {
    if (Number.isInteger(settings[name]) && settings[name] > 0) continue;
    throw new ValueError('statisticsEncoder', `${name} is ${settings[name]}. Give a whole number from 1 on.`);
  }
  for (const name of ['layoutWeight', 'colourWeight', 'edgeWeight'] as const) {
    if (Number.isFinite(settings[name]) && settings[name] >= 0) continue;
    throw new ValueError('statisticsEncoder', `${name} is ${settings[name]}. Give a number from 0 on.`);
  }
}

function checkImages({ pixels, count, size }: ImageBatch, cells: number): void {
  if (pixels.length !== count * 3 * size * size) {
    const expected = `${count} × 3 × ${size} × ${size} = ${count * 3 * size * size}`;
    throw new ShapeError('statisticsEncoder', `expected ${expected} bytes, got ${pixels.length}. Pass planar RGB.`);
  }
  if (size >= cells) return;
  const what = `pictures of ${size} px are smaller than a raster of ${cells}`;
  throw new ClusteringError('statisticsEncoder', `${what}. Prepare larger ones, or make the raster coarser.`);
}
