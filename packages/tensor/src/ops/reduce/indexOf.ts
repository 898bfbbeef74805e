import { type DType, numeric, requireDType } from '../../graph/dtype.js';
import { normalizeAxis } from '../../graph/shape.js';
import type { Tensor } from '../../tensor.js';
import { applyOp, reduction, requireTensor, zeroGradient } from '../define.js';
import type { ReduceOp } from '../op.js';
import { extremes, reducedType, requireReducible } from './over.js';

/** The op that finds where the best element stands: of equal ones the first, in whatever order parts are merged. */
export function indexReduction(name: string, worst: 'lowest' | 'highest', better: '>' | '<'): ReduceOp {
  return reduction({
    name,
    splits: false,
    infer([x], attributes) {
      requireReducible(name, x!, attributes, numeric, false);
      return [reducedType(x!, attributes, 'u32')];
    },
    accumulator(dtype: DType) {
      const limits = extremes(name, dtype);
      return {
        variables: [
          { type: limits.type, initial: limits[worst] },
          { type: 'u32', initial: '0u' },
        ],
        step: ([best, at], x, index) => `if (${x} ${better} ${best}) { ${best} = ${x}; ${at} = ${index}; }`,
        merge: ([best, at], [x, index]) =>
          `if (${x} ${better} ${best} || (${x} == ${best} && ${index} < ${at})) { ${best} = ${x}; ${at} = ${index}; }`,
        result: ([, at]) => at!,
      };
    },
    vjp: zeroGradient('an index has no gradient'),
  });
}

/** Applies such an op along one axis. */
export function indexAlong(op: ReduceOp, x: Tensor, axis: number): Tensor {
  requireDType(op.name, requireTensor(op.name, x).dtype, numeric);
  return applyOp(op, [x], { axes: [normalizeAxis(op.name, axis, x.rank)] });
}
