import type { GeneratedKernel } from '../../graph/kernel.js';
import { tiles, unroll } from '../loops.js';
import { batchCount, declareBatch, type MatmulSpec } from './spec.js';
import { sideOf, type WorkgroupTile } from './workgroup-tile.js';

/**
 * The workgroup tile with vectors of four, for GPUs whose loads from workgroup memory are what a product waits for: the slices
 * hold vec4f, four rows of `a` or four columns of `b` at one k, so an invocation reads a quarter as often and multiplies vectors.
 * Invocations own every `down`-th group of four rows and every `across`-th of four columns. `rows` and `columns` are multiples of
 * four. The sums are taken in the order of k, as everywhere.
 */
export function vectorTileMatmul(spec: MatmulSpec, tile: WorkgroupTile): GeneratedKernel {
  const { m, n, k } = spec;
  const { blockRows, blockColumns, depth, rows, columns } = tile;
  const [across, down] = [blockColumns / columns, blockRows / rows];
  const [tall, wide] = [rows / 4, columns / 4];
  const invocations = across * down;
  const products = (i: number, q: number) =>
    `    c${i}_${q} = fma(vec4f(x${i >> 2}.${'xyzw'[i % 4]}), y${q}, c${i}_${q});`;
  return {
    name: `matmul_vector_tile_${blockRows}x${blockColumns}x${depth}_${rows}x${columns}`,
    declarations: `
var<workgroup> a_slice: array<vec4f, ${(depth * blockRows) / 4}>;
var<workgroup> b_slice: array<vec4f, ${(depth * blockColumns) / 4}>;`,
    body: `
${declareBatch(spec)}
let row_0 = workgroup_id.y * ${blockRows}u;
let column_0 = workgroup_id.x * ${blockColumns}u;
${unroll(rows, (i) => unroll(wide, (q) => `var c${i}_${q} = vec4f();`))}
for (var k_0 = 0u; k_0 < ${k.wgsl}; k_0 += ${depth}u) {
${copySlice(spec, 'a', blockRows, depth, invocations)}
${copySlice(spec, 'b', blockColumns, depth, invocations)}
  workgroupBarrier();
  for (var k = 0u; k < ${depth}u; k++) {
${unroll(tall, (r) => `    let x${r} = a_slice[k * ${blockRows / 4}u + local_id.y + ${r * down}u];`)}
${unroll(wide, (q) => `    let y${q} = b_slice[k * ${blockColumns / 4}u + local_id.x + ${q * across}u];`)}
${unroll(rows, (i) => unroll(wide, (q) => products(i, q)))}
  }
  workgroupBarrier();
}
var results: array<vec4f, ${rows * wide}>;
${unroll(rows, (i) => unroll(wide, (q) => `results[${i * wide + q}] = c${i}_${q};`))}
for (var i = 0u; i < ${rows}u; i++) {
  let row = row_0 + 4u * (local_id.y + (i / 4u) * ${down}u) + i % 4u;
  for (var j = 0u; j < ${columns}u; j++) {
    let column = column_0 + 4u * (local_id.x + (j / 4u) * ${across}u) + j % 4u;
    if (row < ${m.wgsl} && column < ${n.wgsl}) {
      ${spec.store({ batch: 'batch', row: 'row', column: 'column' }, `results[i * ${wide}u + j / 4u][j % 4u]`)}
    }
  }
}`,
    workgroupSize: [across, down, 1],
    workgroups: [tiles(n, blockColumns), tiles(m, blockRows), batchCount(spec)],
  };
}

/**
 * Copies one slice, a whole vector by one invocation: WGSL lets a store to one component touch its neighbours. Neighbouring
 * invocations go along whichever axis is contiguous in the operand's buffer, as in the workgroup tile.
 */
function copySlice(spec: MatmulSpec, side: 'a' | 'b', block: number, depth: number, invocations: number): string {
  const { operand, along, across, origin, limit } = sideOf(spec, side);
  const fours = block / 4;
  const [sliceK, slice4] =
    along.value === 1 ? [`at % ${depth}u`, `at / ${depth}u`] : [`at / ${fours}u`, `at % ${fours}u`];
  const element = (c: number) =>
    `    if (x + ${c}u < ${limit.wgsl} && k < ${spec.k.wgsl}) { value.${'xyzw'[c]} = ${operand.access.element(
      `${side}_base + (x + ${c}u) * ${across.wgsl} + k * ${along.wgsl}`,
    )}; }`;
  return `  for (var at = local_index; at < ${depth * fours}u; at += ${invocations}u) {
    let slice_k = ${sliceK};
    let slice_4 = ${slice4};
    let x = ${origin} + 4u * slice_4;
    let k = k_0 + slice_k;
    var value = vec4f();
${unroll(4, element)}
    ${side}_slice[slice_k * ${fours}u + slice_4] = value;
  }`;
}
