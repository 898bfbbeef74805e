import type { GeneratedKernel } from '../../graph/kernel.js';
import { tiles } from '../loops.js';
import { batchCount, declareBatch, type MatmulSpec } from './spec.js';

const ROWS = 4;
const COLUMNS = 16;

/** One element an invocation: the reference of the other twins, and as good as they are for a few elements. */
export function plainMatmul(spec: MatmulSpec): GeneratedKernel {
  const { m, n, k, a, b } = spec;
  return {
    body: `
${declareBatch(spec)}
let row = workgroup_id.y * ${ROWS}u + local_id.y;
let column = workgroup_id.x * ${COLUMNS}u + local_id.x;
if (row < ${m.wgsl} && column < ${n.wgsl}) {
  let a_row = a_base + row * ${a.rowStride.wgsl};
  let b_column = b_base + column * ${b.columnStride.wgsl};
  var sum = 0f;
  for (var k = 0u; k < ${k.wgsl}; k++) {
    sum += ${a.element(`a_row + k * ${a.columnStride.wgsl}`)} * ${b.element(`b_column + k * ${b.rowStride.wgsl}`)};
  }
  ${spec.store({ batch: 'batch', row: 'row', column: 'column' }, 'sum')}
}`,
    workgroupSize: [COLUMNS, ROWS, 1],
    workgroups: [tiles(n, COLUMNS), tiles(m, ROWS), batchCount(spec)],
  };
}
