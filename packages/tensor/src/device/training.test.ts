// A small network trained, with its calls counted: what a replay costs the host.
import { describe, expect, it } from 'vitest';
import { gelu, mse, type Tensor, valueAndGrad } from '../index.js';
import { adamw, chain, clipByGlobalNorm, type TrainState } from '../optim/index.js';
import { hostNormal, key } from '../random/index.js';
import { useDevice } from '../testing/use-device.testing.js';
import type { Device } from './device.js';

const device = useDevice();

interface Params {
  readonly first: { readonly weight: Tensor; readonly bias: Tensor };
  readonly second: { readonly weight: Tensor; readonly bias: Tensor };
}
interface Batch {
  readonly x: Tensor;
  readonly y: Tensor;
}

/** x [B, 4] → [B, 2] */
function network({ first, second }: Params, x: Tensor): Tensor {
  return gelu(x.matmul(first.weight).add(first.bias)).matmul(second.weight).add(second.bias);
}

/** What is forgotten here comes back to the pool whenever the collector runs, and a step may find another buffer then. */
const kept: unknown[] = [];
function keep<T>(tree: T): T {
  kept.push(tree);
  return tree;
}

const lossOf = (params: Params, { x, y }: Batch) => mse(network(params, x), y);

function init(on: Device): Params {
  const weight = (rows: number, columns: number, seed: number) =>
    on.tensor(
      hostNormal(key(seed), rows * columns).map((z) => z / Math.sqrt(rows)),
      { shape: [rows, columns] },
    );
  return keep({
    first: { weight: weight(4, 16, 1), bias: on.tensor(new Float32Array(16)) },
    second: { weight: weight(16, 2, 2), bias: on.tensor(new Float32Array(2)) },
  });
}

function batch(on: Device, seed: number): Batch {
  const x = hostNormal(key(seed), 32 * 4);
  const y = Float32Array.from({ length: 32 * 2 }, (_, i) => Math.sin(x[4 * (i >> 1) + (i & 1)]!));
  return keep({ x: on.tensor(x, { shape: [32, 4] }), y: on.tensor(y, { shape: [32, 2] }) });
}

/** Runs steps, and says what each cost the host and what its loss was. */
async function train<S>(
  on: Device,
  steps: number,
  state: S,
  step: (state: S, i: number) => Promise<{ state: S; loss: Tensor }>,
) {
  const costs: Record<string, number>[] = [];
  const losses: Tensor[] = [];
  for (let i = 0; i < steps; i++) {
    const before = on.counters;
    const result = await step(state, i);
    const after = on.counters;
    state = keep(result.state);
    losses.push(result.loss);
    costs.push({
      submits: after.submits - before.submits,
      buffersCreated: after.buffersCreated - before.buffersCreated,
      bindGroupsCreated: after.bindGroupsCreated - before.bindGroupsCreated,
      pipelinesCreated: after.pipelinesCreated - before.pipelinesCreated,
      bufferWrites: after.bufferWrites - before.bufferWrites,
    });
    // Read now and then, as a training does: a loss keeps its buffer until it is disposed.
    if (i >= 1) losses[i - 1] = await ended(losses[i - 1]!);
  }
  const values = await Promise.all(losses.map((loss, i) => (i < steps - 1 ? read.get(loss)! : loss.item())));
  return { costs, losses: values };
}

const read = new WeakMap<Tensor, number>();
async function ended(loss: Tensor): Promise<Tensor> {
  read.set(loss, await loss.item());
  loss.dispose();
  return loss;
}

type Cost = Awaited<ReturnType<typeof train>>['costs'][number];

function expectReplays(costs: readonly Cost[]): void {
  for (const cost of costs) expect(cost).toMatchObject({ submits: 1, buffersCreated: 0, pipelinesCreated: 0 });
  // The collector may give the pool a buffer of an earlier test, which then takes the place of another one: once or twice.
  expect(costs.reduce((sum, { bindGroupsCreated }) => sum + (bindGroupsCreated ?? 0), 0)).toBeLessThan(
    costs.length / 5,
  );
}

describe('a training step', () => {
  it('with gradient descent is one submit, and nothing new from the third step on', async (context) => {
    const on = device(context);
    const step = on.compile(
      (params: Params, data: Batch) => {
        const [loss, d] = valueAndGrad(lossOf)(params, data);
        const moved = (w: Tensor, g: Tensor) => w.sub(g.mul(0.1));
        const state: Params = {
          first: { weight: moved(params.first.weight, d.first.weight), bias: moved(params.first.bias, d.first.bias) },
          second: {
            weight: moved(params.second.weight, d.second.weight),
            bias: moved(params.second.bias, d.second.bias),
          },
        };
        return { state, loss };
      },
      { donate: [0] },
    );
    const data = batch(on, 5);
    const { costs, losses } = await train(on, 30, init(on), (params) => step(params, data));
    expectReplays(costs.slice(3));
    for (const { bufferWrites } of costs.slice(3)) expect(bufferWrites).toBeLessThanOrEqual(1);
    expect(losses[29]!).toBeLessThan(0.5 * losses[0]!);
    expect(losses.every((loss, i) => i === 0 || loss < losses[i - 1]! * 1.05)).toBe(true);
  });

  it('with AdamW and clipping too, and its step counter counts', async (context) => {
    const on = device(context);
    const optimizer = chain(clipByGlobalNorm(1), adamw({ learningRate: 0.02 }));
    const step = on.compile(
      (state: TrainState<Params>, data: Batch) => {
        const [loss, gradients] = valueAndGrad(lossOf)(state.params, data);
        return { state: optimizer.update(state, gradients), loss };
      },
      { donate: [0] },
    );
    const state = keep(await on.run(optimizer.init(init(on))));
    const data = batch(on, 5);
    let last = state;
    const { costs, losses } = await train(on, 30, state, async (current) => {
      const result = await step(current, data);
      last = result.state;
      return result;
    });
    expectReplays(costs.slice(3));
    for (const { bufferWrites } of costs.slice(3)) expect(bufferWrites).toBeLessThanOrEqual(1);
    expect(losses[29]!).toBeLessThan(0.5 * losses[0]!);
    expect(await last.step.item()).toBe(30);
  });

  it('does the same as plain graphs that are run one by one', async (context) => {
    const on = device(context);
    const data = batch(on, 6);
    const update = (w: Tensor, d: Tensor) => w.sub(d.mul(0.1));
    const one = (params: Params) => {
      const [loss, d] = valueAndGrad(lossOf)(params, data);
      return { loss, weight: update(params.first.weight, d.first.weight) };
    };
    const plain = await on.run(one(init(on)));
    const compiled = await on.compile(one)(init(on));
    expect(await compiled.weight.read()).toEqual(await plain.weight.read());
    expect(await compiled.loss.item()).toBe(await plain.loss.item());
  });

  it('gives the same bytes again', async (context) => {
    const on = device(context);
    const run = async () => {
      const step = on.compile((params: Params, data: Batch) => valueAndGrad(lossOf)(params, data)[1]);
      return (await step(init(on), batch(on, 7))).first.weight.read();
    };
    expect(await run()).toEqual(await run());
  });
});
