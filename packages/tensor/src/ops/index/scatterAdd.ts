import { DTypeError, ShapeError } from '../../errors.js';
import { floats, requireDType } from '../../graph/dtype.js';
import { type Shape, showShape, sizeOf } from '../../graph/shape.js';
import { isContiguous } from '../../graph/strided.js';
import type { Tensor } from '../../tensor.js';
import { applyOp, tiled, type WithOp, withOp } from '../define/define.js';
import { embedding } from './embedding.js';

const lanes = 64;

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
  var sums: array<f32, ${columns}>;
  for (var i = 0u; i < ${many.wgsl}; i++) {
    let id = min(${ids.access.element(`${ids.window.offset}u + i`)}, ${Math.max(0, count - 1)}u);
    if (id == row) {
      let start = ${rows.window.offset}u + i * ${width}u + column;
      for (var c = 0u; c < ${columns}u; c++) {
        if (column + c < ${width}u) { sums[c] += ${rows.access.element('start + c')}; }
      }
    }
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

/** Adds rows […, D] into zeros [count, D] at ids u32 […]: the gradient of {@link embedding}. Deterministic. */
export const scatterAdd: WithOp<(rows: Tensor, ids: Tensor, count: number) => Tensor> = withOp(op, (rows, ids, count) =>
  applyOp(op, [rows, ids], { count }),
);
