import { numeric, requireDType } from '../../graph/dtype.js';
import { normalizeAxis } from '../../graph/shape.js';
import type { Tensor } from '../../tensor.js';
import { applyOp, reduction, requireTensor, zeroGradient } from '../define.js';
import { extremes, reducedType, requireReducible } from './over.js';

const op = reduction({
  name: 'argmin',
  splits: false,
  infer([x], attributes) {
    requireReducible('argmin', x!, attributes, numeric, false);
    return [reducedType(x!, attributes, 'u32')];
  },
  accumulator(dtype) {
    const { type, highest } = extremes('argmin', dtype);
    const better = '<';
    return {
      variables: [
        { type, initial: highest },
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

/** Where the smallest element stands along an axis, as u32; the first of equal ones. */
export const argmin = Object.assign(
  (x: Tensor, axis: number): Tensor => {
    requireDType('argmin', requireTensor('argmin', x).dtype, numeric);
    return applyOp(op, [x], { axes: [normalizeAxis('argmin', axis, x.rank)] });
  },
  { op },
);
