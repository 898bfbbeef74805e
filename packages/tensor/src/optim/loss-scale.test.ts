// Training with a scaled loss: steps that overflow are left out, and f16 follows the f32 curve.
import { requireCapability } from '@paris/test-tools';
import { describe, expect, it } from 'vitest';
import { type Device, finite, gelu, hostNormal, key, layerNorm, mapTree, mse, Tensor, valueAndGrad } from '../index.js';
import { useDevice } from '../testing/use-device.testing.js';
import { adamw, chain, clipByGlobalNorm, dynamicLossScale, sgd, type TrainState } from './index.js';

const device = useDevice();

interface Params {
  readonly first: Tensor;
  readonly second: Tensor;
}

const isTensor = (x: unknown): x is Tensor => x instanceof Tensor;
const half = (params: Params): Params => mapTree(params, (x: Tensor) => x.cast('f16'), isTensor) as Params;

/** x [B, 16] → [B, 4] */
const network = ({ first, second }: Params, x: Tensor): Tensor => layerNorm(gelu(x.matmul(first))).matmul(second);

function drawn(on: Device, shape: readonly [number, number], seed: number): Tensor {
  const deviation = 1 / Math.sqrt(shape[0]);
  return on.tensor(
    hostNormal(key(seed), shape[0] * shape[1]).map((x) => x * deviation),
    { shape },
  );
}
const init = (on: Device): Params => ({ first: drawn(on, [16, 32], 1), second: drawn(on, [32, 4], 2) });
const data = (on: Device) => ({ x: drawn(on, [64, 16], 3).mul(8), y: drawn(on, [64, 4], 4).mul(8) });

describe('finite', () => {
  it('tells infinities and NaN by their bits', async (context) => {
    const on = device(context);
    const x = on.tensor([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, 0, -0, 3.4e38, 1e-40]);
    expect(await finite(x).read()).toEqual(new Uint32Array([0, 0, 0, 1, 1, 1, 1]));
    // Also where it is computed, not loaded.
    expect(await finite(on.tensor([3e38, 1]).mul(10)).read()).toEqual(new Uint32Array([0, 1]));
  });
});

describe('dynamicLossScale', () => {
  it('leaves a step out that overflows, halves the scale, and doubles it after enough good steps', async (context) => {
    const on = device(context);
    const optimizer = dynamicLossScale(adamw({ learningRate: 0.01 }), { initial: 2 ** 127, growthInterval: 3 });
    const { x, y } = await on.run(data(on));
    const step = on.compile((state: TrainState<Params>) => {
      // A loss near 2³: times 2¹²⁷ it is beyond f32, times 2¹²⁰ it is not.
      const lossOf = (params: Params) => optimizer.scale(mse(network(params, x), y).mul(8), state);
      return optimizer.update(state, valueAndGrad(lossOf)(state.params)[1]);
    });
    let state = await on.run(optimizer.init(init(on)));
    const seen: { scale: number; step: number; moved: boolean }[] = [];
    for (let i = 0; i < 16; i++) {
      const before = on.counters;
      const next = await step(state);
      expect(on.counters.submits - before.submits).toBe(1);
      const [old, fresh] = await Promise.all([state.params.first.read(), next.params.first.read()]);
      const moved = old.some((value, j) => value !== fresh[j]);
      if (!moved) expect(await next.optimizer.m!.read()).toEqual(await state.optimizer.m!.read());
      seen.push({ scale: Math.log2(await next.optimizer.lossScale!.item()), step: await next.step.item(), moved });
      state = next;
    }
    const first = seen.findIndex(({ moved }) => moved);
    expect(first).toBeGreaterThan(0);
    // Down by one for each step that is left out, and the counter of steps does not change.
    seen.slice(0, first).forEach((at, i) => {
      expect(at).toEqual({ scale: 126 - i, step: 0, moved: false });
    });
    expect(seen[first]).toMatchObject({ scale: 127 - first, step: 1 });
    // Three good steps, then it tries the double again.
    expect(seen[first + 2]).toMatchObject({ scale: 128 - first, step: 3, moved: true });
    expect(seen[first + 3]).toMatchObject({ scale: 127 - first, step: 3, moved: false });
    expect((await state.params.first.read()).every(Number.isFinite)).toBe(true);
  });

  it('neither rises at an overflow nor grows to infinity', async (context) => {
    const on = device(context);
    const scaleAfter = async (initial: number, gradient: number) => {
      const optimizer = dynamicLossScale(sgd({ learningRate: 0 }), { initial, growthInterval: 1 });
      const state = await on.run(optimizer.init({ x: on.tensor([1]) }));
      const next = await on.run(optimizer.update(state, { x: on.tensor([gradient]) }));
      return next.optimizer.lossScale!.item();
    };
    expect(await scaleAfter(8, Number.POSITIVE_INFINITY)).toBe(4);
    expect(await scaleAfter(0.5, Number.POSITIVE_INFINITY)).toBe(0.5);
    expect(await scaleAfter(2 ** 126, 1)).toBe(2 ** 127);
    expect(await scaleAfter(2 ** 127, 1)).toBe(2 ** 127);
  });

  it('keeps what is inside it: the same steps as without, as long as nothing overflows', async (context) => {
    const on = device(context);
    const inner = chain(clipByGlobalNorm(1), adamw({ learningRate: 0.01 }));
    const scaled = dynamicLossScale(inner, { initial: 2 ** 10 });
    const { x, y } = await on.run(data(on));
    const lossOf = (params: Params) => mse(network(params, x), y);
    let [plain, wrapped] = await on.run([inner.init(init(on)), scaled.init(init(on))]);
    for (let i = 0; i < 3; i++) {
      const at = wrapped!;
      const [, gradients] = valueAndGrad(lossOf)(plain!.params);
      const [, larger] = valueAndGrad((params: Params) => scaled.scale(lossOf(params), at))(at.params);
      [plain, wrapped] = await on.run([inner.update(plain!, gradients), scaled.update(at, larger)]);
    }
    const [a, b] = await Promise.all([plain!.params.first.read(), wrapped!.params.first.read()]);
    expect(Math.max(...a.map((value, i) => Math.abs(value - b[i]!)))).toBeLessThan(1e-6);
  });

  it('lets 200 steps in f16 follow the curve of f32', async (context) => {
    const on = device(context);
    requireCapability(context, 'f16', on.hasFeature('shader-f16'), 'this adapter has no f16');
    const { x, y } = await on.run(data(on));
    const optimizer = dynamicLossScale(chain(clipByGlobalNorm(1), adamw({ learningRate: 3e-3 })), {
      initial: 2 ** 24, // too large, so that it has to come down first
    });
    const curve = async (forward: (params: Params) => Tensor) => {
      const step = on.compile(
        (state: TrainState<Params>) => {
          const both = (params: Params): [Tensor, Tensor] => {
            const loss = mse(forward(params).cast('f32'), y);
            return [optimizer.scale(loss, state), loss];
          };
          const [[, loss], gradients] = valueAndGrad(both, { hasAux: true })(state.params);
          return { state: optimizer.update(state, gradients), loss };
        },
        { donate: [0] },
      );
      let state = await on.run(optimizer.init(init(on)));
      const losses: number[] = [];
      for (let i = 0; i < 200; i++) {
        const result = await step(state);
        state = result.state;
        losses.push(await result.loss.item());
        result.loss.dispose();
      }
      return { losses, steps: await state.step.item(), dtype: state.params.first.dtype };
    };
    const wide = await curve((params) => network(params, x));
    const narrow = await curve((params) => network(half(params), x.cast('f16')));
    expect(narrow.dtype).toBe('f32');
    expect(wide.steps).toBe(200);
    const left = 200 - narrow.steps;
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(30);
    for (let i = 0; i < narrow.steps; i += 20) {
      expect(Math.abs(narrow.losses[i + left]! / wide.losses[i]! - 1)).toBeLessThan(0.03);
    }
    expect(narrow.losses[199]!).toBeLessThan(0.5 * narrow.losses[0]!);
  });
});
