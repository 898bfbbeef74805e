import { numeric, requireDType } from '../../graph/dtype.js';
import { normalizeAxes } from '../../graph/shape.js';
import { type WithOp, withOp } from '../../graph/with-op.js';
import type { Tensor } from '../../tensor.js';
import { zeros } from '../creation/constant.js';
import { applyOp, onDeviceOf, requireTensor } from '../define/apply.js';
import { zeroGradient } from '../define/gradient.js';
import { reduction } from '../define/kinds.js';
import { type Axes, extremes, reducing } from './over.js';

/** Where an element is along axes. */
export type IndexReduction = WithOp<(x: Tensor, axes?: number | readonly number[]) => Tensor>;

/** Finds where the best element is: of equal ones the first, in whatever order parts are merged. */
export function indexReduction(name: string, worst: 'lowest' | 'highest', better: '>' | '<'): IndexReduction {
  const op = reduction<Axes>({
    name,
    splits: false,
    infer: reducing(name, numeric, { result: 'u32', needsElements: true }),
    accumulator(dtype) {
      const limits = extremes(dtype);
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
  return withOp(op, (x, axes) => {
    requireDType(name, requireTensor(name, x).dtype, numeric);
    const list = normalizeAxes(name, axes, x.rank);
    return list.length === 0 ? onDeviceOf(name, zeros(x.shape, 'u32'), [x]) : applyOp(op, [x], { axes: list });
  });
}
