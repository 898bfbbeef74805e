import { type GeneratedKernel, tiles, unroll } from '../contract.js';
import { addShuffled, STEP } from '../shuffle.js';
import { beginTile, type RegisterTile, storeTile } from './register-tile.js';
import { batchCount, type MatmulSpec } from './spec.js';

/** As in a register tile, with the subgroup's size, which is also the workgroup's. */
export interface SubgroupTile extends RegisterTile {
  readonly lanes: number;
}

/**
 * The kernel for lavapipe with subgroups. Inside a loop that driver reads each lane's element by itself, with a bounds
 * check, even where all lanes want the same one: a read costs as much as ten products of eight lanes. So no lane reads
 * what another one has: along k each lane holds another element of `a`, and a shuffle, which is one instruction, hands
 * it to all of them. Everything else is as in the register tile.
 */
export function subgroupTileMatmul(spec: MatmulSpec, tile: SubgroupTile): GeneratedKernel {
  const { m, n, k, a, b } = spec;
  const { rows, columns, lanes } = tile;
  // Beyond the last one stands a zero on both sides: zero times infinity would be no number.
  const inDepth = (s: number, element: string) => (s === 0 ? element : `select(0f, ${element}, k + ${s}u < depth)`);
  return {
    name: `matmul_subgroup_tile_${rows}x${columns}`,
    enable: 'subgroups',
    declarations: '',
    body: `
${beginTile(spec, tile, lanes)}
for (var k_0 = 0u; k_0 < ${k.wgsl}; k_0 += ${lanes}u) {
  let last_k = ${k.wgsl} - 1u;
  let exists = k_0 + local_index <= last_k;
  let a_k = min(k_0 + local_index, last_k) * ${a.columnStride.wgsl};
${unroll(rows, (i) => `  let x${i} = select(0f, ${a.access.element(`a${i} + a_k`)}, exists);`)}
  let depth = min(${lanes}u, ${k.wgsl} - k_0);
  for (var k = 0u; k < depth; k += ${STEP}u) {
${unroll(STEP, (s) => `    let b_k${s} = min(k_0 + k + ${s}u, last_k) * ${b.rowStride.wgsl};`)}
${unroll(STEP, (s) => unroll(columns, (j) => `    let y${s}_${j} = ${inDepth(s, b.access.element(`b${j} + b_k${s}`))};`))}
${unroll(rows, (i) => addShuffled(`x${i}`, 'k', columns, (j) => `c${i}_${j}`))}
  }
}
${storeTile(spec, tile, lanes)}`,
    workgroupSize: [lanes, 1, 1],
    workgroups: [tiles(n, lanes * columns), tiles(m, rows), batchCount(spec)],
  };
}
