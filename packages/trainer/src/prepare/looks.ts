// What pictures look like in a few bytes each (64 for RGB), so that near-copies among many are found without holding pixels.

/** What is flatter than this, in levels, is not stretched: its noise would count as content. */
const LEAST_DEVIATION = 2;
const [ROWS, COLUMNS] = [4, 2];
/** Averages are held as whole numbers of this fraction. */
export const UNIT = 32_767;

/** The form of pictures, u8 [channels, size, size]. */
export interface PictureForm {
  readonly channels: number;
  readonly size: number;
}

/** How pixels become a vector of mean 0 and length 1, and a few of its averages. */
export interface Look {
  /** Of each channel. */
  readonly means: readonly number[];
  /** In levels. */
  readonly deviation: number;
  readonly scale: number;
  /** Projections of the vector on orthonormal blocks that are the same in the mirror: at most as far apart as vectors. */
  readonly coarse: Float64Array;
}

/** The look of one picture. */
export function lookOf(pixels: Uint8Array, { channels, size }: PictureForm): Look {
  const area = size * size;
  const planes = Array.from({ length: channels }, (_, c) => pixels.subarray(c * area, (c + 1) * area));
  const means = planes.map((plane) => sumOf(plane) / area);
  const squares = planes.reduce((sum, plane, c) => addSquares(sum, plane, means[c]!), 0);
  const deviation = Math.sqrt(squares / pixels.length);
  const scale = 1 / (Math.max(deviation, LEAST_DEVIATION) * Math.sqrt(pixels.length));
  const coarse = Float64Array.from(
    planes.flatMap((plane, c) => blocksOf(plane, size, means[c]!)),
    (sum) => sum * scale,
  );
  return { means, deviation, scale, coarse };
}

function sumOf(plane: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < plane.length; at++) sum += plane[at]!;
  return sum;
}

function addSquares(sum: number, plane: Uint8Array, mean: number): number {
  let squares = sum;
  for (let at = 0; at < plane.length; at++) squares += (plane[at]! - mean) ** 2;
  return squares;
}

/** Sums over blocks of rows, and of columns to the left and to the right alike, each over the root of its pixels. */
function blocksOf(plane: Uint8Array, size: number, mean: number): number[] {
  const sums = new Array<number>(ROWS * COLUMNS).fill(0);
  const pixels = new Array<number>(ROWS * COLUMNS).fill(0);
  const half = Math.ceil(size / 2);
  for (let y = 0; y < size; y++) {
    const first = Math.floor((y * ROWS) / size) * COLUMNS;
    for (let x = 0; x < size; x++) {
      const block = first + Math.floor((Math.min(x, size - 1 - x) * COLUMNS) / half);
      sums[block]! += plane[y * size + x]! - mean;
      pixels[block]! += 1;
    }
  }
  return sums.map((sum, block) => sum / Math.sqrt(Math.max(1, pixels[block]!)));
}

/** The looks of many pictures, in few bytes. */
export class Looks {
  /** Averages of a picture. */
  readonly averages: number;
  count = 0;
  /** [N, averages], in units of 1 / {@link UNIT} */
  coarse: Int16Array = new Int16Array(0);
  /** [N, channels + 1]: the mean of each channel, and the deviation, in levels */
  levels: Float32Array = new Float32Array(0);

  constructor(readonly form: PictureForm) {
    this.averages = form.channels * ROWS * COLUMNS;
  }

  add(pixels: Uint8Array): void {
    const { means, deviation, coarse } = lookOf(pixels, this.form);
    const levels = [...means, deviation];
    if (this.coarse.length < (this.count + 1) * this.averages) this.#grow(levels.length);
    this.coarse.set(
      coarse.map((value) => Math.round(UNIT * value)),
      this.count * this.averages,
    );
    this.levels.set(levels, this.count * levels.length);
    this.count += 1;
  }

  #grow(levels: number): void {
    const capacity = Math.max(1024, Math.ceil(1.25 * this.count));
    const [coarse, wide] = [this.coarse, this.levels];
    this.coarse = new Int16Array(capacity * this.averages);
    this.coarse.set(coarse);
    this.levels = new Float32Array(capacity * levels);
    this.levels.set(wide);
  }
}

/** Looks, and the order in which their pictures are to be stored: the numbers of those that are. */
export interface OrderedLooks {
  readonly looks: Looks;
  readonly order: Uint32Array;
}
