import { isFloat, numeric } from '../../graph/dtype.js';
import { reduction } from '../define/kinds.js';
import { where } from '../where.js';
import { type Axes, keepAxes, overAxes, type Reduction, reducing, simpleAccumulator } from './over.js';

const op = reduction<Axes>({
  name: 'prod',
  splits: true,
  infer: reducing('prod', numeric),
  accumulator: (dtype) =>
    simpleAccumulator(isFloat(dtype) ? 'f32' : dtype, isFloat(dtype) ? '1.0f' : `${dtype}(1)`, (a, b) => `${a} * ${b}`),
  // The product of the others: of those that are not 0, divided by the element; where one is 0, only that one counts.
  vjp({ inputs: [x], cotangent, attributes: { axes } }) {
    const isZero = x!.equal(0);
    const rest = where(isZero, 1, x!);
    const others = keepAxes(prod(rest, axes), x!, axes);
    const zeros = keepAxes(isZero.cast('u32').sum(axes), x!, axes);
    const slope = where(isZero, where(zeros.equal(1), others, 0), where(zeros.equal(0), others.div(rest), 0));
    return [keepAxes(cotangent, x!, axes).mul(slope)];
  },
});

/**
 * The product over axes, all by default. f16 is multiplied in f32, integers wrap around; the product of nothing is 1. The
 * relative error of n factors is at most n · 2⁻²⁴.
 */
export const prod: Reduction = overAxes(op);
