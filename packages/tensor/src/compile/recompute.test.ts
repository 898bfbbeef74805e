// Programs within a budget of memory mean what they meant without one.
import { describe, expect, it } from 'vitest';
import { sizeOf } from '../graph/shape.js';
import {
  attention,
  flattenTree,
  gelu,
  grad,
  hostNormal,
  key,
  LimitError,
  layerNorm,
  type Tensor,
  valueAndGrad,
} from '../index.js';
import { bufferLeaf, leafValue } from '../ops/leaf.js';
import { adamw, type TrainState } from '../optim/index.js';
import { interpret } from '../testing/interpret.js';
import { useDevice } from '../testing/use-device.testing.js';
import { fuse } from './fuse.js';
import { layout } from './memory.js';
import { allPasses } from './passes.js';
import { fitMemory, type Planned, peakBytes } from './recompute.js';
import { simplify } from './simplify.js';

const device = useDevice();
const adapter = { software: true };

function planned(roots: Planned['roots']): Planned {
  const fused = fuse(roots, 10, allPasses);
  return { roots, fused, memory: layout(fused, new Map(), allPasses) };
}
const planOf = (roots: readonly Tensor[]) => planned(simplify(roots, adapter, allPasses));

/** The least that the error names. */
function leastBytes(plan: Planned): number {
  try {
    return peakBytes(fitMemory(plan, 1, planned));
  } catch (error) {
    if (!(error instanceof LimitError)) throw error;
    return Number(/at least (\d+) with/.exec(error.message)![1]);
  }
}

const [rows, width, depth] = [64, 16, 8];
interface Block {
  readonly first: Tensor;
  readonly second: Tensor;
}
function block({ first, second }: Block, x: Tensor): Tensor {
  const heads = layerNorm(x).reshape([1, rows, 2, width / 2]);
  const seen = x.add(attention(heads, heads, heads).reshape([rows, width]));
  return seen.add(gelu(layerNorm(seen).matmul(first)).matmul(second));
}
const lossOf = (blocks: readonly Block[], x: Tensor) =>
  blocks
    .reduce((h, params) => block(params, h), x)
    .square()
    .mean();

type Maker = (shape: readonly number[], seed: number) => Tensor;
const network = (make: Maker) => ({
  blocks: Array.from({ length: depth }, (_, i) => ({
    first: make([width, 4 * width], i),
    second: make([4 * width, width], 50 + i),
  })),
  x: make([rows, width], 99),
});
const drawn = (shape: readonly number[], seed: number) => hostNormal(key(seed), sizeOf(shape)).map((x) => x / 4);

describe('fitMemory', () => {
  it('brings a deep network down to a fraction, and says how far it goes', () => {
    const leaves = new Map<Tensor, ArrayLike<number>>();
    const { blocks, x } = network((shape, seed) => {
      const value = leafValue(bufferLeaf, { shape, dtype: 'f32' });
      leaves.set(value, drawn(shape, seed));
      return value;
    });
    const roots = flattenTree<Tensor>(valueAndGrad(lossOf)(blocks, x)).map(({ value }) => value);
    const plan = planOf(roots);
    const [all, least] = [peakBytes(plan), leastBytes(plan)];
    const results = blocks.length * 2 * 4 * width * width * 4;
    // Activations of eight blocks, of which each keeps about ten times its input.
    expect(all - results).toBeGreaterThan(depth * 8 * rows * width * 4);
    expect(least - results).toBeLessThan(0.45 * (all - results));
    const read = ({ roots: values }: Planned) => interpret(values, { leaves });
    const expected = read(plan);
    for (const share of [0, 0.3, 0.7]) {
      const budget = Math.ceil(least + share * (all - least));
      const fitted = fitMemory(plan, budget, planned);
      expect(peakBytes(fitted)).toBeLessThanOrEqual(budget);
      expect(read(fitted)).toEqual(expected);
      // The more room, the less is recomputed, and never more than once.
      const extra = fitted.fused.groups.length - plan.fused.groups.length;
      expect(extra).toBeGreaterThan(0);
      expect(extra).toBeLessThanOrEqual((share === 0.7 ? 0.5 : 1) * 7 * depth);
    }
    expect(fitMemory(plan, all, planned)).toBe(plan);
    expect(() => fitMemory(plan, least - 1, planned)).toThrow(
      `[compile] the function takes ${all} bytes in addition to its arguments, and at least ${least} with recomputation; its budget is ${least - 1}. Raise memoryBudgetBytes or use a smaller batch.`,
    );
  });
});

describe('compile with a memory budget', () => {
  it('takes the same steps from less memory, and says when it cannot', async (context) => {
    const on = device(context);
    const { blocks, x } = network((shape, seed) => on.tensor(drawn(shape, seed), { shape }));
    const optimizer = adamw({ learningRate: 1e-2 });
    const state = await on.run(optimizer.init(blocks));
    const compiled = (memoryBudgetBytes?: number) =>
      on.compile(
        (before: TrainState<Block[]>) => optimizer.update(before, grad(lossOf)(before.params, x)),
        memoryBudgetBytes === undefined ? {} : { memoryBudgetBytes },
      );
    const said = await compiled(1)(state).catch((error: Error) => error);
    expect(said).toBeInstanceOf(LimitError);
    const [, all, least] = /takes (\d+) bytes .*at least (\d+) with/.exec((said as Error).message)!.map(Number);
    expect(least!).toBeLessThan(0.6 * all!);
    const run = async (budget?: number) => {
      const before = on.counters.dispatches;
      const next = await compiled(budget)(state);
      return { next, dispatches: on.counters.dispatches - before };
    };
    const [plain, fitted] = [await run(), await run(least)];
    expect(fitted.dispatches).toBeGreaterThan(plain.dispatches);
    for (const { path, value } of flattenTree<Tensor>(plain.next.params)) {
      const other = flattenTree<Tensor>(fitted.next.params).find((entry) => entry.path === path)!;
      const [a, b] = await Promise.all([value.read(), other.value.read()]);
      for (let i = 0; i < a.length; i++) expect(Math.abs(a[i]! - b[i]!)).toBeLessThan(1e-5);
    }
  });
});
