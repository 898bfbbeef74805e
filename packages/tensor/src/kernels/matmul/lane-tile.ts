import type { GeneratedKernel } from '../../graph/kernel.js';
import { HIDDEN_ZERO, tiles, unroll } from '../loops.js';
import { batchCount, declareBatch, type MatmulSpec } from './spec.js';

/** Elements of the output that one invocation keeps in registers. */
export interface RegisterTile {
  readonly rows: number;
  readonly columns: number;
}

/** A register tile with the number of invocations per workgroup; where they share, that is the subgroup's size. */
export interface LaneTile extends RegisterTile {
  readonly lanes: number;
}

/** Invocations per workgroup: one SIMD register of lavapipe (8 lanes), two of SwiftShader (4 lanes). */
export const LANES = 8;

/**
 * The kernel for adapters that run on the CPU. There the invocations of a workgroup are the lanes of SIMD registers, so
 * the lanes lie along columns and all share their rows: `a` is read once for all lanes (the driver sees that its
 * address does not depend on the invocation), `b` once per lane, and each read serves `columns` or `rows` products.
 * Edges are clamped, not branched on: an invocation beyond the edge computes the last row or column again and stores
 * nothing. One k a turn and one copy of the epilogue keep the text small, since compiling it takes the driver longer
 * than running it a thousand times.
 *
 * `shared` is for lavapipe with subgroups. Inside a loop that driver reads each lane's element by itself, with a bounds
 * check, even where all lanes want the same one: a read costs as much as ten products of eight lanes. So no lane reads
 * what another one has: each lane reads `a` in a row of its own, and a broadcast, which is one instruction, hands it to
 * all of them.
 */
export function laneTileMatmul(spec: MatmulSpec, tile: LaneTile, shared: boolean): GeneratedKernel {
  const { m, n, k, a, b } = spec;
  const { rows, columns, lanes } = tile;
  const reads = shared ? Math.ceil(rows / lanes) : rows;
  const rowOf = (read: number) => (shared ? `${read * lanes}u + local_index` : `${read}u`);
  const products = (i: number) => {
    const x = shared ? `z${i}` : `x${i}`;
    const broadcast = `  let ${x} = subgroupBroadcast(x${Math.floor(i / lanes)}, ${i % lanes}u);\n`;
    return `${shared ? broadcast : ''}${unroll(columns, (j) => `  c${i}_${j} += ${x} * y${j};`)}`;
  };
  return {
    enable: shared ? 'subgroups' : undefined,
    body: `
${declareBatch(spec)}
let row_0 = workgroup_id.y * ${rows}u;
let column_0 = workgroup_id.x * ${lanes * columns}u + local_index;
let last_row = ${m.wgsl} - 1u;
let last_column = ${n.wgsl} - 1u;
${unroll(columns, (j) => `let b${j} = b_base + min(column_0 + ${j * lanes}u, last_column) * ${b.columnStride.wgsl};`)}
${unroll(rows, (i) => unroll(columns, (j) => `var c${i}_${j} = 0f;`))}
${unroll(reads, (r) => `let a${r} = a_base + min(row_0 + ${rowOf(r)}, last_row) * ${a.rowStride.wgsl};`)}
let depth = ${k.wgsl} + ${HIDDEN_ZERO};
for (var k = 0u; k < depth; k++) {
  let a_k = k * ${a.columnStride.wgsl};
  let b_k = k * ${b.rowStride.wgsl};
${unroll(reads, (r) => `  let x${r} = ${a.element(`a${r} + a_k`)};`)}
${unroll(columns, (j) => `  let y${j} = ${b.element(`b${j} + b_k`)};`)}
${unroll(rows, products)}
}
${storeSums(spec, tile)}`,
    workgroupSize: [lanes, 1, 1],
    workgroups: [tiles(n, lanes * columns), tiles(m, rows), batchCount(spec)],
  };
}

/**
 * Stores the sums from an array and in loops that no driver unrolls, so that the text has the epilogue once. (Unrolled
 * 32 times it took lavapipe's compiler five seconds.)
 */
function storeSums(spec: MatmulSpec, { rows, columns, lanes }: LaneTile): string {
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
