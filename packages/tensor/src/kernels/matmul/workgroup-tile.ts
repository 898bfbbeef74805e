import type { Extent, GeneratedKernel } from '../../graph/kernel.js';
import { tiles, unroll } from '../loops.js';
import { batchCount, declareBatch, type MatmulOperand, type MatmulSpec } from './spec.js';

/** A block of the output for a workgroup, a tile of it for each invocation, and how deep a slice of k is shared. */
export interface WorkgroupTile {
  readonly blockRows: number;
  readonly blockColumns: number;
  readonly depth: number;
  readonly rows: number;
  readonly columns: number;
}

/**
 * The kernel for GPUs: a workgroup copies a [blockRows, depth] slice of `a` and a [depth, blockColumns] slice of `b`
 * into workgroup memory, then every invocation multiplies its own rows × columns from there. Invocations own strided
 * rows and columns, so that neighbours read neighbouring words of workgroup memory. Beyond the edges the slices hold
 * zeros, which change no sum.
 */
export function workgroupTileMatmul(spec: MatmulSpec, tile: WorkgroupTile): GeneratedKernel {
  const { m, n, k } = spec;
  const { blockRows, blockColumns, depth, rows, columns } = tile;
  const across = blockColumns / columns;
  const down = blockRows / rows;
  const invocations = across * down;
  return {
    name: `matmul_workgroup_tile_${blockRows}x${blockColumns}x${depth}_${rows}x${columns}`,
    declarations: `
var<workgroup> a_slice: array<f32, ${depth * blockRows}>;
var<workgroup> b_slice: array<f32, ${depth * blockColumns}>;`,
    body: `
${declareBatch(spec)}
let row_0 = workgroup_id.y * ${blockRows}u;
let column_0 = workgroup_id.x * ${blockColumns}u;
${unroll(rows, (i) => unroll(columns, (j) => `var c${i}_${j} = 0f;`))}
for (var k_0 = 0u; k_0 < ${k.wgsl}; k_0 += ${depth}u) {
${copySlice(spec, 'a', blockRows, depth, invocations)}
${copySlice(spec, 'b', blockColumns, depth, invocations)}
  workgroupBarrier();
  for (var k = 0u; k < ${depth}u; k++) {
${unroll(rows, (i) => `    let x${i} = a_slice[k * ${blockRows}u + local_id.y + ${i * down}u];`)}
${unroll(columns, (j) => `    let y${j} = b_slice[k * ${blockColumns}u + local_id.x + ${j * across}u];`)}
${unroll(rows, (i) => unroll(columns, (j) => `    c${i}_${j} = fma(x${i}, y${j}, c${i}_${j});`))}
  }
  workgroupBarrier();
}
var results: array<f32, ${rows * columns}>;
${unroll(rows, (i) => unroll(columns, (j) => `results[${i * columns + j}] = c${i}_${j};`))}
for (var i = 0u; i < ${rows}u; i++) {
  let row = row_0 + local_id.y + i * ${down}u;
  for (var j = 0u; j < ${columns}u; j++) {
    let column = column_0 + local_id.x + j * ${across}u;
    if (row < ${m.wgsl} && column < ${n.wgsl}) {
      ${spec.store({ batch: 'batch', row: 'row', column: 'column' }, `results[i * ${columns}u + j]`)}
    }
  }
}`,
    workgroupSize: [across, down, 1],
    workgroups: [tiles(n, blockColumns), tiles(m, blockRows), batchCount(spec)],
  };
}

/**
 * Copies one slice, with neighbouring invocations along whichever axis is contiguous in the operand's buffer. The text
 * may ask that of a uniform's value: the layout decides it, not the batch's size.
 */
function copySlice(spec: MatmulSpec, side: 'a' | 'b', block: number, depth: number, invocations: number): string {
  const { operand, along, across, origin, limit } = sideOf(spec, side);
  const alongK = along.value === 1;
  const inSlice = alongK ? [`at % ${depth}u`, `at / ${depth}u`] : [`at / ${block}u`, `at % ${block}u`];
  return `  for (var at = local_index; at < ${depth * block}u; at += ${invocations}u) {
    let slice_k = ${inSlice[0]};
    let slice_x = ${inSlice[1]};
    let x = ${origin} + slice_x;
    let k = k_0 + slice_k;
    var value = 0f;
    if (x < ${limit.wgsl} && k < ${spec.k.wgsl}) {
      value = ${operand.access.element(`${side}_base + x * ${across.wgsl} + k * ${along.wgsl}`)};
    }
    ${side}_slice[slice_k * ${block}u + slice_x] = value;
  }`;
}

/** An operand as both see it: its strides along k and across it, where its slice begins, and how far it goes. */
export function sideOf(
  spec: MatmulSpec,
  side: 'a' | 'b',
): { operand: MatmulOperand; along: Extent; across: Extent; origin: string; limit: Extent } {
  const operand = spec[side];
  const { rowStride, columnStride } = operand;
  return side === 'a'
    ? { operand, along: columnStride, across: rowStride, origin: 'row_0', limit: spec.m }
    : { operand, along: rowStride, across: columnStride, origin: 'column_0', limit: spec.n };
}
