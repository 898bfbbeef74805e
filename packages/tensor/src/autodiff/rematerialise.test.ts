import { describe, expect, it } from 'vitest';
import { compileProgram } from '../compile/program.js';
import { signatureOf } from '../compile/signature.js';
import {
  flattenTree,
  gelu,
  grad,
  layerNorm,
  rematerialise,
  sin,
  stopGradient,
  Tensor,
  valueAndGrad,
} from '../index.js';
import { adamw } from '../optim/index.js';
import { hostNormal, key } from '../random/index.js';
import { interpret } from '../testing/interpret.js';
import { useDevice } from '../testing/use-device.testing.js';

const device = useDevice();
const [rows, width, depth] = [64, 16, 8];

interface Block {
  readonly first: Tensor;
  readonly second: Tensor;
}

const drawn = (shape: number[], seed: number) => {
  const size = shape.reduce((a, b) => a * b, 1);
  return { data: hostNormal(key(seed), size).map((x) => x / 4), shape };
};

function network(on: ReturnType<typeof device>) {
  const blocks = Array.from({ length: depth }, (_, i) => ({
    first: on.tensor(drawn([width, 4 * width], i).data, { shape: [width, 4 * width] }),
    second: on.tensor(drawn([4 * width, width], 50 + i).data, { shape: [4 * width, width] }),
  }));
  return { blocks, x: on.tensor(drawn([rows, width], 99).data, { shape: [rows, width] }) };
}

const block = (params: Block, x: Tensor) => x.add(gelu(layerNorm(x).matmul(params.first)).matmul(params.second));
const lossOf = (fn: typeof block) => (blocks: Block[], x: Tensor) =>
  blocks
    .reduce((h, params) => fn(params, h), x)
    .square()
    .mean();

/** The bytes that live only within one step: activations and what else is not given or returned. */
function arenaBytes(roots: readonly Tensor[]): number {
  return compileProgram(roots, signatureOf(roots).leaves, {
    adapter: { software: true } as never,
    limits: {
      maxStorageBuffersPerShaderStage: 10,
      maxStorageBufferBindingSize: 2 ** 27,
      maxComputeWorkgroupsPerDimension: 65535,
    },
    f16: false,
  }).arenaBytes;
}

const tensorsOf = (tree: unknown) =>
  flattenTree<Tensor>(tree, (x): x is Tensor => x instanceof Tensor).map(({ value }) => value);

describe('rematerialise', () => {
  it('gives the same value and gradients from a fraction of the memory', async (context) => {
    const on = device(context);
    const { blocks, x } = network(on);
    const kept = tensorsOf(valueAndGrad(lossOf(block))(blocks, x));
    const again = tensorsOf(valueAndGrad(lossOf(rematerialise(block)))(blocks, x));
    const [before, after] = [arenaBytes(kept), arenaBytes(again)];
    // Every block keeps two tensors of the hidden width otherwise, and some of its own.
    const hidden = rows * 4 * width * 4;
    expect(before).toBeGreaterThan(depth * hidden);
    expect(after).toBeLessThan(before / 2);
    expect(after).toBeLessThan((depth * hidden) / 4 + 5 * hidden);
    await on.run([kept, again]);
    for (const [i, tensor] of kept.entries()) expect(await again[i]!.read()).toEqual(await tensor.read());
  });

  it('does so in a whole training step, for one more product and norm a block', async (context) => {
    const on = device(context);
    const { blocks, x } = network(on);
    const optimizer = adamw({ learningRate: 1e-3 });
    const state = await on.run(optimizer.init(blocks));
    const step = (fn: typeof block) => optimizer.update(state, grad(lossOf(fn))(state.params, x));
    const [kept, again] = [step(block), step(rematerialise(block))];
    const [before, after] = [arenaBytes(tensorsOf(kept)), arenaBytes(tensorsOf(again))];
    const count = async (tree: unknown) => {
      const { dispatches } = on.counters;
      await on.run(tree);
      return on.counters.dispatches - dispatches;
    };
    const [plain, more] = [await count(kept), await count(again)];
    expect(after).toBeLessThan(before / 2);
    expect(more - plain).toBeLessThanOrEqual(2 * depth);
  });

  it('differentiates by what the function takes from its closure', async (context) => {
    const on = device(context);
    const [w, x] = [on.tensor([2, 3]), on.tensor([5, 7])];
    const d = grad((weight: Tensor) => {
      const scaled = weight.mul(10);
      return rematerialise((t: Tensor) => ({ y: t.mul(scaled).mul(weight), name: 'kept' }))(x).y.sum();
    })(w);
    expect([...(await d.read())]).toEqual([200, 420]); // 20 w x
  });

  it('takes trees, several results, whole numbers and no gradient of one', async (context) => {
    const on = device(context);
    const fn = rematerialise(({ a, list }: { a: Tensor; list: Tensor[] }, count: Tensor, factor: number) => [
      a.mul(list[0]!).mul(factor),
      stopGradient(a).mul(count.cast('f32')),
    ]);
    const params = { a: on.tensor([1, 2]), list: [on.tensor([3, 4])] };
    const d = grad((p: typeof params) => {
      const [first, second] = fn(p, on.tensor(new Int32Array([7, 8])), 2) as [Tensor, Tensor];
      return first.sum().add(second.sum());
    })(params);
    expect([[...(await d.a.read())], [...(await d.list[0]!.read())]]).toEqual([
      [6, 8],
      [2, 4],
    ]);
  });

  it('nests, and has second derivatives', async (context) => {
    const on = device(context);
    const plain = (t: Tensor) => sin(t).mul(t);
    const nested = rematerialise((t: Tensor) => rematerialise(plain)(t.square()));
    const x = on.tensor([0.3, -1.2]);
    const second = (fn: (t: Tensor) => Tensor) =>
      grad((t: Tensor) =>
        grad((u: Tensor) => fn(u).sum())(t)
          .square()
          .sum(),
      )(x);
    const want = second((t) => plain(t.square()));
    const leaves = new Map([[x, await x.read()]]);
    const expected = interpret([want], { leaves })[0]!;
    (await second(nested).read()).forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i]!, 4);
    });
  });
});
