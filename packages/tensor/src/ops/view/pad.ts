import { ShapeError, ValueError } from '../../errors.js';
import { zeroOf } from '../../graph/dtype.js';
import { type WithOp, withOp } from '../../graph/with-op.js';
import type { Tensor } from '../../tensor.js';
import { ones } from '../creation/constant.js';
import { applyOp, requireTensor } from '../define/apply.js';
import { pointwise } from '../define/kinds.js';
import { where } from '../where.js';

// Zeros around elements and, for the gradient of a stepped slice, `interior` many between neighbours.
const op = pointwise<Readonly<Record<'low' | 'high' | 'interior', readonly number[]>>>({
  name: 'pad',
  cost: 1,
  infer([x], { low, high, interior }) {
    const shape = x!.shape.map((n, i) => low[i]! + high[i]! + (n === 0 ? 0 : n + (n - 1) * interior[i]!));
    return [{ shape, dtype: x!.dtype }];
  },
  emit({ read, position, inputs, attributes: { low, high, interior }, name, output }) {
    const { shape } = inputs[0]!;
    const conditions: string[] = [];
    const from = position.coordinates.map((c, i) => {
      if (low[i] === 0 && high[i] === 0 && interior[i] === 0) return c;
      const step = interior[i]! + 1;
      // Below `low` the subtraction wraps to a huge number, so one comparison tests both ends.
      const shifted = low[i] === 0 ? c : name(`${c} - ${low[i]}u`);
      if (step > 1) conditions.push(`${shifted} % ${step}u == 0u`);
      const index = step > 1 ? name(`${shifted} / ${step}u`) : shifted;
      conditions.push(`${index} < ${shape[i]}u`);
      return name(`min(${index}, ${Math.max(0, shape[i]! - 1)}u)`);
    });
    if (conditions.length === 0) return read(0);
    const value = read(0, position.moved(shape, from));
    return `select(${zeroOf(output.dtype)}, ${value}, ${conditions.map((condition) => `(${condition})`).join(' && ')})`;
  },
  vjp({ inputs, cotangent, attributes: { low, interior } }) {
    const ranges = inputs[0]!.shape.map((n, i) => {
      const step = interior[i]! + 1;
      return [low[i]!, n === 0 ? low[i]! : low[i]! + (n - 1) * step + 1, step] as const;
    });
    return [cotangent.slice(ranges)];
  },
});

/**
 * Zeros, or a value, before and after each axis: [[low, high], …].
 * @throws ShapeError if there is not one pair for each axis; ValueError for widths below 0, or a value that x's dtype has not
 */
export const pad: WithOp<(x: Tensor, widths: readonly (readonly [number, number])[], value?: number) => Tensor> =
  withOp(op, (x, widths, value = 0) => {
    const { rank } = requireTensor('pad', x);
    if (widths.length !== rank) {
      throw new ShapeError('pad', `${widths.length} pairs for ${rank} axes. Give one [low, high] each.`);
    }
    const wrong = widths.find((pair) => !pair.every((n) => Number.isInteger(n) && n >= 0));
    if (wrong) {
      throw new ValueError('pad', `widths are whole numbers from 0 up, got [${wrong.join(', ')}]. Use slice() to cut.`);
    }
    if (widths.every(([low, high]) => low === 0 && high === 0)) return x;
    const low = widths.map((pair) => pair[0]);
    const high = widths.map((pair) => pair[1]);
    const spread = (t: Tensor) => applyOp(op, [t], { low, high, interior: low.map(() => 0) });
    if (value === 0) return spread(x);
    return where(spread(ones(x.shape, 'bool')), spread(x), value);
  });
