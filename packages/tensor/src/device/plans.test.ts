// Many shapes and many graphs: what their plans keep of the device's memory, and what running them again costs.
import { describe, expect, it } from 'vitest';
import { scalar, softmax, type Tensor } from '../index.js';
import { useDevice } from '../testing/use-device.testing.js';
import type { DeviceCounters } from './info.js';
import { openDevice } from './open.js';
import { Recent } from './recent.js';

const device = useDevice();

describe('plans', () => {
  it('of growing shapes share the memory of what lives within a call', async (context) => {
    device(context);
    const on = await openDevice();
    // Two products: the first is a temporary of rows × 512 numbers.
    const weight = on.tensor(new Float32Array(512 * 512), { shape: [512, 512] });
    const network = on.compile((x: Tensor) => softmax(x.matmul(weight)).matmul(weight).sum());
    const run = async (rows: number) => {
      using x = on.tensor(new Float32Array(rows * 512), { shape: [rows, 512] });
      using y = await network(x);
      expect(await y.item()).toBe(0);
    };
    const largest = 40;
    await run(largest);
    const { bytesAllocated } = on.counters;
    for (let rows = 1; rows < largest; rows++) await run(rows);
    // Each shape adds the buffer of its input and the words of its sizes: no temporaries.
    const inputs = ((largest * (largest - 1)) / 2) * 512 * 4;
    const words = on.counters.bytesAllocated - bytesAllocated - inputs;
    expect(words).toBeLessThan(largest * 8 * 256);
    await on.close();
  });

  it('that are not used any more are forgotten, and made again when they are', async (context) => {
    device(context);
    const on = await openDevice();
    let traces = 0;
    const fn = on.compile((x: Tensor) => {
      traces++;
      return x.mul(2).add(1);
    });
    const all = async () => {
      for (let size = 1; size <= 300; size++) {
        using x = on.tensor(new Float32Array(size));
        (await fn(x)).dispose();
      }
    };
    await all();
    const before = on.counters;
    await all();
    expect(traces).toBe(600);
    expect(on.counters).toMatchObject({
      bytesAllocated: before.bytesAllocated,
      buffersCreated: before.buffersCreated,
      pipelinesCreated: before.pipelinesCreated,
    });
    await on.close();
  });

  it('forget the one used longest ago', () => {
    const gone: number[] = [];
    const recent = new Recent<number>(2, (value) => gone.push(value));
    expect([recent.get('a', () => 1), recent.get('b', () => 2), recent.get('a', () => 9)]).toEqual([1, 2, 1]);
    recent.get('c', () => 3);
    expect([recent.get('b', () => 4), gone]).toEqual([4, [2, 1]]);
  });
});

describe('a routed sampler', () => {
  it('executes each of a hundred evaluations once: fifty Heun steps, two experts taking turns', async (context) => {
    device(context);
    const on = await openDevice();
    const size = 16;
    const matrix = (seed: number) =>
      on.tensor(
        Float32Array.from({ length: size * size }, (_, i) => Math.sin(i * seed) / size),
        { shape: [size, size] },
      );
    const weights = [matrix(1), matrix(2)];
    const expert = on.compile((w: Tensor, x: Tensor) => x.matmul(w));
    const router = on.compile((x: Tensor) => softmax(x.mean(0)));
    let x = on.tensor(new Float32Array(4 * size).fill(1), { shape: [4, size] });
    const costs: DeviceCounters[] = [];
    const evaluate = async (at: Tensor, i: number): Promise<Tensor> => {
      const before = on.counters;
      using probabilities = await router(at);
      await probabilities.read();
      const velocity = await expert(weights[i % 2]!, at);
      const after = on.counters;
      const names = Object.keys(after) as (keyof DeviceCounters)[];
      costs.push(
        Object.fromEntries(names.map((name) => [name, after[name] - before[name]])) as unknown as DeviceCounters,
      );
      return velocity;
    };
    for (let step = 0; step < 50; step++) {
      using first = await evaluate(x, 2 * step);
      using guess = await on.run(x.add(first.mul(0.02)));
      using second = await evaluate(guess, 2 * step + 1);
      const next = await on.run(x.add(first.add(second).mul(scalar(0.01))));
      x.dispose();
      x = next;
    }
    expect(costs).toHaveLength(100);
    // A router, its read, an expert: three submits, and the dispatches of the two graphs, every time the same.
    for (const { submits, dispatches } of costs) expect([submits, dispatches]).toEqual([3, costs[0]!.dispatches]);
    for (const { buffersCreated, pipelinesCreated } of costs.slice(4))
      expect([buffersCreated, pipelinesCreated]).toEqual([0, 0]);
    // Buffers come back in turn: what both experts bind is known after a few steps.
    for (const { bindGroupsCreated } of costs.slice(12)) expect(bindGroupsCreated).toBe(0);
    expect(Number.isFinite((await x.read())[0])).toBe(true);
    await on.close();
  });
});
