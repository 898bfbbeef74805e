import { DTypeError, ShapeError } from '../../errors.js';
import { floats, promote, requireDType } from '../../graph/dtype.js';
import { broadcastShapes, showShape, sizeOf } from '../../graph/shape.js';
import type { TiledOperand } from '../../graph/tiled.js';
import { type WithOp, withOp } from '../../graph/with-op.js';
import { chooseMatmul, generateMatmul } from '../../kernels/matmul/choose.js';
import type { MatmulOperand } from '../../kernels/matmul/spec.js';
import type { Tensor } from '../../tensor.js';
import { zeros } from '../creation/constant.js';
import { applyOp, requireTensor } from '../define/apply.js';
import { tiled } from '../define/kinds.js';
import { expand } from '../view/expand.js';

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
    const side = ({ access, window }: TiledOperand): MatmulOperand => {
      const strides = window.strides.map(uniform);
      return {
        access,
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
          return store(0, `${row} * ${columns.wgsl} + ${at.column}`, value);
        },
      },
      chooseMatmul({ m, n, k, batch: sizeOf(batch) }, adapter),
    );
  },
  flops: ([a], [result]) => 2 * sizeOf(result!.shape) * a!.shape.at(-1)!,
  vjp: ({ inputs: [a, b], cotangent }) => [cotangent.matmul(b!.transpose()), a!.transpose().matmul(cotangent)],
});

/** Matrix product over the last two axes, [..., M, K] × [..., K, N] → [..., M, N]; leading axes broadcast. */
export const matmul: WithOp<(a: Tensor, b: Tensor) => Tensor> = withOp(op, (a, b) => {
  requireTensor('matmul', a);
  if (typeof b === 'number') throw new DTypeError('matmul', 'the second factor is a number. Use mul() to scale.');
  requireTensor('matmul', b);
  const shapes = () => `a is ${showShape(a.shape)}, b is ${showShape(b.shape)}`;
  if (a.rank < 2 || b.rank < 2) {
    throw new ShapeError('matmul', `both sides need two axes: ${shapes()}. Reshape.`);
  }
  const [inner, other] = [a.shape.at(-1)!, b.shape.at(-2)!];
  if (inner !== other) {
    const sizes = `${shapes()} (${inner} ≠ ${other})`;
    throw new ShapeError('matmul', `the inner sizes differ: ${sizes}. Transpose b or reshape.`);
  }
  const batch = broadcastShapes('matmul', a.shape.slice(0, -2), b.shape.slice(0, -2));
  if (inner === 0) return zeros([...batch, a.shape.at(-2)!, b.shape.at(-1)!]);
  // One matrix on the right: all rows on the left are rows of one product.
  if (b.rank === 2 && a.rank > 2) {
    const rows = a.shape.slice(0, -1);
    return applyOp(op, [a.reshape([sizeOf(rows), inner]), b]).reshape([...rows, b.shape[1]!]);
  }
  const spread = (x: Tensor) => expand(x, [...batch, ...x.shape.slice(-2)]);
  return applyOp(op, [spread(a), spread(b)]);
});
