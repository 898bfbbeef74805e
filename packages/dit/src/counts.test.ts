// What a DiT costs in dispatches, submits, buffers and bytes: a guard on counts, not on times. What a block costs is the
// difference between a network of three blocks and one of two.
import { type Device, flattenTree, key, mse, openDevice, type Tensor, TensorKey, valueAndGrad } from '@paris/tensor';
import { adamw, chain, clipByGlobalNorm, globalNorm, type TrainState } from '@paris/tensor/optim';
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
  it('takes fewer than 20 dispatches forward and at most 45 in a training step', async (context) => {
    requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter');
    const on = device!;
    const [two, three] = [await dispatches(on, 2), await dispatches(on, 3)];
    expect(three.forward - two.forward).toBeLessThan(20);
    expect(three.step - two.step).toBeLessThanOrEqual(45); // 44 on the CPU device, whose limits are larger
  });
});

describe('a training step', () => {
  it('is one submit that makes nothing new, of few dispatches and little memory', async (context) => {
    requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter');
    const { expert, latents, time, ids, params, on } = await network(await openDevice(), 2);
    const optimizer = chain(clipByGlobalNorm(1), adamw({ learningRate: 1e-3 }));
    let state = await on.run(optimizer.init(params));
    const given = on.counters;
    const step = on.compile(
      (before: TrainState<DiTParams>) => {
        const lossOf = (p: DiTParams) =>
          mse(expert.apply(p, { latents, time, condition: { kind: 'tokens', ids } }), latents);
        return optimizer.update(before, valueAndGrad(lossOf)(before.params)[1]);
      },
      { donate: [0] },
    );
    for (let i = 0; i < 3; i++) state = await step(state);
    const before = on.counters;
    state = await step(state);
    const after = on.counters;
    expect(after.submits - before.submits).toBe(1);
    expect(after.dispatches - before.dispatches).toBeLessThanOrEqual(130); // 127 there
    expect(after.buffersCreated).toBe(before.buffersCreated);
    expect(after.bindGroupsCreated).toBe(before.bindGroupsCreated);
    expect(after.bufferWrites - before.bufferWrites).toBeLessThanOrEqual(1);
    // In addition to what was there before the first step: temporaries, gradients, and a second state.
    const stateBytes = 3 * 4 * flattenTree<Tensor>(params).reduce((all, { value }) => all + value.size, 0);
    expect((after.bytesAllocated - given.bytesAllocated) / stateBytes).toBeLessThan(2);
    await on.close();
  });

  it('takes a handful of dispatches for the optimizer, and two for the norm, whatever the depth', async (context) => {
    requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter');
    const { params, on } = await network(device!, 2);
    const count = async (tree: unknown) => {
      const before = on.counters.dispatches;
      await on.run(tree);
      return on.counters.dispatches - before;
    };
    const optimizer = chain(clipByGlobalNorm(1), adamw({ learningRate: 1e-3 }));
    const [state, other] = [await on.run(optimizer.init(params)), await on.run(optimizer.init(params))];
    expect(await count(globalNorm(state.params))).toBe(2);
    expect(await count(optimizer.update(state, other.params))).toBeLessThanOrEqual(6);
  });
});

async function network(on: Device, depth: number) {
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
  return { expert, params, latents, time, ids, on };
}

async function dispatches(device: Device, depth: number) {
  const { expert, params, latents, time, ids, on } = await network(device, depth);
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
