// Every kernel that some adapter may be given, under the sanitizer of @paris/cpu: no race, no index out of bounds, nothing
// read before it is written, no dependence on the order of invocations. GPUs are where that matters; none is at hand.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { KernelAdapter } from '../graph/kernel.js';
import { type Sanitized, sanitizedGpu } from '../testing/sanitized.testing.js';
import { chooseAttention } from './attention/choose.js';
import { type Choose, hostProblem, runAttention } from './attention/problem.testing.js';
import { largestError, literals, runKernel, Uniforms } from './kernel.testing.js';
import { chooseMatmul, generateMatmul, type MatmulChoice } from './matmul/choose.js';
import { problem, twins } from './matmul/problem.testing.js';

const gpu: KernelAdapter = { software: false };
let sanitized: Sanitized | undefined;

async function open(subgroupSize: number): Promise<Sanitized> {
  sanitized = await sanitizedGpu('gpu', subgroupSize);
  return sanitized;
}

beforeEach(() => {
  sanitized = undefined;
});
afterEach(() => {
  sanitized?.gpu.destroy();
  expect(sanitized!.findings.map(({ message }) => message)).toEqual([]);
});

/** Subgroup tiles for all sizes of subgroups that GPUs have. */
const tiles = [4, 8, 16, 32, 64].map((lanes) => [
  `subgroup tile of ${lanes} lanes`,
  { kernel: 'subgroupTile', rows: 3, columns: 2, lanes } as const,
]);
const presets = [4096, 1024, 256, 2].map((m) => [
  `what a GPU takes for ${m} rows`,
  chooseMatmul({ m, n: m, k: 64, batch: 1 }, gpu),
]);
const products = Object.fromEntries([...Object.entries(twins), ...tiles, ...presets]) as Record<string, MatmulChoice>;

describe.each(Object.entries(products))('matmul, %s', (_, choice) => {
  it.each([
    ['odd sizes', new Uniforms(), () => problem([35, 67, 19])],
    ['an empty k', new Uniforms(), () => problem([5, 6, 0])],
    [
      'a transposed, in batches that share one side',
      Object.assign(new Uniforms(), literals),
      () =>
        problem([5, 9, 7], 'aᵀ·b', [
          { size: 2, a: true, b: false },
          { size: 2, a: true, b: true },
        ]),
    ],
  ])('%s', async (_name, extents, make) => {
    const { gpu } = await open('lanes' in choice ? choice.lanes : 32);
    const { a, b, expected, specOf } = make();
    extents.values.length = 0;
    const kernel = generateMatmul(specOf(extents), choice);
    const run = { inputs: { a, b }, outputs: { out: expected.length } };
    const { out } = await runKernel(gpu, kernel, run, extents.values);
    expect(largestError(out!, expected)).toBeLessThan(2e-6);
  });
});

const chosen =
  (adapter: KernelAdapter): Choose =>
  (kernel, headDim) =>
    chooseAttention(kernel, headDim, adapter);
const layouts: Record<string, { choose: Choose; lanes: number; dims: readonly number[] }> = {
  'a GPU': { choose: chosen(gpu), lanes: 32, dims: [5, 72] },
  'a GPU, in chunks': {
    choose: () => ({ kernel: 'laneRow', lanes: 16, others: 1, residentDims: 4, outputDims: 3, stagedRows: 4 }),
    lanes: 32,
    dims: [5],
  },
  SwiftShader: { choose: chosen({ software: true, architecture: 'swiftshader' }), lanes: 4, dims: [5] },
  'lavapipe without subgroups': { choose: chosen({ software: true }), lanes: 8, dims: [5] },
  lavapipe: { choose: chosen({ software: true, subgroupSize: 8 }), lanes: 8, dims: [5] },
  ...Object.fromEntries(
    [4, 16, 32, 64].map((lanes) => [
      `subgroups of ${lanes}`,
      { choose: () => ({ kernel: 'subgroupTile', lanes, rows: 5, others: 2 }) as const, lanes, dims: [5] },
    ]),
  ),
};

describe.each(Object.entries(layouts))('attention, the choice for %s', (_, { choose, lanes, dims }) => {
  it.each(dims)('heads of %d', async (headDim) => {
    const { gpu } = await open(lanes);
    const problems = [
      hostProblem({ batch: 2, heads: 2, queries: 9, keys: 19, headDim }, 'all of one'),
      hostProblem({ batch: 1, heads: 1, queries: 67, keys: 1, headDim }, 'none'),
    ];
    for (const host of problems) {
      for (const { name, error } of await runAttention(gpu, host, choose)) expect(error, name).toBeLessThan(3e-5);
    }
  });
});
