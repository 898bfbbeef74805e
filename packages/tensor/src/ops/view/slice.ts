import { ShapeError, ValueError } from '../../errors.js';
import { type WithOp, withOp } from '../../graph/with-op.js';
import type { Tensor } from '../../tensor.js';
import { applyOp, requireTensor } from '../define/apply.js';
import { pointwise } from '../define/kinds.js';
import { pad } from './pad.js';

/** [start, end) or [start, end) by step along one axis; negative bounds count from the end. */
export type SliceRange = readonly [start: number, end: number, step?: number];

const op = pointwise<Readonly<Record<'starts' | 'lengths' | 'steps', readonly number[]>>>({
  name: 'slice',
  cost: 0,
  infer: ([x], { lengths }) => [{ shape: lengths, dtype: x!.dtype }],
  emit({ read, position, inputs, attributes: { starts, steps }, name }) {
    const from = position.coordinates.map((c, i) => {
      if (starts[i] === 0 && steps[i] === 1) return c;
      const scaled = steps[i] === 1 ? c : `${c} * ${steps[i]}u`;
      return c === '0u' ? `${starts[i]}u` : name(`${scaled} + ${starts[i]}u`);
    });
    return read(0, position.moved(inputs[0]!.shape, from));
  },
  strided: ({ strides, offset }, { attributes: { starts, steps }, output }) => ({
    shape: output.shape,
    strides: strides.map((stride, i) => stride * steps[i]!),
    offset: strides.reduce((sum, stride, i) => sum + stride * starts[i]!, offset),
  }),
  // Zeros where the slice took nothing, between its steps too.
  vjp({ inputs, cotangent, attributes: { starts, lengths, steps } }) {
    const interior = steps.map((step) => step - 1);
    const high = inputs[0]!.shape.map((n, i) => {
      const covered = lengths[i] === 0 ? 0 : (lengths[i]! - 1) * steps[i]! + 1;
      return n - starts[i]! - covered;
    });
    return [applyOp(pad.op, [cotangent], { low: starts, high, interior })];
  },
});

/** A part of x: one [start, end, step?] for each axis, null for all of it. */
export const slice: WithOp<(x: Tensor, ranges: readonly (SliceRange | null)[]) => Tensor> = withOp(op, (x, ranges) => {
  const { shape } = requireTensor('slice', x);
  if (ranges.length !== shape.length) {
    const got = `${ranges.length} ranges for ${shape.length} axes`;
    throw new ShapeError('slice', `${got}. Give one each, null for all of it.`);
  }
  const starts: number[] = [];
  const lengths: number[] = [];
  const steps: number[] = [];
  ranges.forEach((range, i) => {
    const n = shape[i]!;
    const [start, end, step = 1] = range ?? [0, n];
    const from = start < 0 ? start + n : start;
    const to = end < 0 ? end + n : end;
    if (![from, to, step].every(Number.isInteger) || from < 0 || to > n || from > to || step < 1) {
      const got = `[${range?.join(', ')}] does not fit axis ${i} of size ${n}`;
      throw new ValueError('slice', `${got}. Use 0 ≤ start ≤ end ≤ ${n}, and a step from 1 on.`);
    }
    starts.push(from);
    lengths.push(Math.ceil((to - from) / step));
    steps.push(step);
  });
  const all = lengths.every((n, i) => n === shape[i]);
  return all ? x : applyOp(op, [x], { starts, lengths, steps });
});
