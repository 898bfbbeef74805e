import { ShapeError } from '../../errors.js';
import { promote, zeroOf } from '../../graph/dtype.js';
import { normalizeAxis, showShape } from '../../graph/shape.js';
import { type WithOp, withOp } from '../../graph/with-op.js';
import type { Tensor } from '../../tensor.js';
import { applyOp, requireTensor } from '../define/apply.js';
import { pointwise } from '../define/kinds.js';

const op = pointwise<{ readonly axis: number }>({
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
export const concat: WithOp<(tensors: readonly Tensor[], axis?: number) => Tensor> = withOp(op, (tensors, axis = 0) => {
  if (tensors.length === 0) throw new ShapeError('concat', 'there is nothing to join. Give at least one tensor.');
  const at = normalizeAxis('concat', axis, requireTensor('concat', tensors[0]!).rank);
  const dtype = tensors.map((x) => x.dtype).reduce((a, b) => promote('concat', a, b));
  const parts = tensors.map((x) => x.cast(dtype));
  return joined(parts, at);
});

/** As many as a kernel can read anywhere: WebGPU allows it 8 buffers at least, and one is for the result. */
const mostParts = 7;

/** More parts than that are joined in groups first. */
function joined(parts: readonly Tensor[], axis: number): Tensor {
  if (parts.length === 1) return parts[0]!;
  if (parts.length <= mostParts) return applyOp(op, parts, { axis });
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
