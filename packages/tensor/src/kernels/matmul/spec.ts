import type { Extent } from '../../graph/kernel.js';
import type { TiledOperand } from '../../graph/op.js';

/** One operand of a matrix product, strides in elements. A transposed or broadcast operand is only other strides. */
export interface MatmulOperand {
  readonly element: TiledOperand['element'];
  /** One for each axis of `MatmulSpec.batch`; 0 broadcasts. */
  readonly batchStrides: readonly Extent[];
  readonly rowStride: Extent;
  readonly columnStride: Extent;
  readonly offset: Extent;
}

/** out[batch, m, n] = Σ_k a[batch, m, k] · b[batch, k, n], accumulated in f32 in the order of k. */
export interface MatmulSpec {
  /** Sizes of the batch axes, outermost first; the first one's `wgsl` is never read. */
  readonly batch: readonly Extent[];
  readonly m: Extent;
  readonly n: Extent;
  readonly k: Extent;
  /** [batch, m, k] */
  readonly a: MatmulOperand;
  /** [batch, k, n]. A weight stored [n, k] has rowStride 1 and columnStride k. */
  readonly b: MatmulOperand;
  /**
   * WGSL statements that take one finished element (f32 expression) through the fused epilogue and write it. The
   * coordinates are u32 expressions; `batch` is linear over the batch axes. May be called more than once by a generator.
   */
  store(at: { batch: string; row: string; column: string }, value: string): string;
}

/** How many matrices there are. */
export function batchCount(spec: MatmulSpec): number {
  return spec.batch.reduce((count, axis) => count * axis.value, 1);
}

/** Statements that declare `batch` (linear) and where each operand's matrix starts, `a_base` and `b_base`. */
export function declareBatch(spec: MatmulSpec): string {
  const lines = ['let batch = workgroup_id.z;'];
  const terms = { a: [spec.a.offset.wgsl], b: [spec.b.offset.wgsl] };
  let rest = 'batch';
  for (let axis = spec.batch.length - 1; axis >= 0; axis--) {
    let coordinate = rest;
    if (axis > 0) {
      const size = spec.batch[axis]!.wgsl;
      lines.push(`let batch_${axis} = ${rest} % ${size};`, `let batch_rest_${axis} = ${rest} / ${size};`);
      coordinate = `batch_${axis}`;
      rest = `batch_rest_${axis}`;
    }
    for (const side of ['a', 'b'] as const) {
      terms[side].push(`${coordinate} * ${spec[side].batchStrides[axis]!.wgsl}`);
    }
  }
  return [...lines, `let a_base = ${terms.a.join(' + ')};`, `let b_base = ${terms.b.join(' + ')};`].join('\n');
}
