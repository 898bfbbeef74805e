import { type GeneratedKernel, HIDDEN_ZERO, tiles, unroll } from '../contract.js';
import { batchCount, declareBatch, type MatmulSpec } from './spec.js';

/** Elements of the output that one invocation keeps in registers. */
export interface RegisterTile {
  readonly rows: number;
  readonly columns: number;
}

/** Invocations a workgroup: one SIMD register of lavapipe (8 lanes), two of SwiftShader (4 lanes). */
export const LANES = 8;

/**
 * The kernel for adapters that run on the CPU. There the invocations of a workgroup are the lanes of SIMD registers, so
 * the lanes lie along columns and all share their rows: `a` is read once for all lanes (the driver sees that its
 * address does not depend on the invocation), `b` once a lane, and each read serves `columns` or `rows` products.
 * Edges are clamped, not branched on: an invocation beyond the edge computes the last row or column again and stores
 * nothing. One k a turn and one copy of the epilogue keep the text small, since compiling it takes the driver longer
 * than running it a thousand times.
 */
export function registerTileMatmul(spec: MatmulSpec, tile: RegisterTile): GeneratedKernel {
  const { m, n, k, a, b } = spec;
  const { rows, columns } = tile;
  const products = unroll(rows, (i) => unroll(columns, (j) => `  c${i}_${j} += x${i} * y${j};`));
  return {
    name: `matmul_register_tile_${rows}x${columns}`,
    declarations: '',
    body: `
${beginTile(spec, tile, LANES)}
${unroll(rows, (i) => `let a${i} = a_base + min(row_0 + ${i}u, last_row) * ${a.rowStride.wgsl};`)}
let depth = ${k.wgsl} + ${HIDDEN_ZERO};
for (var k = 0u; k < depth; k++) {
  let a_k = k * ${a.columnStride.wgsl};
  let b_k = k * ${b.rowStride.wgsl};
${unroll(rows, (i) => `  let x${i} = ${a.access.element(`a${i} + a_k`)};`)}
${unroll(columns, (j) => `  let y${j} = ${b.access.element(`b${j} + b_k`)};`)}
${products}
}
${storeTile(spec, tile, LANES)}`,
    workgroupSize: [LANES, 1, 1],
    workgroups: [tiles(n, LANES * columns), tiles(m, rows), batchCount(spec)],
  };
}

/** Where the tile lies, the columns of `b` as `b0`, …, and sums `c0_0`, … of zero. */
export function beginTile(spec: MatmulSpec, { rows, columns }: RegisterTile, lanes: number): string {
  const { m, n, b } = spec;
  return `
${declareBatch(spec)}
let row_0 = workgroup_id.y * ${rows}u;
let column_0 = workgroup_id.x * ${lanes * columns}u + local_index;
let last_row = ${m.wgsl} - 1u;
let last_column = ${n.wgsl} - 1u;
${unroll(columns, (j) => `let b${j} = b_base + min(column_0 + ${j * lanes}u, last_column) * ${b.columnStride.wgsl};`)}
${unroll(rows, (i) => unroll(columns, (j) => `var c${i}_${j} = 0f;`))}`;
}

/**
 * Stores the sums of {@link beginTile}: from an array and in loops that no driver unrolls, so that the text has the epilogue
 * once. (Unrolled 32 times it took lavapipe's compiler five seconds.)
 */
export function storeTile(spec: MatmulSpec, { rows, columns }: RegisterTile, lanes: number): string {
  return `
var results: array<f32, ${rows * columns}>;
${unroll(rows, (i) => unroll(columns, (j) => `results[${i * columns + j}] = c${i}_${j};`))}
let stored_rows = ${rows}u + ${HIDDEN_ZERO};
let stored_columns = ${columns}u + ${HIDDEN_ZERO};
for (var i = 0u; i < stored_rows; i++) {
  let row = row_0 + i;
  if (row > last_row) { break; }
  for (var j = 0u; j < stored_columns; j++) {
    let column = column_0 + j * ${lanes}u;
    if (column <= last_column) {
      ${spec.store({ batch: 'batch', row: 'row', column: 'column' }, `results[i * ${columns}u + j]`)}
    }
  }
}`;
}
