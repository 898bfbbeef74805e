import { DTypeError, ShapeError } from '../../errors.js';
import { floats, promote, requireDType } from '../../graph/dtype.js';
import type { TiledOperand } from '../../graph/op.js';
import { broadcastShapes, showShape, sizeOf } from '../../graph/shape.js';
import { chooseMatmul, generateMatmul } from '../../kernels/matmul/choose.js';
import type { MatmulOperand } from '../../kernels/matmul/spec.js';
import type { Tensor } from '../../tensor.js';
import { zeros } from '../creation/constant.js';
import { applyOp, onDeviceOf, requireTensor, tiled, type WithOp, withOp } from '../define/op.js';
import { expand } from '../view/views.js';

const op = tiled({
  name: 'matmul',
  infer([a, b]) {
    for (const { dtype } of [a!, b!]) requireDType('matmul', dtype, floats);
    const shape = [...a!.shape.slice(0, -1), b!.shape.at(-1)!];
    return [{ shape, dtype: promote('matmul', a!.dtype, b!.dtype) }];
  },
  generate({ adapter, operand, outputs, inputs, uniform, store }) {
    const batch = outputs[0]!.shape.slice(0, -2);
    const [m, n] = outputs[0]!.shape.slice(-2) as [number, number];
    const k = inputs[0]!.shape.at(-1)!;
    const a = operand(0);
    const b = operand(1);
    const [rows, columns] = [uniform(m), uniform(n)];
    // Sizes and strides are uniforms all: literals gain no speed, and one text then serves every product.
    const side = ({ element, window }: TiledOperand): MatmulOperand => {
      const strides = window.strides.map(uniform);
      return {
        element,
        batchStrides: strides.slice(0, -2),
        rowStride: strides.at(-2)!,
        columnStride: strides.at(-1)!,
        offset: uniform(window.offset),
      };
    };
    return generateMatmul(
      {
        batch: batch.map(uniform),
        m: rows,
        n: columns,
        k: uniform(k),
        a: side(a),
        b: side(b),
        store: (at, value) => {
          const row = batch.length === 0 ? at.row : `(${at.batch} * ${rows.wgsl} + ${at.row})`;
          return store(0, `${row} * ${columns.wgsl} + ${at.column}`, value, { row, column: at.column, width: n });
        },
      },
      chooseMatmul({ m, n, k, batch: sizeOf(batch) }, adapter),
    );
  },
  flops: ([a], [result]) => 2 * sizeOf(result!.shape) * a!.shape.at(-1)!,
  vjp: ({ inputs: [a, b], cotangent }) => [cotangent.matmul(b!.transpose()), a!.transpose().matmul(cotangent)],
});

/**
 * Matrix product over the last two axes, [..., M, K] × [..., K, N] → [..., M, N]; leading axes broadcast. A vector [K] on the
 * left is a row, on the right a column, and its axis is not in the result: [K] × [K] → []. K products are summed in f32, a
 * few at a time and otherwise one by one: a result is off by at most K · 2⁻²⁴ of the sum of their absolute values.
 * @throws ShapeError if the inner sizes differ; DTypeError for anything but floats
 */
export const matmul: WithOp<(a: Tensor, b: Tensor) => Tensor> = withOp(op, (a, b) => {
  requireTensor('matmul', a);
  if (typeof b === 'number') throw new DTypeError('matmul', 'the second factor is a number. Use mul() to scale.');
  requireTensor('matmul', b);
  const shapes = () => `a is ${showShape(a.shape)}, b is ${showShape(b.shape)}`;
  if (a.rank === 0 || b.rank === 0) {
    throw new ShapeError('matmul', `both sides need an axis: ${shapes()}. Use mul() to scale.`);
  }
  if (a.rank === 1 || b.rank === 1) return vectors(a, b);
  const [inner, other] = [a.shape.at(-1)!, b.shape.at(-2)!];
  if (inner !== other) {
    const sizes = `${shapes()} (${inner} ≠ ${other})`;
    throw new ShapeError('matmul', `the inner sizes differ: ${sizes}. Transpose b or reshape.`);
  }
  const batch = broadcastShapes('matmul', a.shape.slice(0, -2), b.shape.slice(0, -2));
  if (inner === 0) {
    const none = zeros([...batch, a.shape.at(-2)!, b.shape.at(-1)!], promote('matmul', a.dtype, b.dtype));
    return onDeviceOf('matmul', none, [a, b]);
  }
  // One matrix on the right: all rows on the left are rows of one product.
  if (b.rank === 2 && a.rank > 2) {
    const rows = a.shape.slice(0, -1);
    return applyOp(op, [a.reshape([sizeOf(rows), inner]), b]).reshape([...rows, b.shape[1]!]);
  }
  const spread = (x: Tensor) => expand(x, [...batch, ...x.shape.slice(-2)]);
  return applyOp(op, [spread(a), spread(b)]);
});

/** Products with a vector: as a matrix of one row or one column, whose axis goes. */
function vectors(a: Tensor, b: Tensor): Tensor {
  const product = matmul(a.rank === 1 ? a.reshape([1, a.size]) : a, b.rank === 1 ? b.reshape([b.size, 1]) : b);
  const [row, column] = [product.rank - 2, product.rank - 1];
  const stays = (axis: number) => (axis !== row || a.rank > 1) && (axis !== column || b.rank > 1);
  return product.reshape(product.shape.filter((_, axis) => stays(axis)));
}
