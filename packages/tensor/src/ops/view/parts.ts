// Parts of a tensor, and a tensor as a part of a larger one: each is the gradient of the other.
import { ShapeError, ValueError } from '../../errors.js';
import { promote, zeroOf } from '../../graph/dtype.js';
import type { EmitContext } from '../../graph/op.js';
import { normalizeAxis, showShape } from '../../graph/shape.js';
import type { Tensor } from '../../tensor.js';
import { ones } from '../creation/constant.js';
import { applyOp, pointwise, requireTensor, type WithOp, withOp } from '../define/op.js';
import { where } from '../where.js';

/** [start, end) or [start, end) by step along one axis; negative bounds count from the end. */
export type SliceRange = readonly [start: number, end: number, step?: number];

const sliceOp = pointwise<Readonly<Record<'starts' | 'lengths' | 'steps', readonly number[]>>>({
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
    return [applyOp(padOp, [cotangent], { low: starts, high, interior })];
  },
});

/** A part of x: one [start, end, step?] for each axis, null for all of it. */
export const slice: WithOp<(x: Tensor, ranges: readonly (SliceRange | null)[]) => Tensor> = withOp(
  sliceOp,
  (x, ranges) => {
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
    return all ? x : applyOp(sliceOp, [x], { starts, lengths, steps });
  },
);

// Zeros around elements and, for the gradient of a stepped slice, `interior` many between neighbours.
const padOp = pointwise<Readonly<Record<'low' | 'high' | 'interior', readonly number[]>>>({
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
      const distance = low[i] === 0 ? c : name(`${c} - ${low[i]}u`);
      return nearest(name, distance, interior[i]! + 1, shape[i]!, conditions);
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
 * Which of `count` elements, `step` apart, lies at a distance from the first. Whether one does is added to the conditions;
 * one comparison tests both ends, as a subtraction that falls below 0 has wrapped to a huge number.
 */
export function nearest(
  name: EmitContext['name'],
  distance: string,
  step: number,
  count: number,
  conditions: string[],
): string {
  if (step > 1) conditions.push(`${distance} % ${step}u == 0u`);
  const index = step > 1 ? name(`${distance} / ${step}u`) : distance;
  conditions.push(`${index} < ${count}u`);
  return name(`min(${index}, ${Math.max(0, count - 1)}u)`);
}

/**
 * Zeros, or a value, before and after each axis: [[low, high], …].
 * @throws ShapeError if there is not one pair for each axis; ValueError for widths below 0, or a value that x's dtype has not
 */
export const pad: WithOp<(x: Tensor, widths: readonly (readonly [number, number])[], value?: number) => Tensor> =
  withOp(padOp, (x, widths, value = 0) => {
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
    const spread = (t: Tensor) => applyOp(padOp, [t], { low, high, interior: low.map(() => 0) });
    if (value === 0) return spread(x);
    return where(spread(ones(x.shape, 'bool')), spread(x), value);
  });

const concatOp = pointwise<{ readonly axis: number }>({
  name: 'concat',
  cost: 1,
  infer(inputs, { axis }) {
    const first = inputs[0]!;
    const shape = [...first.shape];
    for (const other of inputs.slice(1)) {
      if (other.shape.length !== shape.length || other.shape.some((n, i) => i !== axis && n !== first.shape[i])) {
        const both = `${showShape(first.shape)} and ${showShape(other.shape)}`;
        throw new ShapeError('concat', `${both} differ in an axis other than ${axis}. Reshape or slice one.`);
      }
      shape[axis]! += other.shape[axis]!;
    }
    return [{ shape, dtype: first.dtype }];
  },
  emit({ read, position, inputs, output, attributes: { axis }, name }) {
    const c = position.coordinates[axis]!;
    let offset = 0;
    const parts: { end: number; value: string }[] = [];
    inputs.forEach((input, i) => {
      const n = input.shape[axis]!;
      if (n === 0) return;
      const from = [...position.coordinates];
      from[axis] = name(`min(${offset === 0 ? c : `${c} - ${offset}u`}, ${n - 1}u)`);
      parts.push({ end: offset + n, value: read(i, position.moved(input.shape, from)) });
      offset += n;
    });
    if (parts.length === 0) return zeroOf(output.dtype);
    let result = parts.pop()!.value;
    for (const part of parts.reverse()) result = `select(${result}, ${part.value}, ${c} < ${part.end}u)`;
    return result;
  },
  vjp({ inputs, cotangent, attributes: { axis } }) {
    const sizes = inputs.map((input) => input.shape[axis]!);
    return partsAlong(cotangent, sizes, axis);
  },
});

/** Tensors one after the other along an axis; f16 together with f32 becomes f32. */
export const concat: WithOp<(tensors: readonly Tensor[], axis?: number) => Tensor> = withOp(
  concatOp,
  (tensors, axis = 0) => {
    if (tensors.length === 0) throw new ShapeError('concat', 'there is nothing to join. Give at least one tensor.');
    const at = normalizeAxis('concat', axis, requireTensor('concat', tensors[0]!).rank);
    const dtype = tensors.map((x) => x.dtype).reduce((a, b) => promote('concat', a, b));
    const parts = tensors.map((x) => x.cast(dtype));
    return joined(parts, at);
  },
);

/** As many as a kernel can read anywhere: WebGPU allows it 8 buffers at least, and one is for the result. */
const mostParts = 7;

/** More parts than that are joined in groups first. */
function joined(parts: readonly Tensor[], axis: number): Tensor {
  if (parts.length === 1) return parts[0]!;
  if (parts.length <= mostParts) return applyOp(concatOp, parts, { axis });
  const each = Math.ceil(parts.length / Math.min(mostParts, Math.ceil(parts.length / mostParts)));
  const groups = Array.from({ length: Math.ceil(parts.length / each) }, (_, i) =>
    parts.slice(i * each, (i + 1) * each),
  );
  return joined(
    groups.map((group) => joined(group, axis)),
    axis,
  );
}

/** Tensors of one shape along a new axis. */
export function stack(tensors: readonly Tensor[], axis = 0): Tensor {
  const rank = (tensors[0]?.rank ?? 0) + 1;
  const at = normalizeAxis('stack', axis, rank);
  const widened = tensors.map((t) => t.reshape([...t.shape.slice(0, at), 1, ...t.shape.slice(at)]));
  return concat(widened, at);
}

/** Cuts x along an axis into equal parts, or into parts of the given sizes. */
export function split(x: Tensor, parts: number | readonly number[], axis = 0): Tensor[] {
  const at = normalizeAxis('split', axis, x.rank);
  const n = x.shape[at]!;
  const sizes = typeof parts === 'number' ? new Array<number>(parts).fill(n / parts) : parts;
  if (sizes.some((size) => !Number.isInteger(size)) || sizes.reduce((a, b) => a + b, 0) !== n) {
    throw new ShapeError('split', `axis ${at} of size ${n} does not divide into ${showShape(sizes)}.`);
  }
  return partsAlong(x, sizes, at);
}

function partsAlong(x: Tensor, sizes: readonly number[], axis: number): Tensor[] {
  let end = 0;
  return sizes.map((size) => {
    end += size;
    const range = [end - size, end] as const;
    return x.slice(x.shape.map((_, i) => (i === axis ? range : null)));
  });
}
