// Many tensors as one: an optimizer that walks over a packed tensor is a few dispatches however many
// parameters there are. The planner lets producers write into the pack, and unpacked parts are windows of it.
import { DTypeError } from '../errors.js';
import { type Shape, sizeOf } from '../graph/shape.js';
import type { Tensor } from '../tensor.js';
import { applyOp, packing, type WithOp, withOp } from './define/op.js';

/** Parts start at multiples of this many elements (256 bytes of f32), which every binding offset allows. */
export const packAlignment = 64;

/** How many elements a part takes up. */
export function packedSize(shape: Shape): number {
  return Math.ceil(sizeOf(shape) / packAlignment) * packAlignment;
}

const op = packing({
  name: 'pack',
  infer(inputs) {
    for (const { dtype } of inputs) {
      if (dtype !== 'f32') throw new DTypeError('pack', `every part must be f32, got ${dtype}. Use cast('f32').`);
    }
    return [{ shape: [inputs.reduce((total, { shape }) => total + packedSize(shape), 0)], dtype: 'f32' }];
  },
  vjp({ inputs, cotangent }) {
    const shapes = inputs.map((input) => input.shape);
    return unpack(cotangent, shapes);
  },
});

/** Tensors (f32) laid side by side, each filled up with zeros to a multiple of 64 elements. */
export const pack: WithOp<(tensors: readonly Tensor[]) => Tensor> = withOp(op, (tensors) => applyOp(op, tensors));

/** The parts of a packed tensor, as windows of it. */
export function unpack(packed: Tensor, shapes: readonly Shape[]): Tensor[] {
  let offset = 0;
  return shapes.map((shape) => {
    const part = packed.slice([[offset, offset + sizeOf(shape)]]).reshape(shape);
    offset += packedSize(shape);
    return part;
  });
}
