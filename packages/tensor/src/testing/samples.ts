// Inputs to check ops with: given, drawn by a seed, or taken from a fixture in odd sizes.
import type { DType } from '../graph/dtype.js';
import { type Shape, sizeOf } from '../graph/shape.js';
import { hostNormal, hostUniform, key } from '../random/index.js';
import type { StoredTensor } from './parity.js';

/** One call of an op, with what is known of its results. */
export interface OpSample {
  readonly name?: string | undefined;
  /** What is not a tensor, by its name in the API. */
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly inputs: readonly StoredTensor[];
  readonly outputs?: readonly StoredTensor[] | undefined;
  readonly cotangents?: readonly StoredTensor[] | undefined;
  readonly gradients?: readonly (StoredTensor | null)[] | undefined;
}

/** Stored reference values of an op; see fixtures/README.md. */
export interface OpFixture {
  readonly op: string;
  readonly samples: readonly (OpSample & { readonly outputs: readonly StoredTensor[] })[];
}

/** Makes inputs and calls for {@link checkOp}; what is drawn follows from the seed. */
export const sample = {
  /** Standard normal numbers. */
  normal: (shape: Shape, seed: number): StoredTensor => ({
    shape,
    dtype: 'f32',
    data: [...hostNormal(key(seed), sizeOf(shape))],
  }),
  /** Numbers uniform in [low, high). */
  uniform: (shape: Shape, seed: number, low = 0, high = 1): StoredTensor => ({
    shape,
    dtype: 'f32',
    data: [...hostUniform(key(seed), sizeOf(shape))].map((x) => Math.fround(low + x * (high - low))),
  }),
  /** Whole numbers from 0 to count − 1. */
  integers: (shape: Shape, seed: number, count: number, dtype: DType = 'u32'): StoredTensor => ({
    shape,
    dtype,
    data: [...hostUniform(key(seed), sizeOf(shape))].map((x) => Math.floor(x * count)),
  }),
  /** A list of numbers. */
  values: (data: readonly number[], dtype: DType = 'f32'): StoredTensor => ({ shape: [data.length], dtype, data }),
  /** One call with these inputs. */
  call: (inputs: readonly StoredTensor[], attrs: OpSample['attrs'] = {}, name?: string): OpSample => ({
    name: name ?? inputs.map(({ shape }) => `[${shape}]`).join(' '),
    attrs,
    inputs,
  }),
};

/** Empty, odd sizes, and one beyond which a software adapter's kernels take several elements each. */
export const oddSizes = [0, 1, 3, 17, 65, 257, 1025] as const;

/**
 * Calls of an elementwise op in {@link oddSizes} and, with several inputs, broadcasting both ways. The elements are
 * those of the given samples over and over, so they lie in the op's domain.
 */
export function elementwiseSamples(samples: readonly OpSample[]): OpSample[] {
  return samples.flatMap(({ attrs, inputs }, index) => {
    const sizes = index === 0 ? oddSizes : [17, 257];
    const calls = sizes.map((size) =>
      sample.call(
        inputs.map((input) => cycled(input, [size])),
        attrs,
      ),
    );
    if (index > 0 || inputs.length < 2) return calls;
    const [first, second, ...rest] = inputs as [StoredTensor, StoredTensor, ...StoredTensor[]];
    const spread = (a: Shape, b: Shape) =>
      sample.call([cycled(first, a), cycled(second, b), ...rest.map((input) => cycled(input, [1]))], attrs);
    return [...calls, spread([3, 17], [17]), spread([3, 1], [1, 17]), spread([], [5]), spread([0, 3], [3])];
  });
}

function cycled({ data, dtype }: StoredTensor, shape: Shape): StoredTensor {
  return { shape, dtype, data: Array.from({ length: sizeOf(shape) }, (_, i) => data[(i * 7 + 3) % data.length]!) };
}
