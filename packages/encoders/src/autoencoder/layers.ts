// What autoencoders are built from: convolutions that are computed in slices, so that their windows fit in memory.
import { concat, conv2d, type Tensor } from '@paris/tensor';
import { type ParameterTable, xavierUniform, zeros } from '@paris/tensor/nn';

/** weight [O, C, k, k] and bias [O], as in torch. */
export interface ConvParams {
  /** [O, C, k, k] */
  readonly weight: Tensor;
  /** [O] */
  readonly bias?: Tensor;
}

/** How much is computed at once; values do not depend on it. */
export interface Slicing {
  /** The most bytes of scratch memory that one layer asks for at a time: a convolution's windows, attention's scores. Default 64 MiB. */
  readonly sliceBytes: number;
  /**
   * About how many bytes the pictures that are in work may take. A larger batch is computed in slices, one picture each at least.
   * Default 1 GiB.
   */
  readonly memoryBudgetBytes: number;
}

/** A slice is no larger than what every WebGPU device can bind. */
export const defaultSlicing: Slicing = { sliceBytes: 64 * 2 ** 20, memoryBudgetBytes: 2 ** 30 };

/** How a kernel moves over the picture, and how many zeros lie around it. */
export interface ConvOptions extends Pick<Slicing, 'sliceBytes'> {
  /** Default 1. */
  readonly stride?: number;
  /** Zeros before and after, in both directions. Default: as many as keep the size at stride 1. */
  readonly padding?: readonly [before: number, after: number];
}

/** The parameters of a k × k convolution under `name`. */
export function convParameters(name: string, inputs: number, outputs: number, k = 3, bias = true): ParameterTable {
  return {
    [`${name}.weight`]: { shape: [outputs, inputs, k, k], initialise: xavierUniform },
    ...(bias ? { [`${name}.bias`]: { shape: [outputs], initialise: zeros } } : {}),
  };
}

/**
 * A convolution, [B, C, H, W] → [B, O, H′, W′], in bands of rows where its windows (k² times the picture) would take more
 * than `sliceBytes`. A band reads the rows that its windows touch, so the result is the same however many there are.
 */
export function conv({ weight, bias }: ConvParams, x: Tensor, options: ConvOptions): Tensor {
  const k = weight.shape[2]!;
  const { stride = 1, padding = [(k - 1) >> 1, k >> 1], sliceBytes } = options;
  const [before, after] = padding;
  const [b = 0, c = 0, height = 0, width = 0] = x.shape;
  const rows = Math.floor((height + before + after - k) / stride) + 1;
  const columns = Math.floor((width + before + after - k) / stride) + 1;
  const padded = before + after > 0 ? x.pad([[0, 0], [0, 0], padding, padding]) : x;
  const bands = k === 1 ? [[0, rows] as const] : spans(rows, b * c * k * k * columns * 4, sliceBytes);
  const parts = bands.map(([start, end]) => {
    const read = [start * stride, (end - 1) * stride + k] as const;
    const seen = bands.length === 1 ? padded : padded.slice([null, null, read, null]);
    return conv2d(seen, weight, { stride, bias });
  });
  return parts.length === 1 ? parts[0]! : concat(parts, 2);
}

/**
 * A network over a batch, in slices that take about `memoryBudgetBytes` at most.
 * @param pictureBytes - what one picture takes, about
 */
export function overBatch(
  x: Tensor,
  pictureBytes: number,
  { memoryBudgetBytes }: Slicing,
  run: (x: Tensor) => Tensor,
): Tensor {
  const slices = spans(x.shape[0] ?? 0, pictureBytes, memoryBudgetBytes);
  if (slices.length < 2) return run(x);
  return concat(
    slices.map((span) => run(x.slice([span, null, null, null]))),
    0,
  );
}

/** Splits `count` rows of so many bytes into even spans that take at most `most` bytes each, but one row at least. */
export function spans(count: number, rowBytes: number, most: number): (readonly [start: number, end: number])[] {
  const parts = Math.min(count, Math.ceil((count * rowBytes) / most));
  const each = Math.ceil(count / Math.max(1, parts));
  return Array.from(
    { length: Math.ceil(count / each) },
    (_, i) => [i * each, Math.min(count, (i + 1) * each)] as const,
  );
}
