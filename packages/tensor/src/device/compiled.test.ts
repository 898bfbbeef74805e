// What compile promises, a test for each sentence.
import { describe, expect, it } from 'vitest';
import {
  DonatedTensorError,
  key,
  normal,
  StaleTraceError,
  scalar,
  type Tensor,
  type TensorKey,
  TraceError,
  ValueError,
  valueAndGrad,
} from '../index.js';
import { useDevice } from '../testing/use-device.testing.js';
import type { Device } from './device.js';
import type { DeviceCounters } from './info.js';

const device = useDevice();

/** What a counter grew by. */
async function growth(on: Device, work: () => Promise<unknown>): Promise<DeviceCounters> {
  const before = on.counters;
  await work();
  const after = on.counters;
  const grown = (Object.keys(after) as (keyof DeviceCounters)[]).map((name) => [name, after[name] - before[name]]);
  return Object.fromEntries(grown) as DeviceCounters;
}

describe('the cache key', () => {
  it('is tree structure, shapes, dtypes and static leaves', async (context) => {
    const on = device(context);
    let traces = 0;
    const fn = on.compile((args: { x: Tensor; y?: Tensor; mode: string; flag: boolean }) => {
      traces++;
      const sum = args.y ? args.x.add(args.y) : args.x;
      return args.mode === 'double' ? sum.mul(args.flag ? 4 : 2) : sum.add(1);
    });
    const [x, y, wide, whole] = [
      on.tensor([1, 2]),
      on.tensor([3, 4]),
      on.tensor([1, 2, 3]),
      on.tensor(new Int32Array(2)),
    ];
    const read = async (result: Promise<Tensor>) => [...(await (await result).read())];
    expect(await read(fn({ x, mode: 'double', flag: false }))).toEqual([2, 4]);
    expect(await read(fn({ x: y, mode: 'double', flag: false }))).toEqual([6, 8]);
    expect(traces).toBe(1);
    expect(await read(fn({ x, mode: 'double', flag: true }))).toEqual([4, 8]);
    expect(await read(fn({ x, mode: 'single', flag: false }))).toEqual([2, 3]);
    expect(traces).toBe(3);
    expect(await read(fn({ x, y, mode: 'single', flag: false }))).toEqual([5, 7]);
    expect(await read(fn({ x: wide, mode: 'single', flag: false }))).toEqual([2, 3, 4]);
    expect(await read(fn({ x: whole, mode: 'single', flag: false }))).toEqual([1, 1]);
    expect(traces).toBe(6);
    await fn({ x: y, mode: 'single', flag: false });
    expect(traces).toBe(6);
  });

  it('tells containers apart that hold the same tensors', async (context) => {
    const on = device(context);
    const x = on.tensor([1]);
    const seen: string[] = [];
    const fn = on.compile((tree: unknown) => {
      seen.push(JSON.stringify(tree).replace('Tensor f32 [1]', 'x'));
      return x.add(1);
    });
    for (const tree of [[x], { 0: x }, { 'a.b': x }, { a: { b: x } }, { a: { b: x }, c: [] }]) await fn(tree);
    expect(seen).toEqual(['["x"]', '{"0":"x"}', '{"a.b":"x"}', '{"a":{"b":"x"}}', '{"a":{"b":"x"},"c":[]}']);
  });

  it('refuses plain numbers, which would be compiled in', async (context) => {
    const on = device(context);
    const fn = on.compile((x: Tensor, n: Tensor) => x.mul(n));
    const x = on.tensor([1, 2]);
    await expect(fn(x, 2 as unknown as Tensor)).rejects.toThrow(TypeError);
    await expect(fn(x, 2 as unknown as Tensor)).rejects.toThrow(
      '[compile] an argument is a plain number, which would be compiled in. Write scalar(x).',
    );
    await expect(fn(x, (() => 1) as unknown as Tensor)).rejects.toThrow(TypeError);
    expect(await (await fn(x, scalar(2))).read()).toEqual(new Float32Array([2, 4]));
    const more = await growth(on, async () => {
      expect(await (await fn(x, scalar(5))).read()).toEqual(new Float32Array([5, 10]));
    });
    expect(more.pipelinesCreated).toBe(0);
  });

  it('does not hold keys: another key draws other numbers from the same plan', async (context) => {
    const on = device(context);
    let traces = 0;
    const draw = on.compile((k: TensorKey) => {
      traces++;
      return normal(k.foldIn(3), [4]);
    });
    const first = await (await draw(key(1))).read();
    const second = await (await draw(key(2))).read();
    expect(second).not.toEqual(first);
    expect(await (await draw(key(1))).read()).toEqual(first);
    expect(traces).toBe(1);
  });
});

describe('tracing', () => {
  it('refuses reads, promises, and results without tensors', async (context) => {
    const on = device(context);
    const x = on.tensor([1, 2]);
    let inside: Promise<unknown> | undefined;
    const reads = on.compile((t: Tensor) => {
      inside = t.read().catch((error: unknown) => error);
      return t;
    });
    await reads(x);
    expect(await inside).toBeInstanceOf(TraceError);
    const later = on.compile((t: Tensor) => Promise.resolve(t));
    await expect(later(x)).rejects.toThrow('[compile] the function is asynchronous and must not be.');
    for (const memoryBudgetBytes of [Number.NaN, -1]) {
      expect(() => on.compile((t: Tensor) => t, { memoryBudgetBytes })).toThrow(
        `[compile] memoryBudgetBytes is ${memoryBudgetBytes}. Give a number from 0 on.`,
      );
      expect(() => on.explain((t: Tensor) => t, { memoryBudgetBytes })).toThrow('[compile] memoryBudgetBytes is');
    }
    expect(() => on.compile((t: Tensor) => t, { donate: [0, -1] })).toThrow(
      '[compile] donate is [0,-1]. Give positions from 0 on.',
    );
    const nothing = on.compile((_: Tensor) => ({}));
    await expect(nothing(x)).rejects.toThrow('[compile] the function returned no tensor. Return what it computes.');
  });

  it('a function that throws leaves its arguments and the device as they were', async (context) => {
    const on = device(context);
    const x = on.tensor([1, 2]);
    const fails = on.compile(
      (t: Tensor) => {
        if (t.rank) throw new Error('not today');
        return t;
      },
      { donate: [0] },
    );
    await expect(fails(x)).rejects.toThrow('not today');
    expect(await x.read()).toEqual(new Float32Array([1, 2]));
  });

  it('takes tensors of the closure as inputs, and forbids what it made itself outside', async (context) => {
    const on = device(context);
    const [x, w] = [on.tensor([1, 2]), on.tensor([10, 20])];
    let kept: Tensor | undefined;
    const fn = on.compile((t: Tensor) => {
      kept = t.mul(3);
      return t.mul(w);
    });
    expect(await (await fn(x)).read()).toEqual(new Float32Array([10, 40]));
    await expect(kept!.read()).rejects.toThrow(TraceError);
    await expect(fn(x.add(1))).rejects.toThrow(ValueError);
  });

  it('traces again where a tensor of the closure has been computed meanwhile: the graph begins there', async (context) => {
    const on = device(context);
    const [x, raw] = [on.tensor([1, 2]), on.tensor([1, 2])];
    const lazy = raw.mul(3);
    const fn = on.compile((t: Tensor) => t.add(lazy));
    const read = async () => (await fn(x)).read();
    expect(await read()).toEqual(new Float32Array([4, 8]));
    await lazy.read();
    on.debug = true;
    try {
      expect(await read()).toEqual(new Float32Array([4, 8]));
    } finally {
      on.debug = false;
    }
    raw.dispose();
    expect(await read()).toEqual(new Float32Array([4, 8]));
    expect((await growth(on, read)).pipelinesCreated).toBe(0);
  });

  it('under debug tells when a function traces to another graph', async (context) => {
    const on = device(context);
    const x = on.tensor([1, 2]);
    let twice = false;
    let factor = 2;
    const fn = on.compile((t: Tensor) => (twice ? t.add(t) : t.mul(factor)));
    await fn(x);
    on.debug = true;
    try {
      await fn(x);
      factor = 3;
      await expect(fn(x), 'a number of the closure').rejects.toThrow(StaleTraceError);
      factor = 2;
      twice = true;
      await expect(fn(x), 'another op').rejects.toThrow(StaleTraceError);
    } finally {
      on.debug = false;
    }
  });
});

describe('inputs and outputs', () => {
  it('inputs bind by reference: other weights of the same shapes rebind and no more', async (context) => {
    const on = device(context);
    const fn = on.compile((w: Tensor, x: Tensor) => x.matmul(w));
    const x = on.tensor([[1, 2]]);
    const weights = [
      on.tensor([
        [1, 0],
        [0, 1],
      ]),
      on.tensor([
        [0, 1],
        [1, 0],
      ]),
    ];
    const other = on.tensor([
      [2, 0],
      [0, 2],
    ]);
    const results = [];
    for (const w of weights) {
      using y = await fn(w, x);
      results.push(await y.read());
    }
    expect(results).toEqual([new Float32Array([1, 2]), new Float32Array([2, 1])]);
    const again = await growth(on, async () => {
      for (const w of weights) (await fn(w, x)).dispose();
    });
    expect(again).toMatchObject({ submits: 2, buffersCreated: 0, pipelinesCreated: 0, bindGroupsCreated: 0 });
    // Weights that were never seen: a bind group for each dispatch that reads them, and nothing else.
    const first = await growth(on, async () => (await fn(other, x)).dispose());
    expect(first).toMatchObject({ submits: 1, buffersCreated: 0, pipelinesCreated: 0, bytesAllocated: 0 });
    expect(first.bindGroupsCreated).toBeLessThanOrEqual(first.dispatches);
  });

  it('a later call overwrites no output that is still held', async (context) => {
    const on = device(context);
    const fn = on.compile((x: Tensor) => ({ twice: x.mul(2), sum: x.sum() }));
    const held = [];
    for (let i = 0; i < 5; i++) held.push(await fn(on.tensor([i, 1])));
    for (const [i, { twice, sum }] of held.entries()) {
      expect([...(await twice.read()), await sum.item()]).toEqual([2 * i, 2, i + 1]);
    }
  });

  it('gives each result a handle of its own, an argument and a value returned twice included', async (context) => {
    const on = device(context);
    const fn = on.compile((x: Tensor) => {
      const y = x.add(1);
      return [y, y, x, x.reshape([2, 1])] as const;
    });
    const x = on.tensor([1, 2]);
    const results = await fn(x);
    results[0].dispose();
    x.dispose();
    for (const y of [on.tensor([7, 7]), on.tensor([8, 8])]) y.dispose();
    expect(await results[1].read()).toEqual(new Float32Array([2, 3]));
    expect(await results[2].read()).toEqual(new Float32Array([1, 2]));
    expect(await results[3].read()).toEqual(new Float32Array([1, 2]));
  });

  it('calls that overlap do not disturb each other', async (context) => {
    const on = device(context);
    const fn = on.compile((x: Tensor, n: Tensor) => x.mul(n).sum());
    const x = on.tensor([1, 2, 3]);
    const results = await Promise.all([1, 2, 3, 4, 5, 6].map((n) => fn(x, scalar(n))));
    expect(await Promise.all(results.map((result) => result.item()))).toEqual([6, 12, 18, 24, 30, 36]);
  });
});

describe('donation', () => {
  it('ends the argument, and what the call returned stays valid', async (context) => {
    const on = device(context);
    const step = on.compile((x: Tensor) => x.add(1), { donate: [0] });
    const x = on.tensor([1, 2]);
    const y = await step(x);
    expect(() => x.add(1)).toThrow(DonatedTensorError);
    await expect(x.read()).rejects.toThrow(
      '[read] the tensor was donated to a compiled call. Use what that call returned.',
    );
    await expect(step(x)).rejects.toThrow(DonatedTensorError);
    expect(await y.read()).toEqual(new Float32Array([2, 3]));
  });

  it('is refused for a tensor that is in the call twice, and leaves it valid', async (context) => {
    const on = device(context);
    const step = on.compile((a: { x: Tensor }, b: Tensor) => a.x.add(b), { donate: [0] });
    const x = on.tensor([1, 2]);
    await expect(step({ x }, x)).rejects.toThrow(
      '[compile] a tensor is in a donated argument and a second time in the same call. Pass a clone().',
    );
    expect(await x.read()).toEqual(new Float32Array([1, 2]));
    const copy = x.clone();
    await on.run(copy);
    expect(await (await step({ x }, copy)).read()).toEqual(new Float32Array([2, 4]));
    expect(await copy.read()).toEqual(new Float32Array([1, 2]));
  });

  it('is refused for a tensor that the function holds as well', async (context) => {
    const on = device(context);
    const x = on.tensor([1, 2]);
    const step = on.compile((a: Tensor) => a.add(x), { donate: [0] });
    await expect(step(x)).rejects.toThrow('a tensor is in a donated argument and a second time in the same call.');
    expect(await x.read()).toEqual(new Float32Array([1, 2]));
    expect(await (await step(on.tensor([1, 1]))).read()).toEqual(new Float32Array([2, 3]));
  });

  it('lets a read that was asked for before see the old value', async (context) => {
    const on = device(context);
    const step = on.compile((x: Tensor) => x.add(1), { donate: [0] });
    let x = on.tensor([1, 2]);
    const reads = [];
    for (let i = 0; i < 4; i++) {
      reads.push(x.read());
      x = await step(x);
    }
    expect((await Promise.all(reads)).map((elements) => elements[0])).toEqual([1, 2, 3, 4]);
  });

  it('is atomic: a call that fails leaves every argument valid', async (context) => {
    const on = device(context);
    const step = on.compile((a: Tensor, b: Tensor) => a.add(b), { donate: [0, 1] });
    const [a, b] = [on.tensor([1, 2]), on.tensor([1, 2])];
    b.dispose();
    await expect(step(a, b)).rejects.toThrow('disposed');
    expect(await a.read()).toEqual(new Float32Array([1, 2]));
    // The shapes do not fit: the trace throws.
    await expect(step(a, on.tensor([1, 2, 3]))).rejects.toThrow('do not broadcast');
    expect(await a.read()).toEqual(new Float32Array([1, 2]));
  });

  it('goes to one of two calls at once; the other says so', async (context) => {
    const on = device(context);
    const step = on.compile((x: Tensor) => x.add(1), { donate: [0] });
    (await step(on.tensor([0, 0]))).dispose();
    const x = on.tensor([1, 2]);
    const [first, second] = await Promise.allSettled([step(x), step(x)]);
    expect([first!.status, second!.status]).toEqual(['fulfilled', 'rejected']);
    expect((second as PromiseRejectedResult).reason).toBeInstanceOf(DonatedTensorError);
    expect(await (first as PromiseFulfilledResult<Tensor>).value.read()).toEqual(new Float32Array([2, 3]));
  });

  it('frees what was donated: a loop of steps allocates nothing', async (context) => {
    const on = device(context);
    const step = on.compile((x: Tensor) => x.mul(0.5).add(1), { donate: [0] });
    let x = on.tensor(new Float32Array(5000));
    for (let i = 0; i < 3; i++) x = await step(x);
    const { bytesAllocated } = on.counters;
    for (let i = 0; i < 10; i++) x = await step(x);
    expect(on.counters.bytesAllocated).toBe(bytesAllocated);
    expect((await x.read())[0]).toBeCloseTo(2, 3);
  });
});

describe('batch sizes', () => {
  it('of 2, 4 and 8 share their pipelines', async (context) => {
    const on = device(context);
    const step = on.compile((w: { a: Tensor; b: Tensor }, x: Tensor, labels: Tensor) => {
      const loss = (p: typeof w) => {
        const h = x.matmul(p.a).add(p.b);
        return h.maximum(0).sub(labels).square().mean();
      };
      return valueAndGrad(loss)(w);
    });
    const w = on.tensors({ a: { data: new Float32Array(12).fill(0.1), shape: [3, 4] }, b: [0, 0, 0, 0] });
    const created: Record<number, number> = {};
    for (const batch of [2, 4, 8, 1]) {
      const x = on.tensor(new Float32Array(batch * 3).fill(1), { shape: [batch, 3] });
      const labels = on.tensor(new Float32Array(batch * 4).fill(2), { shape: [batch, 4] });
      const { pipelinesCreated } = await growth(on, async () => {
        const [loss] = await step(w, x, labels);
        expect(await loss.item()).toBeCloseTo(1.7 ** 2, 4);
      });
      created[batch] = pipelinesCreated;
    }
    // A batch of one has no axis to walk over, so views of it are other text.
    expect(created).toEqual({ 2: created[2], 4: 0, 8: 0, 1: expect.any(Number) });
  });
});
