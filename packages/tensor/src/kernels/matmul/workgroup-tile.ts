import type { GeneratedKernel } from '../../graph/kernel.js';
import { tiles, unroll } from '../loops.js';
import { batchCount, declareBatch, type MatmulSpec } from './spec.js';

/** A block of the output for a workgroup, a tile of it for each invocation, and how deep a slice of k is shared. */
export interface WorkgroupTile {
  readonly blockRows: number;
  readonly blockColumns: number;
  readonly depth: number;
  readonly rows: number;
  readonly columns: number;
}

/** What the slices hold: `width` neighbouring rows of `a` or columns of `b` at one k. The functions give WGSL. */
interface Item {
  readonly width: number;
  readonly type: string;
  readonly zero: string;
  /** What an item of `b` is multiplied by for row `i` of the tile. */
  factor(i: number): string;
  /** The row or column `i` of the block that belongs to an invocation, of which there are `step` along that side. */
  place(id: string, i: string, step: number): string;
  /** Element `j` of an array of items, from the item at `start`. */
  element(items: string, start: string, j: string): string;
  /** Statements that load `value`, from row or column `x` on, where there are elements. */
  load(within: (x: string) => string, element: (x: string) => string): string;
}

const numbers: Item = {
  width: 1,
  type: 'f32',
  zero: '0f',
  factor: (i) => `x${i}`,
  place: (id, i, step) => `${id} + ${i} * ${step}u`,
  element: (items, start, j) => `${items}[${start} + ${j}]`,
  load: (within, element) => `    if (${within('x')}) {\n      value = ${element('x')};\n    }`,
};

const vectors: Item = {
  width: 4,
  type: 'vec4f',
  zero: 'vec4f()',
  factor: (i) => `vec4f(x${i >> 2}.${'xyzw'[i % 4]})`,
  place: (id, i, step) => `4u * (${id} + (${i} / 4u) * ${step}u) + ${i} % 4u`,
  element: (items, start, j) => `${items}[${start} + ${j} / 4u][${j} % 4u]`,
  load: (within, element) =>
    unroll(4, (c) => `    if (${within(`x + ${c}u`)}) { value.${'xyzw'[c]} = ${element(`(x + ${c}u)`)}; }`),
};

/**
 * The kernel for GPUs: a workgroup copies a [blockRows, depth] slice of `a` and a [depth, blockColumns] slice of `b`
 * into workgroup memory, then every invocation multiplies its own rows × columns from there. Invocations own strided
 * rows and columns, so that neighbours read neighbouring words of workgroup memory. Beyond the edges the slices hold
 * zeros, which change no sum. The sums are taken in the order of k, as everywhere.
 *
 * `inVectors` is for GPUs whose loads from workgroup memory are what a product waits for: the slices hold vectors of four,
 * so an invocation reads a quarter as often and multiplies vectors. It owns every `down`-th group of four rows and every
 * `across`-th of four columns; `rows` and `columns` are multiples of four.
 */
export function workgroupTileMatmul(spec: MatmulSpec, tile: WorkgroupTile, inVectors: boolean): GeneratedKernel {
  const { m, n, k } = spec;
  const { blockRows, blockColumns, depth, rows, columns } = tile;
  const item = inVectors ? vectors : numbers;
  const { width, type } = item;
  const [across, down] = [blockColumns / columns, blockRows / rows];
  const [tall, wide] = [rows / width, columns / width];
  const eachSum = (statement: (i: number, q: number) => string) =>
    unroll(rows, (i) => unroll(wide, (q) => statement(i, q)));
  return {
    declarations: `
var<workgroup> a_slice: array<${type}, ${(depth * blockRows) / width}>;
var<workgroup> b_slice: array<${type}, ${(depth * blockColumns) / width}>;`,
    body: `
${declareBatch(spec)}
let row_0 = workgroup_id.y * ${blockRows}u;
let column_0 = workgroup_id.x * ${blockColumns}u;
${eachSum((i, q) => `var c${i}_${q} = ${item.zero};`)}
for (var k_0 = 0u; k_0 < ${k.wgsl}; k_0 += ${depth}u) {
${copySlice(spec, 'a', tile, item)}
${copySlice(spec, 'b', tile, item)}
  workgroupBarrier();
  for (var k = 0u; k < ${depth}u; k++) {
${unroll(tall, (r) => `    let x${r} = a_slice[k * ${blockRows / width}u + local_id.y + ${r * down}u];`)}
${unroll(wide, (q) => `    let y${q} = b_slice[k * ${blockColumns / width}u + local_id.x + ${q * across}u];`)}
${eachSum((i, q) => `    c${i}_${q} = fma(${item.factor(i)}, y${q}, c${i}_${q});`)}
  }
  workgroupBarrier();
}
var results: array<${type}, ${rows * wide}>;
${eachSum((i, q) => `results[${i * wide + q}] = c${i}_${q};`)}
for (var i = 0u; i < ${rows}u; i++) {
  let row = row_0 + ${item.place('local_id.y', 'i', down)};
  for (var j = 0u; j < ${columns}u; j++) {
    let column = column_0 + ${item.place('local_id.x', 'j', across)};
    if (row < ${m.wgsl} && column < ${n.wgsl}) {
      ${spec.store({ batch: 'batch', row: 'row', column: 'column' }, item.element('results', `i * ${wide}u`, 'j'))}
    }
  }
}`,
    workgroupSize: [across, down, 1],
    workgroups: [tiles(n, blockColumns), tiles(m, blockRows), batchCount(spec)],
  };
}

/**
 * Copies one slice, with neighbouring invocations along whichever axis is contiguous in the operand's buffer. The text
 * may ask that of a uniform's value: the layout decides it, not the batch's size. One invocation copies a whole item: WGSL
 * lets a store to one component of a vector touch its neighbours.
 */
function copySlice(spec: MatmulSpec, side: 'a' | 'b', tile: WorkgroupTile, { width, zero, load }: Item): string {
  const { m, n, k } = spec;
  const { element, rowStride, columnStride } = spec[side];
  const { blockRows, blockColumns, depth, rows, columns } = tile;
  const invocations = (blockRows / rows) * (blockColumns / columns);
  const [along, across, origin, limit, block] =
    side === 'a'
      ? [columnStride, rowStride, 'row_0', m, blockRows]
      : [rowStride, columnStride, 'column_0', n, blockColumns];
  const items = block / width;
  const inSlice = along.value === 1 ? [`at % ${depth}u`, `at / ${depth}u`] : [`at / ${items}u`, `at % ${items}u`];
  const value = load(
    (x) => `${x} < ${limit.wgsl} && k < ${k.wgsl}`,
    (x) => element(`${side}_base + ${x} * ${across.wgsl} + k * ${along.wgsl}`),
  );
  return `  for (var at = local_index; at < ${depth * items}u; at += ${invocations}u) {
    let slice_k = ${inSlice[0]};
    let slice_x = ${inSlice[1]};
    let x = ${origin} + ${width === 1 ? '' : `${width}u * `}slice_x;
    let k = k_0 + slice_k;
    var value = ${zero};
${value}
    ${side}_slice[slice_k * ${items}u + slice_x] = value;
  }`;
}
