// Networks whose matrices are packed. In files and trees `layers.0.mlp.0.weight` becomes `layers.0.mlp.0.weight.q4`, u32 words,
// and `layers.0.mlp.0.weight.scale`, so these say themselves which weights are packed, and how.
import { Tensor } from '@paris/tensor';
import { dequantize, type QuantizedFormat, type QuantizedMatrix } from '@paris/tensor/nn';
import type { Expert } from '../contracts/expert.js';
import type { ReadNetwork } from '../folder/networks.js';
import type { WeightFormat } from './formats.js';

/** Whether a format packs matrices; the others are floats of one kind throughout. */
export function isQuantized(format: WeightFormat | undefined): format is QuantizedFormat {
  return format === 'q8' || format === 'q4';
}

/** The format of what is not packed: tensors beside packed ones, and the networks beside the experts, which are small. */
export function floatFormat<F extends WeightFormat | undefined>(format: F): Exclude<F, QuantizedFormat> | 'f16' {
  return isQuantized(format) ? 'f16' : (format as Exclude<F, QuantizedFormat>);
}

/** The two tensors that a packed matrix [out, in] is: name and shape of its words, and of its scales. */
export function packedShapes(
  path: string,
  [rows = 0, width = 0]: readonly number[],
  format: QuantizedFormat,
): readonly [words: readonly [string, readonly number[]], scale: readonly [string, readonly number[]]] {
  const [words, groups] = format === 'q8' ? [width / 4, 1] : [width / 8, width / 32];
  return [
    [`${path}.${format}`, [rows, words]],
    [`${path}.scale`, [rows, groups]],
  ];
}

/**
 * The expert over packed weights: a tree in which some matrices are `{ q8, scale }` or `{ q4, scale }`. It sees the matrices that
 * they mean, which take no memory where products read them.
 */
export function packedExpert<P>(expert: Expert<P>): Expert<P> {
  return { ...expert, apply: (params, input) => expert.apply(unpacked(params) as P, input) };
}

/** The same over packed weights. Experts that share a network still do. */
export function packedExperts(experts: readonly ReadNetwork<Expert>[]): ReadNetwork<Expert>[] {
  const packed = new Map(experts.map(({ network }) => [network, packedExpert(network)]));
  return experts.map((each) => ({ ...each, network: packed.get(each.network)! }));
}

function unpacked(tree: unknown): unknown {
  if (!tree || tree instanceof Tensor) return tree;
  if (Array.isArray(tree)) return tree.map(unpacked);
  const { scale, q8, q4 } = tree as Record<string, unknown>;
  if (scale instanceof Tensor && (q8 ?? q4) instanceof Tensor) return dequantize(tree as QuantizedMatrix);
  return Object.fromEntries(Object.entries(tree).map(([name, branch]) => [name, unpacked(branch)]));
}
