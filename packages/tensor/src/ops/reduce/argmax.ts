import { numeric, requireDType } from '../../graph/dtype.js';
import { normalizeAxis } from '../../graph/shape.js';
import type { Tensor } from '../../tensor.js';
import { applyOp, reduction, requireTensor, zeroGradient } from '../define.js';
import { extremes, reducedType, requireReducible } from './over.js';

const op = reduction({
  name: 'argmax',
  splits: false,
  infer([x], attributes) {
    requireReducible('argmax', x!, attributes, numeric, false);
    return [reducedType(x!, attributes, 'u32')];
  },
  accumulator(dtype) {
    const { type, lowest } = extremes('argmax', dtype);
    const better = '>';
    return {
      variables: [
        { type, initial: lowest },
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

/** Where the largest element stands along an axis, as u32; the first of equal ones. */
export const argmax = Object.assign(
  (x: Tensor, axis: number): Tensor => {
    requireDType('argmax', requireTensor('argmax', x).dtype, numeric);
    return applyOp(op, [x], { axes: [normalizeAxis('argmax', axis, x.rank)] });
  },
  { op },
);
