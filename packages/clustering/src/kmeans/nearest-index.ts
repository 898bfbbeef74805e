// Which centroid is nearest to each row, without the N × K distances ever being in memory: at 200,000 rows and 1,024
// centroids they would be 800 MB, six times what a binding may hold.
import { type DefinedOp, defineOp, noGradient, ShapeError, type TensorType } from '@paris/tensor';

/**
 * features [N, D], centroids [K, D] and half their squared lengths [K] → u32 [N], the k with the smallest
 * ½|c_k|² − x·c_k, which is the smallest |x − c_k|²; the first of equal ones. A row's result depends on no other row. Rows
 * that are not finite are undefined, and far from 0 the products cancel: callers move both to 0 first.
 */
export const nearestIndex: DefinedOp<
  readonly ['features', 'centroids', 'halfSquares'],
  { readonly tile: 'auto' | Tile },
  TensorType
> = defineOp({
  name: 'nearestIndex',
  inputs: ['features', 'centroids', 'halfSquares'],
  attributes: { tile: 'auto' as 'auto' | Tile },
  infer({ features, centroids, halfSquares }) {
    const [rows = 0, dimensions] = features.shape;
    const [clusters = 0] = centroids.shape;
    const fits = features.shape.length === 2 && centroids.shape.length === 2 && centroids.shape[1] === dimensions;
    if (!fits || halfSquares.shape.join() !== `${clusters}` || clusters === 0) {
      const got = [features, centroids, halfSquares].map(({ shape }) => `[${shape.join(', ')}]`).join(', ');
      throw new ShapeError('nearestIndex', `wanted features [N, D], centroids [K, D] and [K], K ≥ 1, got ${got}.`);
    }
    return { shape: [rows], dtype: 'u32' };
  },
  kernel(context, { tile }) {
    const kind = tile === 'auto' ? (context.software ? 'registers' : 'workgroup') : tile;
    const [rows = 0, dimensions = 0] = context.inputs.features.shape;
    const [clusters = 0] = context.inputs.centroids.shape;
    const text: TileContext = {
      feature: (index) => context.read('features', index),
      centroid: (index) => context.read('centroids', index),
      half: (index) => context.read('halfSquares', index),
      store: context.store,
      rows: context.uniform(rows),
      dimensions: context.uniform(dimensions),
      clusters: context.uniform(clusters),
    };
    const across = Math.ceil(rows / 64); // both tiles take 64 rows a workgroup
    const workgroups = [Math.min(across, 32768), Math.ceil(across / 32768), 1] as const;
    return { ...tiles[kind](text), workgroups };
  },
  reference({ features, centroids, halfSquares }) {
    const dimensions = centroids.shape[1] ?? 0;
    return Array.from({ length: features.shape[0] ?? 0 }, (_, row) => {
      const scores = Array.from(halfSquares.data, (half, k) => {
        let product = 0;
        for (let d = 0; d < dimensions; d++) {
          product += features.data[row * dimensions + d]! * centroids.data[k * dimensions + d]!;
        }
        return half - product;
      });
      return scores.indexOf(Math.min(...scores));
    });
  },
  vjp: noGradient('an index has no gradient'),
});

type Tile = 'registers' | 'workgroup';

/** Expressions of elements at row-major indices, and of sizes. */
interface TileContext {
  feature(index: string): string;
  centroid(index: string): string;
  half(index: string): string;
  store(index: string, value: string): string;
  readonly rows: string;
  readonly dimensions: string;
  readonly clusters: string;
}

const tiles = { registers: registerTile, workgroup: workgroupTile };
const groupIndex = '(workgroup_id.y * 32768u + workgroup_id.x)';
const infinity = '3.4028234e38f';
const each = (count: number, text: (index: number) => string) =>
  Array.from({ length: count }, (_, i) => text(i)).join('\n');

/**
 * For adapters that run on the CPU: the lanes of a workgroup lie along rows and share their centroids, whose addresses
 * the driver sees to be the same for all; 8 rows × 8 centroids of sums in registers. Edges are clamped.
 */
function registerTile({ feature, centroid, half, store, rows, dimensions, clusters }: TileContext) {
  const body = `
let row_0 = ${groupIndex} * 64u + local_index;
// A length that the driver cannot see: it would unroll the loop, and compile that much longer.
let depth = ${dimensions} + (workgroup_id.x >> 16u);
${each(8, (i) => `let x${i} = min(row_0 + ${8 * i}u, ${rows} - 1u) * ${dimensions};`)}
var best: array<f32, 8>;
var label: array<u32, 8>;
${each(8, (i) => `best[${i}] = ${infinity};`)}
for (var k = 0u; k < ${clusters}; k += 8u) {
${each(8, (j) => `  let k${j} = min(k + ${j}u, ${clusters} - 1u);`)}
${each(8, (j) => `  let c${j} = k${j} * ${dimensions};`)}
${each(8, (i) => each(8, (j) => `  var s${i}_${j} = 0f;`))}
  for (var d = 0u; d < depth; d++) {
${each(8, (j) => `    let y${j} = ${centroid(`c${j} + d`)};`)}
${each(8, (i) => `    let v${i} = ${feature(`x${i} + d`)};`)}
${each(8, (i) => each(8, (j) => `    s${i}_${j} += v${i} * y${j};`))}
  }
${each(8, (j) => `  let h${j} = ${half(`k${j}`)};`)}
${each(8, (i) => each(8, (j) => `  if (h${j} - s${i}_${j} < best[${i}]) { best[${i}] = h${j} - s${i}_${j}; label[${i}] = k${j}; }`))}
}
for (var i = 0u; i < 8u; i++) {
  let row = row_0 + 8u * i;
  if (row < ${rows}) { ${store('row', 'label[i]')} }
}`;
  return { body, workgroupSize: [8, 1, 1] as const };
}

/**
 * For GPUs: 16 × 16 invocations copy 8-deep slices of 64 rows and 64 centroids into workgroup memory and keep 4 × 4 sums
 * each; in the end the 16 invocations of a row compare what they found.
 */
function workgroupTile({ feature, centroid, half, store, rows, dimensions, clusters }: TileContext) {
  const slice = (name: string, first: string, limit: string, read: (index: string) => string) => `
    for (var at = local_index; at < 512u; at += 256u) {
      let d = d_0 + at % 8u;
      let n = ${first} + at / 8u;
      var value = 0f;
      if (n < ${limit} && d < ${dimensions}) { value = ${read(`n * ${dimensions} + d`)}; }
      ${name}[(at % 8u) * 64u + at / 8u] = value;
    }`;
  const body = `
let row_0 = ${groupIndex} * 64u;
${each(4, (i) => `var best${i} = ${infinity}; var label${i} = 0u;`)}
for (var k_0 = 0u; k_0 < ${clusters}; k_0 += 64u) {
${each(4, (i) => each(4, (j) => `  var s${i}_${j} = 0f;`))}
  for (var d_0 = 0u; d_0 < ${dimensions}; d_0 += 8u) {
${slice('feature_slice', 'row_0', rows, feature)}
${slice('centroid_slice', 'k_0', clusters, centroid)}
    workgroupBarrier();
    for (var d = 0u; d < 8u; d++) {
${each(4, (i) => `      let v${i} = feature_slice[d * 64u + local_id.y + ${16 * i}u];`)}
${each(4, (j) => `      let y${j} = centroid_slice[d * 64u + local_id.x + ${16 * j}u];`)}
${each(4, (i) => each(4, (j) => `      s${i}_${j} = fma(v${i}, y${j}, s${i}_${j});`))}
    }
    workgroupBarrier();
  }
${each(
  4,
  (j) => `  { let k = k_0 + local_id.x + ${16 * j}u;
    if (k < ${clusters}) {
      let h = ${half('k')};
${each(4, (i) => `      if (h - s${i}_${j} < best${i}) { best${i} = h - s${i}_${j}; label${i} = k; }`)}
    } }`,
)}
}
${each(4, (i) => `found_best[(local_id.y + ${16 * i}u) * 16u + local_id.x] = best${i};`)}
${each(4, (i) => `found_label[(local_id.y + ${16 * i}u) * 16u + local_id.x] = label${i};`)}
workgroupBarrier();
if (local_index < 64u && row_0 + local_index < ${rows}) {
  var best = ${infinity};
  var label = 0xffffffffu;
  for (var i = 0u; i < 16u; i++) {
    let score = found_best[local_index * 16u + i];
    let k = found_label[local_index * 16u + i];
    if (score < best || (score == best && k < label)) { best = score; label = k; }
  }
  ${store('row_0 + local_index', 'label')}
}`;
  const declarations = `
var<workgroup> feature_slice: array<f32, 512>;
var<workgroup> centroid_slice: array<f32, 512>;
var<workgroup> found_best: array<f32, 1024>;
var<workgroup> found_label: array<u32, 1024>;`;
  return { body, declarations, workgroupSize: [16, 16, 1] as const };
}
