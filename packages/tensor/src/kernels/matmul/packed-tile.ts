import type { GeneratedKernel } from '../../graph/kernel.js';
import { tiles, unroll } from '../loops.js';
import type { LaneTile } from './lane-tile.js';
import { batchCount, declareBatch, type MatmulSpec } from './spec.js';

/** A lane tile that a workgroup moves down `blockRows` rows, over a panel of `b` that is `depth` values of k high. */
export interface PackedTile extends LaneTile {
  readonly blockRows: number;
  readonly depth: number;
}

/**
 * The kernel for `@paris/cpu`, where a workgroup is a SIMD register (or a few) of one thread and workgroup memory is
 * ordinary memory. A panel of `b`, [depth, lanes · columns], is copied so that reading it walks through the first cache
 * in order, whatever the layout of `b`: rows a power of two apart would all fall on the same lines of the cache, and a
 * transposed `b` would be read lane by lane. All rows of the block use the panel, a register tile of them at a time:
 * with 4 rows × 2 columns the sums, two vectors of `b`, and one value of `a` fit into sixteen registers. Partial sums
 * wait in memory between panels, so each sum is taken in the order of k.
 */
export function packedTileMatmul(spec: MatmulSpec, tile: PackedTile): GeneratedKernel {
  const { m, n, k, a } = spec;
  const { rows, columns, lanes, blockRows, depth } = tile;
  const width = lanes * columns;
  const eachSum = (statement: (i: number, j: number) => string) =>
    unroll(rows, (i) => unroll(columns, (j) => statement(i, j)));
  const sum = (i: number, j: number) => `sums[(tile_row + ${i}u) * ${columns}u + ${j}u]`;
  return {
    declarations: `var<workgroup> panel: array<f32, ${depth * width}>;`,
    body: `
${declareBatch(spec)}
let row_0 = workgroup_id.y * ${blockRows}u;
let column_0 = workgroup_id.x * ${width}u;
let last_row = ${m.wgsl} - 1u;
let last_column = ${n.wgsl} - 1u;
let block_rows = min(${blockRows}u, ${m.wgsl} - row_0);
var sums: array<f32, ${blockRows * columns}>;
for (var k_0 = 0u; k_0 < ${k.wgsl}; k_0 += ${depth}u) {
  let panel_depth = min(${depth}u, ${k.wgsl} - k_0);
${copyPanel(spec, tile)}
  workgroupBarrier();
  for (var tile_row = 0u; tile_row < block_rows; tile_row += ${rows}u) {
${eachSum((i, j) => `    var c${i}_${j} = ${sum(i, j)};`)}
${unroll(rows, (i) => `    let a${i} = a_base + min(row_0 + tile_row + ${i}u, last_row) * ${a.rowStride.wgsl} + k_0 * ${a.columnStride.wgsl};`)}
    for (var k = 0u; k < panel_depth; k++) {
      let a_k = k * ${a.columnStride.wgsl};
${unroll(rows, (i) => `      let x${i} = ${a.element(`a${i} + a_k`)};`)}
${unroll(columns, (j) => `      let y${j} = panel[k * ${width}u + ${j * lanes}u + local_index];`)}
${eachSum((i, j) => `      c${i}_${j} += x${i} * y${j};`)}
    }
${eachSum((i, j) => `    ${sum(i, j)} = c${i}_${j};`)}
  }
  workgroupBarrier();
}
// Down a column, so that what the epilogue reads is tested for bounds once per column.
for (var j = 0u; j < ${columns}u; j++) {
  let column = column_0 + j * ${lanes}u + local_index;
  if (column <= last_column) {
    for (var i = 0u; i < block_rows; i++) {
      let row = row_0 + i;
      ${spec.store({ batch: 'batch', row: 'row', column: 'column' }, `sums[i * ${columns}u + j]`)}
    }
  }
}`,
    workgroupSize: [lanes, 1, 1],
    workgroups: [tiles(n, width), tiles(m, blockRows), batchCount(spec)],
  };
}

/** Each lane copies its own columns; beyond the edge it copies the last one again, whose products nobody stores. */
function copyPanel({ b }: MatmulSpec, { columns, lanes }: PackedTile): string {
  const width = lanes * columns;
  return `
${unroll(columns, (j) => `  let b${j} = b_base + min(column_0 + ${j * lanes}u + local_index, last_column) * ${b.columnStride.wgsl} + k_0 * ${b.rowStride.wgsl};`)}
  for (var k = 0u; k < panel_depth; k++) {
    let b_k = k * ${b.rowStride.wgsl};
${unroll(columns, (j) => `    panel[k * ${width}u + ${j * lanes}u + local_index] = ${b.element(`b${j} + b_k`)};`)}
  }`;
}
