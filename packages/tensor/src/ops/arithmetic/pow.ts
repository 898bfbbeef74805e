import { DTypeError, ValueError } from '../../errors.js';
import { floatLiteral, floats } from '../../graph/dtype.js';
import type { Tensor } from '../../tensor.js';
import { applyOp, pointwise, sameType, type WithOp, withOp } from '../define/define.js';

const op = pointwise<{ exponent: number }>({
  name: 'pow',
  cost: 6,
  infer: sameType('pow', floats),
  // A whole exponent is multiplied out: WGSL's pow(x, n) is NaN for x < 0.
  emit({ attributes: { exponent }, read, name }) {
    const x = read(0);
    const n = Math.abs(exponent);
    if (!Number.isInteger(exponent) || n > 8) return `pow(${x}, ${floatLiteral(exponent)})`;
    if (n === 0) return '1.0f';
    let power = x;
    for (let i = 1; i < n; i++) power = name(`${power} * ${x}`);
    return exponent < 0 ? `1.0f / ${power}` : power;
  },
  relate: (relation) => relation,
  vjp: ({ inputs, cotangent, attributes: { exponent } }) => [
    exponent === 0 ? undefined : cotangent.mul(pow(inputs[0]!, exponent - 1)).mul(exponent),
  ],
});

/** x ^ exponent, elementwise. The exponent is compiled in. NaN where x < 0 and the exponent is not a small whole number. */
export const pow: WithOp<(x: Tensor, exponent: number) => Tensor> = withOp(op, (x, exponent) => {
  if (typeof exponent !== 'number')
    throw new DTypeError('pow', `the exponent must be a number, got ${typeof exponent}.`);
  if (!Number.isFinite(exponent)) throw new ValueError('pow', `the exponent must be finite, got ${exponent}.`);
  return applyOp(op, [x], { exponent });
});
