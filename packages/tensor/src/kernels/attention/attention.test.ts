import { requireCapability } from '@paris/test-tools';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { KernelAdapter } from '../../graph/kernel.js';
import { brief } from '../../testing/brief.testing.js';
import { openTestDevice } from '../kernel.testing.js';
import { chooseAttention } from './choose.js';
import { type Choose, hostProblem, type Masked, runAttention, type Sizes } from './problem.testing.js';

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
  '@paris/cpu': {
    choose: chosenFor({ software: true, architecture: 'wasm' }),
    dims: [8, 1, 5, 33, 72],
    masked: 'none',
  },
  SwiftShader: { choose: chosenFor({ software: true, architecture: 'swiftshader' }), dims: [4], masked: 'some' },
  'a GPU': { choose: chosenFor({ software: false }), dims: [4], masked: 'some' },
  'a GPU, in chunks': { choose: () => chunks, dims: [5], masked: 'some' },
};

function chosenFor(adapter: KernelAdapter): Choose {
  return (kernel, headDim) => chooseAttention(kernel, headDim, adapter);
}

// A driver is given its own, and a GPU's; in CI those of others, too.
const own = new RegExp(`^(a GPU|${process.env.PARIS_ADAPTER})`, 'i');
const chosen = Object.entries(choices).filter(([name]) => !brief || own.test(name));

describe.each(chosen)('attention, the choice for %s', (name, { choose, dims, masked }) => {
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
