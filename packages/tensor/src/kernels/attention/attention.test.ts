import { beforeAll, describe, expect, it } from 'vitest';
import { bufferAccess, bufferName, largestError, openTestDevice, runKernel, testValues, Uniforms } from '../testing.js';
import { attentionBackwardKey, attentionBackwardQuery } from './backward.js';
import { chooseAttention } from './choose.js';
import { attentionForward } from './forward.js';
import { type HostAttention, referenceAttention } from './reference.testing.js';
import type { AttentionElement, AttentionOperand, AttentionProblem, AttentionRow, AttentionTile } from './spec.js';

type Sizes = Pick<HostAttention, 'batch' | 'heads' | 'queries' | 'keys' | 'headDim'>;

function hostProblem(sizes: Sizes, masked: 'none' | 'some' | 'all of one'): HostAttention {
  const { batch, heads, queries, keys, headDim } = sizes;
  const rows = (count: number, seed: number) => testValues(batch * count * heads * headDim, seed).map((x) => 2 * x);
  const mask = Float32Array.from({ length: batch * keys }, (_, i) => {
    if (masked === 'all of one' && i < keys) return 0;
    return i % 3 === 1 ? 0 : 1;
  });
  return {
    ...sizes,
    scale: 1 / Math.sqrt(headDim),
    ...{ q: rows(queries, 1), k: rows(keys, 2), v: rows(keys, 3), cotangent: rows(queries, 4) },
    mask: masked === 'none' ? undefined : mask,
  };
}

/** Runs all three kernels, each fed with the reference's values, so that a fault stays in its own kernel. */
async function runAttention(device: GPUDevice, host: HostAttention, tileOf: (name: Kernel) => AttentionTile) {
  const expected = referenceAttention(host);
  const { heads, headDim, q, k, v, cotangent } = host;
  const extents = new Uniforms();
  const [batch, H, N, M] = [host.batch, heads, host.queries, host.keys].map((n) => extents.add(n));
  const operand = (name: string, rows: number): AttentionOperand => ({
    access: bufferAccess(name),
    batchStride: extents.add(rows * heads * headDim),
    rowStride: extents.add(heads * headDim),
    headStride: extents.add(headDim),
    columnStride: extents.add(1),
    offset: extents.add(0),
  });
  const problem: AttentionProblem = {
    ...{ batch: batch!, heads: H!, queries: N!, keys: M!, headDim, scale: `${host.scale}f` },
    ...{ q: operand('q', host.queries), k: operand('k', host.keys), v: operand('v', host.keys) },
    ...(host.mask
      ? {
          mask: (at: { batch: string; key: string }) =>
            `${bufferName('mask')}[${at.batch} * ${M!.wgsl} + ${at.key}] != 0f`,
        }
      : {}),
  };
  const rowIndex = (at: AttentionRow) => `(${at.batch} * ${H!.wgsl} + ${at.head}) * ${N!.wgsl} + ${at.row}`;
  const write = (name: string, rows: typeof N) => (at: AttentionElement, value: string) =>
    `${bufferName(name)}[((${at.batch} * ${rows!.wgsl} + ${at.row}) * ${H!.wgsl} + ${at.head}) * ${headDim}u + ${at.column}] = ${value};`;
  const writeRow = (name: string) => (at: AttentionRow, value: string) =>
    `${bufferName(name)}[${rowIndex(at)}] = ${value};`;
  const forward = attentionForward(
    { ...problem, store: write('out', N), storeLogSumExp: writeRow('logSumExp') },
    tileOf('forward'),
  );
  const saved = {
    cotangent: operand('cotangent', host.queries),
    logSumExp: (at: AttentionRow) => `${bufferName('logSumExp')}[${rowIndex(at)}]`,
  };
  const query = attentionBackwardQuery(
    { ...problem, ...saved, out: operand('out', host.queries), store: write('dq', N), storeDelta: writeRow('delta') },
    tileOf('backwardQuery'),
  );
  const key = attentionBackwardKey(
    {
      ...problem,
      ...saved,
      delta: (at) => `${bufferName('delta')}[${rowIndex(at)}]`,
      ...{ storeKey: write('dk', M), storeValue: write('dv', M) },
    },
    tileOf('backwardKey'),
  );
  const inputs = { q, k, v, ...(host.mask ? { mask: host.mask } : {}) };
  const rows = expected.delta.length;
  const logSumExp = Float32Array.from(expected.logSumExp);
  const results = [
    await runKernel(device, forward, { inputs, outputs: { out: q.length, logSumExp: rows } }, extents.values),
    await runKernel(
      device,
      query,
      {
        inputs: { ...inputs, cotangent, logSumExp, out: Float32Array.from(expected.out) },
        outputs: { dq: q.length, delta: rows },
      },
      extents.values,
    ),
    await runKernel(
      device,
      key,
      {
        inputs: { ...inputs, cotangent, logSumExp, delta: Float32Array.from(expected.delta) },
        outputs: { dk: k.length, dv: k.length },
      },
      extents.values,
    ),
  ];
  const actual = Object.assign({}, ...results) as Record<keyof typeof expected, Float32Array>;
  return Object.keys(expected).map((name) => {
    const at = name as keyof typeof expected;
    return { name, error: largestError(actual[at], expected[at]) };
  });
}

type Kernel = 'forward' | 'backwardQuery' | 'backwardKey';

const tiles: Record<string, (kernel: Kernel) => AttentionTile> = {
  software: (kernel) => chooseAttention(kernel, { software: true }),
  gpu: (kernel) => chooseAttention(kernel, { software: false }),
};

describe.each(Object.entries(tiles))('attention, tiles for %s', (_, tileOf) => {
  let device: GPUDevice;
  beforeAll(async () => {
    device = await openTestDevice();
  });

  async function check(sizes: Sizes, masked: Parameters<typeof hostProblem>[1] = 'none') {
    for (const { name, error } of await runAttention(device, hostProblem(sizes, masked), tileOf)) {
      expect(error, `largest error of ${name}`).toBeLessThan(1e-5);
    }
  }

  it.each([1, 3, 17, 65])('attends from 17 queries to %d keys', async (keys) => {
    await check({ batch: 2, heads: 3, queries: 17, keys, headDim: 16 });
  });

  it.each([1, 3, 65])('attends from %d queries', async (queries) => {
    await check({ batch: 2, heads: 3, queries, keys: 17, headDim: 16 });
  });

  it.each([8, 16, 32, 64, 72, 128, 1, 5, 33, 79])('takes heads of %d', async (headDim) => {
    await check({ batch: 1, heads: 2, queries: 9, keys: 19, headDim });
  });

  it('leaves masked keys out', async () => {
    await check({ batch: 2, heads: 2, queries: 5, keys: 18, headDim: 8 }, 'some');
  });

  it('gives zeros where every key is masked, and zero gradients', async () => {
    await check({ batch: 2, heads: 2, queries: 5, keys: 18, headDim: 8 }, 'all of one');
  });
});
