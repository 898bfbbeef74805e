// Elements by their numbers: rows of a table (and sums of rows, which are their gradient), elements along an axis, ones.
import { DTypeError, ShapeError } from '../../errors.js';
import { floats, requireDType, zeroOf } from '../../graph/dtype.js';
import type { Type } from '../../graph/node.js';
import { checkShape, normalizeAxis, type Shape, showShape, sizeOf } from '../../graph/shape.js';
import { isContiguous } from '../../graph/strided.js';
import type { Tensor } from '../../tensor.js';
import { arange } from '../creation/constant.js';
import { applyOp, pointwise, requireTensor, tiled, type WithOp, withOp } from '../define/op.js';
import { where } from '../where.js';

/** Of the gradient's kernel: invocations of a workgroup, and rows that are summed before they join the sum. */
const [lanes, block] = [64, 512];

const embeddingOp = pointwise({
  name: 'embedding',
  cost: 1,
  infer([table, ids]) {
    requireIds('embedding', ids!);
    if (table!.shape.length !== 2) {
      const got = showShape(table!.shape);
      throw new ShapeError('embedding', `the table is ${got} and must be [rows, width]. Reshape it.`);
    }
    return [{ shape: [...ids!.shape, table!.shape[1]!], dtype: table!.dtype }];
  },
  indices: ([table]) => ({ input: 1, below: table!.shape[0]! }),
  // An id beyond the table reads zeros, since a shader cannot throw: so the gradient, which drops it, is exact.
  emit({ read, position, inputs, output, name }) {
    const [table, ids] = inputs;
    const [count = 0] = table!.shape;
    const c = position.coordinates;
    if (count === 0) return zeroOf(output.dtype);
    const id = read(1, position.moved(ids!.shape, c.slice(0, -1)));
    const row = name(`min(${id}, ${count - 1}u)`);
    const value = read(0, position.moved(table!.shape, [row, c[c.length - 1]!]));
    return `select(${zeroOf(output.dtype)}, ${value}, ${id} < ${count}u)`;
  },
  vjp: ({ inputs: [table, ids], cotangent }) => [scatterAdd(cotangent, ids!, table!.shape[0]!), undefined],
});

/**
 * Rows of a table: table [V, D], ids u32 […] → […, D]. An id from V up gives zeros and gets no gradient; under
 * `device.debug` it is an IndexError.
 * @throws DTypeError if the ids are not u32; ShapeError if the table has not two axes
 */
export const embedding: WithOp<(table: Tensor, ids: Tensor) => Tensor> = withOp(embeddingOp, (table, ids) =>
  applyOp(embeddingOp, [table, ids]),
);

const scatterOp = tiled({
  name: 'scatterAdd',
  infer([rows, ids], { count }) {
    requireDType('scatterAdd', rows!.dtype, floats);
    requireIds('scatterAdd', ids!);
    const lead: Shape = rows!.shape.slice(0, -1);
    if (rows!.shape.length === 0 || lead.length !== ids!.shape.length || lead.some((n, i) => n !== ids!.shape[i])) {
      const [got, wanted] = [showShape(rows!.shape), showShape(ids!.shape)];
      throw new ShapeError('scatterAdd', `rows ${got} must be ids ${wanted} and a width.`);
    }
    return [{ shape: [count as number, rows!.shape.at(-1)!], dtype: rows!.dtype }];
  },
  indices: (_, { count }) => ({ input: 1, below: count as number }),
  // One invocation a row of the result and a run of its columns. It looks for its row among the ids in their order: no
  // atomics, so the sum is the same each time; and the search is shared by the columns.
  generate({ operand, inputs, outputs, uniform, store }) {
    const rows = operand(0);
    const ids = operand(1);
    const [count, width] = outputs[0]!.shape as [number, number];
    const many = uniform(sizeOf(inputs[1]!.shape));
    const columns = Math.min(width, 16);
    const runs = Math.ceil(width / columns);
    const groups = Math.ceil((count * runs) / lanes);
    const across = Math.min(groups, 32768);
    return {
      workgroupSize: [lanes, 1, 1],
      workgroups: [across, Math.ceil(groups / Math.max(1, across)), 1],
      body: `
  let at = (workgroup_id.y * ${across}u + workgroup_id.x) * ${lanes}u + local_index;
  let row = at / ${runs}u;
  let column = (at % ${runs}u) * ${columns}u;
  if (row >= ${count}u) { return; }
  // In blocks, whose sums are summed: a single sum of many rows would lose the digits of each.
  var sums: array<f32, ${columns}>;
  for (var first = 0u; first < ${many.wgsl}; first += ${block}u) {
    var part = array<f32, ${columns}>(); // written out: compilers were seen to zero it once, not in each round
    let end = min(first + ${block}u, ${many.wgsl});
    for (var i = first; i < end; i++) {
      if (${ids.element(`${ids.window.offset}u + i`)} == row) {
        let start = ${rows.window.offset}u + i * ${width}u + column;
        for (var c = 0u; c < ${columns}u; c++) {
          if (column + c < ${width}u) { part[c] += ${rows.element('start + c')}; }
        }
      }
    }
    for (var c = 0u; c < ${columns}u; c++) { sums[c] += part[c]; }
  }
  for (var c = 0u; c < ${columns}u; c++) {
    if (column + c < ${width}u) {
      ${store(0, `row * ${width}u + column + c`, 'sums[c]')}
    }
  }`,
    };
  },
  windows: isContiguous,
  vjp: ({ inputs, cotangent }) => [embedding(cotangent, inputs[1]!), undefined],
});

/**
 * Adds rows […, D] into zeros [count, D] at ids u32 […]: the gradient of {@link embedding}. Rows whose id is `count` or
 * more are left out; under `device.debug` such an id is an IndexError. The order of the additions is fixed: n rows in
 * blocks of 512, so that a sum is off by at most (512 + n/512) · 2⁻²⁴ of the sum of absolute values.
 * @throws DTypeError if the ids are not u32 or the rows are not floats; ShapeError if they do not fit
 */
export const scatterAdd: WithOp<(rows: Tensor, ids: Tensor, count: number) => Tensor> = withOp(
  scatterOp,
  (rows, ids, count) => {
    checkShape('scatterAdd', [count]);
    return applyOp(scatterOp, [rows, ids], { count });
  },
);

function requireIds(op: string, { dtype }: Type, what = 'ids'): void {
  if (dtype !== 'u32') throw new DTypeError(op, `${what} have dtype ${dtype}, not u32. Use cast('u32').`);
}

const gatherOp = pointwise<{ readonly axis: number }>({
  name: 'gather',
  cost: 1,
  infer([x, indices], { axis }) {
    requireIds('gather', indices!, 'indices');
    const [from, to] = [x!.shape, indices!.shape];
    if (from.length !== to.length || from.some((n, i) => i !== axis && n !== to[i])) {
      const got = `x is ${showShape(from)} and indices ${showShape(to)}`;
      throw new ShapeError('gather', `${got}: they may differ only along axis ${axis}. Expand one.`);
    }
    return [{ shape: to, dtype: x!.dtype }];
  },
  indices: ([x], { axis }) => ({ input: 1, below: x!.shape[axis]! }),
  // An index beyond the axis reads zero, since a shader cannot throw: so the gradient, which drops it, is exact.
  emit({ read, position, inputs, output, attributes: { axis }, name }) {
    const { shape } = inputs[0]!;
    const count = shape[axis]!;
    if (count === 0) return zeroOf(output.dtype);
    const index = read(1);
    const from = [...position.coordinates];
    from[axis] = name(`min(${index}, ${count - 1}u)`);
    return `select(${zeroOf(output.dtype)}, ${read(0, position.moved(shape, from))}, ${index} < ${count}u)`;
  },
  vjp: ({ inputs: [x, indices], cotangent, attributes: { axis } }) => [
    addedAlong(cotangent, indices!, axis, x!.shape[axis]!),
    undefined,
  ],
});

/** Each of `count` places along an axis looks for what was read from it: no atomics, so the sum is always the same. */
function addedAlong(x: Tensor, indices: Tensor, axis: number, count: number): Tensor {
  const inRows = (t: Tensor) => {
    const last = t.transpose(axis, -1);
    const [lead, m] = [last.shape.slice(0, -1), last.shape.at(-1)!];
    return last.reshape([...lead, 1, m]).expand([...lead, count, m]);
  };
  const places = arange(count, 'u32').reshape([count, 1]);
  const hits = inRows(indices).equal(places);
  return where(hits, inRows(x), 0).sum(-1).transpose(axis, -1);
}

/**
 * The elements of x at `indices` (u32) along an axis: result[i][j] = x[indices[i][j]][j] for axis 0 of two, as
 * torch.gather and numpy's take_along_axis. Shapes agree in all other axes. An index beyond the axis gives 0
 * and gets no gradient; under `device.debug` it is an IndexError. The gradient looks at every index for every element of
 * the axis: n · m steps per row.
 * @throws DTypeError if the indices are not u32; ShapeError if the shapes differ in another axis
 */
export const gather: WithOp<(x: Tensor, indices: Tensor, axis: number) => Tensor> = withOp(
  gatherOp,
  (x, indices, axis) =>
    applyOp(gatherOp, [x, indices], { axis: normalizeAxis('gather', axis, requireTensor('gather', x).rank) }),
);

/** ids u32 […] → f32 […, depth]: 1 at each id, 0 elsewhere; an id from depth up gives zeros. */
export function oneHot(ids: Tensor, depth: number): Tensor {
  requireIds('oneHot', requireTensor('oneHot', ids));
  if (!Number.isInteger(depth) || depth < 1) {
    throw new ShapeError('oneHot', `the depth must be a whole number from 1 up, got ${depth}.`);
  }
  return ids
    .reshape([...ids.shape, 1])
    .equal(arange(depth, 'u32'))
    .cast('f32');
}
