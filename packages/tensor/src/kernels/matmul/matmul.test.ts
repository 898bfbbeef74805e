import { requireCapability } from '@paris/test-tools';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  bufferAccess,
  bufferName,
  largestError,
  literals,
  openTestDevice,
  runKernel,
  testValues,
  Uniforms,
} from '../kernel.testing.js';
import { chooseMatmul, generateMatmul, type MatmulChoice } from './choose.js';
import type { MatmulSpec } from './spec.js';

const twins: Record<string, MatmulChoice> = {
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
};

type Layout = 'a·b' | 'a·bᵀ' | 'aᵀ·b';

/** A problem with its float64 answer; a batch axis with stride 0 broadcasts. */
function problem(
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
      access: bufferAccess(name),
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

describe.each(Object.entries(twins))('matmul, %s', (_, preset) => {
  let device: GPUDevice;
  let choice = preset;
  beforeAll(async () => {
    device = await openTestDevice();
    // A subgroup's twin runs on every adapter that has subgroups, whatever their size there.
    const { subgroupMinSize: lanes, subgroupMaxSize } = device.adapterInfo;
    if (choice.kernel === 'subgroupTile' && lanes && lanes === subgroupMaxSize) choice = { ...choice, lanes };
  });
  beforeEach((context) => {
    const needed = preset.kernel === 'subgroupTile';
    requireCapability(context, 'subgroups', !needed || device.features.has('subgroups'), 'the adapter has none');
  });

  async function check({ a, b, expected, specOf }: ReturnType<typeof problem>, extents = new Uniforms()) {
    const kernel = generateMatmul(specOf(extents), choice);
    const { out } = await runKernel(
      device,
      kernel,
      { inputs: { a, b }, outputs: { out: expected.length } },
      extents.values,
    );
    expect(largestError(out!, expected)).toBeLessThan(2e-6);
  }

  const sizes = [1, 3, 17, 65];
  it.each(sizes.flatMap((m) => sizes.map((n) => [m, n] as const)))(
    '[%d, k] · [k, %d], k of 1, 3, 17, 65',
    async (m, n) => {
      for (const k of sizes) await check(problem([m, n, k]));
    },
  );

  it('multiplies transposed operands', async () => {
    await check(problem([33, 70, 40], 'a·bᵀ'));
    await check(problem([33, 70, 40], 'aᵀ·b'));
  });

  it('broadcasts batch axes', async () => {
    const axes = [
      { size: 2, a: true, b: false },
      { size: 3, a: false, b: true },
      { size: 2, a: true, b: true },
    ];
    await check(problem([9, 20, 5], 'a·bᵀ', axes));
  });

  it('takes literals as well as uniforms', async () => {
    const { specOf, ...rest } = problem([19, 21, 23], 'aᵀ·b', [{ size: 2, a: true, b: true }]);
    const extents = Object.assign(new Uniforms(), literals);
    await check({ specOf, ...rest }, extents);
  });

  it('gives zeros for an empty k', async () => {
    await check(problem([5, 6, 0]));
  });

  it('reads nothing beyond k: an infinite last element stays infinite', async () => {
    for (const k of [1, 3, 9]) {
      const extents = new Uniforms();
      const { a, b, expected, specOf } = problem([2, 10, k]);
      a.fill(1);
      b.fill(Infinity, b.length - 10);
      const kernel = generateMatmul(specOf(extents), choice);
      const outputs = { out: expected.length };
      const { out } = await runKernel(device, kernel, { inputs: { a, b }, outputs }, extents.values);
      expect(new Set(out)).toEqual(new Set([Infinity]));
    }
  });

  it('has one text for all values of its uniforms', () => {
    const texts = [problem([512, 64, 64]), problem([96, 64, 64])].map(({ specOf }) =>
      generateMatmul(specOf(new Uniforms()), choice),
    );
    expect(texts[0]!.body).toBe(texts[1]!.body);
    expect(texts[0]!.workgroups).not.toEqual(texts[1]!.workgroups);
  });
});

describe('the workgroup tile', () => {
  const text = (...of: Parameters<typeof problem>) =>
    generateMatmul(problem(...of).specOf(new Uniforms()), twins['workgroup tile 64x64']!).body;

  it('reads each operand along its contiguous axis, also where strides are uniforms', () => {
    const alongK = (body: string) =>
      [...body.matchAll(/let slice_k = at (.)/g)].map(([, operator]) => operator === '%');
    expect(alongK(text([70, 80, 90], 'a·b'))).toEqual([true, false]);
    expect(alongK(text([70, 80, 90], 'a·bᵀ'))).toEqual([true, true]);
    expect(alongK(text([70, 80, 90], 'aᵀ·b'))).toEqual([false, false]);
  });

  it('has one text for batches of one and of many: as rows, as matrices, and as k of a gradient', () => {
    const batch = (size: number) => [{ size, a: true, b: true }];
    expect(text([1, 80, 90], 'a·b')).toBe(text([70, 80, 90], 'a·b'));
    expect(text([1, 80, 90], 'a·bᵀ')).toBe(text([70, 80, 90], 'a·bᵀ'));
    expect(text([70, 80, 90], 'a·b', batch(1))).toBe(text([70, 80, 90], 'a·b', batch(3)));
    expect(text([70, 80, 1], 'aᵀ·b')).toBe(text([70, 80, 90], 'aᵀ·b'));
  });
});

describe('chooseMatmul', () => {
  it('does not look at the rows on software adapters, so that batches share their text', () => {
    const choices = [1, 2, 8, 512].map((m) => chooseMatmul({ m, n: 192, k: 64, batch: 1 }, { software: true }));
    expect(new Set(choices.map((choice) => JSON.stringify(choice))).size).toBe(1);
  });

  it('hands a subgroup of eight its own tile', () => {
    const choices = [1, 9, 1000].map((n) =>
      chooseMatmul({ m: 32, n, k: 64, batch: 1 }, { software: true, subgroupSize: 8 }),
    );
    expect(choices).toEqual([1, 2, 4].map((columns) => ({ kernel: 'subgroupTile', rows: 32, columns, lanes: 8 })));
  });

  it('packs panels on @paris/cpu, whatever the shape', () => {
    const choices = [1, 64, 1024].map((m) =>
      chooseMatmul({ m, n: m, k: 64, batch: 1 }, { software: true, architecture: 'wasm' }),
    );
    expect(new Set(choices.map((choice) => JSON.stringify(choice))).size).toBe(1);
    expect(choices[0]).toMatchObject({ kernel: 'packedTile', rows: 4, columns: 2, lanes: 4 });
  });

  it('takes no tile that is wider than the output', () => {
    const widths = [1, 8, 9, 48, 64, 1000].map((n) => chooseMatmul({ m: 32, n, k: 64, batch: 1 }, { software: true }));
    expect(widths.map((choice) => 'columns' in choice && choice.columns)).toEqual([1, 1, 2, 6, 8, 8]);
  });

  it('takes the largest tile that fills a GPU', () => {
    const sides = [4096, 1024, 256, 16, 2].map((m) => chooseMatmul({ m, n: m, k: 64, batch: 1 }, { software: false }));
    expect(sides.map((choice) => (choice.kernel === 'workgroupTile' ? choice.blockRows : 1))).toEqual([
      128, 64, 32, 32, 1,
    ]);
  });
});
