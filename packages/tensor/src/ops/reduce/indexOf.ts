import { type DType, numeric, requireDType } from '../../graph/dtype.js';
import { normalizeAxes } from '../../graph/shape.js';
import type { Tensor } from '../../tensor.js';
import { zeros } from '../creation/constant.js';
import { applyOp, reduction, requireTensor, zeroGradient } from '../define.js';
import type { ReduceOp } from '../op.js';
import { extremes, reducedType, requireReducible } from './over.js';

/** Where an element stands along axes. */
export interface IndexReduction {
  (x: Tensor, axes?: number | readonly number[]): Tensor;
  readonly op: ReduceOp;
}

/** Finds where the best element stands: of equal ones the first, in whatever order parts are merged. */
export function indexReduction(name: string, worst: 'lowest' | 'highest', better: '>' | '<'): IndexReduction {
  const op = reduction({
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
  const fn = (x: Tensor, axes?: number | readonly number[]) => {
    requireDType(name, requireTensor(name, x).dtype, numeric);
    const list = normalizeAxes(name, axes, x.rank);
    return list.length === 0 ? zeros(x.shape, 'u32') : applyOp(op, [x], { axes: list });
  };
  return Object.assign(fn, { op });
}
