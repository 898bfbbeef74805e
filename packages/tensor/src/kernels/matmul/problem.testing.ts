// Products for the tests of the kernels: every kernel by name, and problems with their answers.
import { bufferElement, bufferName, testValues, type Uniforms } from '../kernel.testing.js';
import type { MatmulChoice } from './choose.js';
import type { MatmulSpec } from './spec.js';

/** One choice of each kernel, and more where its parameters make another text. */
export const twins: Record<string, MatmulChoice> = {
  plain: { kernel: 'plain' },
  'register tile 8x8': { kernel: 'registerTile', rows: 8, columns: 8 },
  'register tile 4x3': { kernel: 'registerTile', rows: 4, columns: 3 },
  'register tile 1x1': { kernel: 'registerTile', rows: 1, columns: 1 },
  'subgroup tile 32x4': { kernel: 'subgroupTile', rows: 32, columns: 4, lanes: 8 },
  'subgroup tile 3x1': { kernel: 'subgroupTile', rows: 3, columns: 1, lanes: 8 },
  'packed tile 4x2': { kernel: 'packedTile', rows: 4, columns: 2, lanes: 4, blockRows: 128, depth: 256 },
  'packed tile 2x1': { kernel: 'packedTile', rows: 2, columns: 1, lanes: 4, blockRows: 6, depth: 5 },
  'workgroup tile 64x64': {
    kernel: 'workgroupTile',
    ...{ blockRows: 64, blockColumns: 64, depth: 16, rows: 4, columns: 4 },
  },
  'workgroup tile 16x32': {
    kernel: 'workgroupTile',
    ...{ blockRows: 16, blockColumns: 32, depth: 8, rows: 2, columns: 4 },
  },
  'vector tile 64x64': {
    kernel: 'vectorTile',
    ...{ blockRows: 64, blockColumns: 64, depth: 16, rows: 8, columns: 4 },
  },
  'vector tile 16x32': {
    kernel: 'vectorTile',
    ...{ blockRows: 16, blockColumns: 32, depth: 8, rows: 4, columns: 8 },
  },
};

type Layout = 'a·b' | 'a·bᵀ' | 'aᵀ·b';

/** A problem with its float64 answer; a batch axis with stride 0 broadcasts. */
export function problem(
  [m, n, k]: readonly [number, number, number],
  layout: Layout = 'a·b',
  batch: readonly { size: number; a: boolean; b: boolean }[] = [],
) {
  const strides = (side: 'a' | 'b', matrix: number) => {
    let stride = matrix;
    return [...batch]
      .reverse()
      .map((axis) => {
        const own = axis[side] ? stride : 0;
        if (axis[side]) stride *= axis.size;
        return own;
      })
      .reverse();
  };
  const [aRow, aColumn] = layout === 'aᵀ·b' ? [1, m] : [k, 1];
  const [bRow, bColumn] = layout === 'a·bᵀ' ? [1, k] : [n, 1];
  const [aBatch, bBatch] = [strides('a', m * k), strides('b', k * n)];
  const count = batch.reduce((product, axis) => product * axis.size, 1);
  const [aOffset, bOffset] = [5, 3];
  const size = (matrix: number, side: 'a' | 'b') =>
    batch.reduce((product, axis) => product * (axis[side] ? axis.size : 1), matrix);
  const a = testValues(aOffset + size(m * k, 'a'), 1);
  const b = testValues(bOffset + size(k * n, 'b'), 2);
  const expected = new Float64Array(count * m * n);
  for (let z = 0, at = 0; z < count; z++) {
    let [rest, aBase, bBase] = [z, aOffset, bOffset];
    for (let axis = batch.length - 1; axis >= 0; axis--) {
      const coordinate = rest % batch[axis]!.size;
      rest = (rest - coordinate) / batch[axis]!.size;
      aBase += coordinate * aBatch[axis]!;
      bBase += coordinate * bBatch[axis]!;
    }
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++, at++) {
        for (let l = 0; l < k; l++) {
          expected[at]! += a[aBase + i * aRow + l * aColumn]! * b[bBase + l * bRow + j * bColumn]!;
        }
      }
    }
  }
  const specOf = (extents: Pick<Uniforms, 'add'>): MatmulSpec => {
    const operand = (name: 'a' | 'b', batchStrides: number[], offset: number, row: number, column: number) => ({
      element: bufferElement(name),
      batchStrides: batchStrides.map((stride) => extents.add(stride)),
      offset: extents.add(offset),
      rowStride: extents.add(row),
      columnStride: extents.add(column),
    });
    const [M, N, K] = [extents.add(m), extents.add(n), extents.add(k)];
    return {
      batch: batch.map((axis) => extents.add(axis.size)),
      ...{ m: M, n: N, k: K },
      a: operand('a', aBatch, aOffset, aRow, aColumn),
      b: operand('b', bBatch, bOffset, bRow, bColumn),
      store: (at, value) =>
        `${bufferName('out')}[(${at.batch} * ${M.wgsl} + ${at.row}) * ${N.wgsl} + ${at.column}] = ${value};`,
    };
  };
  return { a, b, expected, specOf };
}
