// What a block of the DiT costs in dispatches: the difference between a network of three blocks and one of two.
import { type Device, key, mse, openDevice, type Tensor, TensorKey, valueAndGrad } from '@paris/tensor';
import { adamw } from '@paris/tensor/optim';
import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dit } from './dit.js';
import type { DiTParams } from './parameters.js';

let device: Device | undefined;
beforeAll(async () => {
  device = await openDevice().catch(() => undefined);
});
afterAll(() => device?.close());

describe('a block', () => {
  it('takes fewer than 20 dispatches forward and fewer than 45 in a training step', async (context) => {
    requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter');
    const on = device!;
    const [two, three] = [await dispatches(on, 2), await dispatches(on, 3)];
    expect(three.forward - two.forward).toBeLessThan(20);
    expect(three.step - two.step).toBeLessThan(45);
  });
});

async function dispatches(on: Device, depth: number) {
  const expert = dit.create(
    dit.parseConfig({
      inputSize: 8,
      patchSize: 2,
      channels: 3,
      hiddenSize: 64,
      depth,
      heads: 2,
      condition: { kind: 'tokens', vocabulary: 11, maxTokens: 4, width: 16 },
    }),
  );
  const params = await on.run(expert.init(TensorKey.of(key(depth))));
  const latents = on.tensor(new Float32Array(2 * 3 * 64).fill(0.5), { shape: [2, 3, 8, 8] });
  const time = on.tensor([0.25, 0.75]);
  const ids = on.tensor(new Uint32Array(8).fill(1), { shape: [2, 4] });
  const apply = (p: DiTParams): Tensor => expert.apply(p, { latents, time, condition: { kind: 'tokens', ids } });
  const count = async (tree: unknown) => {
    const before = on.counters.dispatches;
    await on.run(tree);
    return on.counters.dispatches - before;
  };
  const optimizer = adamw({ learningRate: 1e-3 });
  const state = await on.run(optimizer.init(params));
  const [, gradients] = valueAndGrad((p: DiTParams) => mse(apply(p), latents))(params);
  return { forward: await count(apply(params)), step: await count(optimizer.update(state, gradients)) };
}
