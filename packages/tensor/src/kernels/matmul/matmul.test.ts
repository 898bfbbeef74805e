import { requireCapability } from '@paris/test-tools';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { brief } from '../../testing/brief.testing.js';
import { largestError, literals, openTestDevice, runKernel, Uniforms } from '../kernel.testing.js';
import { chooseMatmul, generateMatmul } from './choose.js';
import { problem, twins } from './problem.testing.js';

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

  const sizes = brief ? [3, 65] : [1, 3, 17, 65];
  it.each(sizes.flatMap((m) => sizes.map((n) => [m, n] as const)))(
    `[%d, k] · [k, %d], k of ${sizes.join(', ')}`,
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
