import { DTypeError, ShapeError } from '../../errors.js';
import { floats, requireDType } from '../../graph/dtype.js';
import { checkShape, type Shape, showShape, sizeOf } from '../../graph/shape.js';
import { isContiguous } from '../../graph/strided.js';
import { type WithOp, withOp } from '../../graph/with-op.js';
import type { Tensor } from '../../tensor.js';
import { applyOp } from '../define/apply.js';
import { tiled } from '../define/kinds.js';
import { embedding } from './embedding.js';

const lanes = 64;

/** Rows that are summed before they join the sum. */
const block = 512;

const op = tiled({
  name: 'scatterAdd',
  infer([rows, ids], { count }) {
    requireDType('scatterAdd', rows!.dtype, floats);
    if (ids!.dtype !== 'u32')
      throw new DTypeError('scatterAdd', `ids have dtype ${ids!.dtype}, not u32. Use cast('u32').`);
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
      name: 'scatterAdd',
      declarations: '',
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
      if (${ids.access.element(`${ids.window.offset}u + i`)} == row) {
        let start = ${rows.window.offset}u + i * ${width}u + column;
        for (var c = 0u; c < ${columns}u; c++) {
          if (column + c < ${width}u) { part[c] += ${rows.access.element('start + c')}; }
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
  op,
  (rows, ids, count) => {
    checkShape('scatterAdd', [count]);
    return applyOp(op, [rows, ids], { count });
  },
);
