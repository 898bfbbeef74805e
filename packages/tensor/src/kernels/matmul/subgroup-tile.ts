import { type GeneratedKernel, HIDDEN_ZERO, tiles, unroll } from '../contract.js';
import { beginTile, type RegisterTile, storeTile } from './register-tile.js';
import { batchCount, type MatmulSpec } from './spec.js';

/** As in a register tile, with the subgroup's size, which is also the workgroup's. */
export interface SubgroupTile extends RegisterTile {
  readonly lanes: number;
}

/**
 * The kernel for lavapipe with subgroups. Inside a loop that driver reads each lane's element by itself, with a bounds
 * check, even where all lanes want the same one: a read costs as much as ten products of eight lanes. So no lane reads
 * what another one has: each lane reads `a` in a row of its own, and a broadcast, which is one instruction, hands it to
 * all of them. Everything else is as in the register tile.
 */
export function subgroupTileMatmul(spec: MatmulSpec, tile: SubgroupTile): GeneratedKernel {
  const { m, n, k, a, b } = spec;
  const { rows, columns, lanes } = tile;
  const groups = Math.ceil(rows / lanes);
  return {
    name: `matmul_subgroup_tile_${rows}x${columns}`,
    enable: 'subgroups',
    declarations: '',
    body: `
${beginTile(spec, tile, lanes)}
${unroll(groups, (g) => `let own${g} = a_base + min(row_0 + ${g * lanes}u + local_index, last_row) * ${a.rowStride.wgsl};`)}
let depth = ${k.wgsl} + ${HIDDEN_ZERO};
for (var k = 0u; k < depth; k++) {
  let a_k = k * ${a.columnStride.wgsl};
  let b_k = k * ${b.rowStride.wgsl};
${unroll(groups, (g) => `  let x${g} = ${a.access.element(`own${g} + a_k`)};`)}
${unroll(columns, (j) => `  let y${j} = ${b.access.element(`b${j} + b_k`)};`)}
${unroll(
  rows,
  (i) => `  {
    let z = subgroupBroadcast(x${Math.floor(i / lanes)}, ${i % lanes}u);
${unroll(columns, (j) => `    c${i}_${j} += z * y${j};`)}
  }`,
)}
}
${storeTile(spec, tile, lanes)}`,
    workgroupSize: [lanes, 1, 1],
    workgroups: [tiles(n, lanes * columns), tiles(m, rows), batchCount(spec)],
  };
}
