import { requireCapability } from '@paris/test-tools';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { KernelAdapter } from '../../graph/kernel.js';
import {
  bufferAccess,
  bufferName,
  largestError,
  openTestDevice,
  runKernel,
  testValues,
  Uniforms,
} from '../kernel.testing.js';
import { chooseAttention } from './choose.js';
import { type AttentionChoice, generateAttention } from './kernels.js';
import { type HostAttention, referenceAttention } from './reference.testing.js';
import type { AttentionKernel, AttentionOperand, AttentionSpec } from './spec.js';

type Masked = 'none' | 'some' | 'all of one';
type Sizes = Pick<HostAttention, 'batch' | 'heads' | 'queries' | 'keys' | 'headDim'>;

function hostProblem(sizes: Sizes, masked: Masked): HostAttention {
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
async function runAttention(device: GPUDevice, host: HostAttention, choose: Choose) {
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
  const rowsOf: Record<string, number> = { k: host.keys, v: host.keys, dk: host.keys, dv: host.keys };
  const spec: AttentionSpec = {
    ...{ batch: batch!, heads: H!, queries: N!, keys: M!, scale: `${host.scale}f` },
    headDim,
    masked: host.mask !== undefined,
    operand: (name) => operand(name, rowsOf[name] ?? host.queries),
    number: (name, batch, ...rest) =>
      name === 'mask'
        ? `${bufferName(name)}[${batch} * ${M!.wgsl} + ${rest[0]}] != 0f`
        : `${bufferName(name)}[(${batch} * ${H!.wgsl} + ${rest[0]}) * ${N!.wgsl} + ${rest[1]}]`,
    store(name, { batch, head, row, column }, value) {
      const rows = rowsOf[name] === undefined ? N! : M!;
      const index = column
        ? `((${batch} * ${rows.wgsl} + ${row}) * ${H!.wgsl} + ${head}) * ${headDim}u + ${column}`
        : `(${batch} * ${H!.wgsl} + ${head}) * ${N!.wgsl} + ${row}`;
      return `${bufferName(name)}[${index}] = ${value};`;
    },
  };
  const generate = (kernel: AttentionKernel) => generateAttention(kernel, spec, choose(kernel, headDim));
  const inputs = { q, k, v, ...(host.mask ? { mask: host.mask } : {}) };
  const rows = expected.delta.length;
  const log_sum = Float32Array.from(expected.log_sum);
  const results = [
    await runKernel(device, generate('forward'), { inputs, outputs: { out: q.length, log_sum: rows } }, extents.values),
    await runKernel(
      device,
      generate('backwardQuery'),
      {
        inputs: { ...inputs, cotangent, log_sum, out: Float32Array.from(expected.out) },
        outputs: { dq: q.length, delta: rows },
      },
      extents.values,
    ),
    await runKernel(
      device,
      generate('backwardKey'),
      {
        inputs: { ...inputs, cotangent, log_sum, delta: Float32Array.from(expected.delta) },
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

// What drivers on a CPU take seconds to compile is tested at one small head and always with a mask, so that each kernel
// is compiled once: registers, chunks of columns and staging are all in use there too.
const chunks = { kernel: 'laneRow', lanes: 16, others: 1, residentDims: 4, outputDims: 3, stagedRows: 4 } as const;
const choices: Record<string, { choose: Choose; dims: number[]; masked: Masked }> = {
  lavapipe: { choose: chosenFor({ software: true, subgroupSize: 8 }), dims: [20, 1, 33, 72, 128], masked: 'some' },
  'lavapipe without subgroups': {
    choose: chosenFor({ software: true }),
    dims: [8, 16, 32, 64, 72, 128, 1, 5, 33, 79],
    masked: 'none',
  },
  SwiftShader: { choose: chosenFor({ software: true, architecture: 'swiftshader' }), dims: [4], masked: 'some' },
  'a GPU': { choose: chosenFor({ software: false }), dims: [4], masked: 'some' },
  'a GPU, in chunks': { choose: () => chunks, dims: [5], masked: 'some' },
};

type Choose = (kernel: AttentionKernel, headDim: number) => AttentionChoice;

function chosenFor(adapter: KernelAdapter): Choose {
  return (kernel, headDim) => chooseAttention(kernel, headDim, adapter);
}

describe.each(Object.entries(choices))('attention, the choice for %s', (name, { choose, dims, masked }) => {
  const headDim = dims[0]!;
  let device: GPUDevice;
  beforeAll(async () => {
    device = await openTestDevice();
  });
  beforeEach((context) => {
    const needed = choose('forward', headDim).kernel === 'subgroupTile';
    requireCapability(context, 'subgroups', !needed || device.features.has('subgroups'), 'the adapter has none');
  });

  /** A subgroup's twin runs on every adapter that has subgroups, whatever their size there. */
  const chooseHere: Choose = (kernel, headDim) => {
    const choice = choose(kernel, headDim);
    const { subgroupMinSize: lanes, subgroupMaxSize } = device.adapterInfo;
    return choice.kernel === 'subgroupTile' && lanes && lanes === subgroupMaxSize ? { ...choice, lanes } : choice;
  };

  async function check(sizes: Sizes, hidden: Masked = masked) {
    for (const { name, error } of await runAttention(device, hostProblem(sizes, hidden), chooseHere)) {
      expect(error, `largest error of ${name}`).toBeLessThan(1e-5);
    }
  }

  it.each([1, 3, 17, 65])('attends from 17 queries to %d keys', async (keys) => {
    await check({ batch: 2, heads: 3, queries: 17, keys, headDim });
  });

  it.each([1, 3, 65])('attends from %d queries', async (queries) => {
    await check({ batch: 2, heads: 3, queries, keys: 17, headDim });
  });

  it.each(dims)('takes heads of %d', async (headDim) => {
    await check({ batch: 1, heads: 2, queries: 9, keys: 19, headDim });
  });

  it('leaves masked keys out', async () => {
    await check({ batch: 2, heads: 2, queries: 5, keys: 18, headDim }, 'some');
  });

  it('gives zeros where every key is masked, and zero gradients', async () => {
    await check({ batch: 2, heads: 2, queries: 5, keys: 18, headDim }, 'all of one');
  });

  it('fits the workgroup memory that every adapter has', () => {
    for (const headDim of [64, 72, 128]) {
      for (const kernel of ['forward', 'backwardQuery', 'backwardKey'] as const) {
        const choice = choose(kernel, headDim);
        const stagedRows = choice.kernel === 'laneRow' ? choice.stagedRows : 0;
        expect(2 * stagedRows * headDim * 4, `${name}, ${kernel}, heads of ${headDim}`).toBeLessThanOrEqual(16384);
      }
    }
  });
});

describe('chooseAttention', () => {
  it('hands a subgroup of eight its own tile, for all heads but huge ones', () => {
    const choices = [16, 32, 64, 72, 128, 256].map((headDim) =>
      chooseAttention('forward', headDim, { software: true, subgroupSize: 8 }),
    );
    const rows = choices.map((choice) => (choice.kernel === 'subgroupTile' ? choice.rows : 0));
    expect(rows).toEqual([16, 16, 24, 24, 16, 0]);
  });
});
