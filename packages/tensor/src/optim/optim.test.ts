// Optimizers against the same formulas in double precision, through device.compile as a training uses them.
import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { type Device, flattenTree, openDevice, scalar, Tensor } from '../index.js';
import { hostNormal } from '../random/host.js';
import { key } from '../random/key.js';
import { adamw, oneMinusPower } from './adamw.js';
import { chain, clipByGlobalNorm, ema, globalNorm, type Optimizer, sgd, type TrainState } from './index.js';
import { constant, cosineDecay, linear, type Schedule } from './schedule.js';

let device: Device | undefined;
beforeAll(async () => {
  device = await openDevice().catch(() => undefined);
});
afterAll(() => device?.close());
const open = (context: TestContext): Device => {
  requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter');
  return device!;
};

interface Params {
  layers: { weight: Tensor; bias: Tensor }[];
  scale: Tensor;
}
const shapes = { weight: [3, 5], bias: [7], scale: [1, 2, 11] };
const values = (seed: number, size = 10): Record<string, number[]> =>
  Object.fromEntries(
    Object.entries({ ...shapes, weight2: [65], bias2: [] as number[] }).map(([name, shape], i) => {
      const count = shape.reduce((a, b) => a * b, 1);
      return [name, [...hostNormal(key(seed).foldIn(i), count)].map((x) => (x * size) / 10)];
    }),
  );
const tree = (on: Device, host: Record<string, number[]>): Params => {
  const tensor = (name: string, shape: number[]) => on.tensor(Float32Array.from(host[name]!), { shape });
  return {
    layers: [
      { weight: tensor('weight', shapes.weight), bias: tensor('bias', shapes.bias) },
      { weight: tensor('weight2', [65]), bias: tensor('bias2', []) },
    ],
    scale: tensor('scale', shapes.scale),
  };
};
const inPathOrder = (host: Record<string, number[]>) =>
  ['bias', 'weight', 'bias2', 'weight2', 'scale'].flatMap((name) => host[name]!);
const read = async (params: unknown) => {
  const leaves = flattenTree(params, (value): value is Tensor => value instanceof Tensor);
  return (await Promise.all(leaves.map(({ value }) => value.read()))).flatMap((data) => [...data]);
};

/** Five steps on the device with new gradients each, and with the reference `rule` on flat numbers. */
async function compare(
  on: Device,
  optimizer: Optimizer,
  rule: (p: Float64Array, g: Float64Array, t: number) => void,
  gradientSize = 10,
) {
  const step = on.compile((state: TrainState<Params>, g: Params) => optimizer.update(state, g), { donate: [0] });
  let state = await on.run(optimizer.init(tree(on, values(1))));
  const want = Float64Array.from(inPathOrder(values(1)), Math.fround);
  let submits = 0;
  for (let t = 1; t <= 5; t++) {
    const host = values(10 + t, gradientSize);
    const gradients = tree(on, host);
    const before = on.counters;
    state = await step(state, gradients);
    submits += on.counters.submits - before.submits;
    if (t > 2) expect(on.counters.pipelinesCreated).toBe(before.pipelinesCreated);
    rule(want, Float64Array.from(inPathOrder(host), Math.fround), t);
  }
  expect(submits).toBe(5);
  expect(await state.step.item()).toBe(5);
  const got = await read(state.params);
  expect(got).toHaveLength(want.length);
  let worst = 0;
  got.forEach((value, i) => {
    worst = Math.max(worst, Math.abs(value - want[i]!) / (1 + Math.abs(want[i]!)));
  });
  expect(worst).toBeLessThan(2e-6);
  return state;
}

/** Algorithm 2 of arXiv:1711.05101, literally. */
function referenceAdamW(rate: (t: number) => number, decay: number, [b1, b2] = [0.9, 0.999], eps = 1e-8) {
  const m: number[] = [];
  const v: number[] = [];
  return (p: Float64Array, g: Float64Array, t: number) =>
    g.forEach((gi, i) => {
      m[i] = b1! * (m[i] ?? 0) + (1 - b1!) * gi;
      v[i] = b2! * (v[i] ?? 0) + (1 - b2!) * gi * gi;
      const [mHat, vHat] = [m[i]! / (1 - b1! ** t), v[i]! / (1 - b2! ** t)];
      p[i]! -= rate(t) * (mHat / (Math.sqrt(vHat) + eps) + decay * p[i]!);
    });
}

describe('adamw', () => {
  it('is Algorithm 2, with decoupled weight decay', async (context) => {
    const optimizer = adamw({ learningRate: 0.05, weightDecay: 0.1 });
    await compare(
      open(context),
      optimizer,
      referenceAdamW(() => 0.05, 0.1),
    );
  });

  it('takes a schedule, which sees the step of the state', async (context) => {
    const optimizer = adamw({ learningRate: linear(0.1, 0, 10), beta1: 0.5, beta2: 0.9, eps: 1e-3 });
    await compare(
      open(context),
      optimizer,
      referenceAdamW((t) => 0.1 * (1 - (t - 1) / 10), 0, [0.5, 0.9], 1e-3),
    );
  });

  it('takes tiny gradients as well as large ones', async (context) => {
    const optimizer = adamw({ learningRate: 0.05 });
    await compare(
      open(context),
      optimizer,
      referenceAdamW(() => 0.05, 0),
      1e-4,
    );
  });

  it('resumes from a saved state as if never stopped', async (context) => {
    const on = open(context);
    const optimizer = chain(clipByGlobalNorm(1), adamw({ learningRate: 0.05, weightDecay: 0.1 }));
    const step = on.compile((state: TrainState<Params>, g: Params) => optimizer.update(state, g));
    let through = await on.run(optimizer.init(tree(on, values(1))));
    for (let t = 0; t < 2; t++) through = await step(through, tree(on, values(20 + t)));
    const saved = await Promise.all(
      flattenTree<Tensor>(through, (x): x is Tensor => x instanceof Tensor).map(async ({ path, value }) => ({
        path,
        data: await value.read(),
        shape: value.shape,
        dtype: value.dtype,
      })),
    );
    expect(saved.map((entry) => entry.path)).toContain('optimizer.m');
    const find = (path: string) => saved.find((entry) => entry.path === path)!;
    const load = (path: string) => on.tensor(find(path).data, { shape: find(path).shape, dtype: find(path).dtype });
    let resumed: TrainState<Params> = {
      step: load('step'),
      optimizer: { m: load('optimizer.m'), v: load('optimizer.v') },
      params: {
        layers: [0, 1].map((i) => ({
          weight: load(`params.layers.${i}.weight`),
          bias: load(`params.layers.${i}.bias`),
        })),
        scale: load('params.scale'),
      },
    };
    through = await step(through, tree(on, values(30)));
    resumed = await step(resumed, tree(on, values(30)));
    expect(await read(resumed)).toEqual(await read(through));
  });
});

describe('sgd', () => {
  it.for([
    ['plain', {}, [0, 0, false]],
    ['momentum', { momentum: 0.9 }, [0.9, 0, false]],
    ['Nesterov and decay', { momentum: 0.8, nesterov: true, weightDecay: 0.05 }, [0.8, 0.05, true]],
  ] as const)('%s', async ([_, options, [mu, decay, nesterov]], context) => {
    const u: number[] = [];
    await compare(open(context), sgd({ learningRate: 0.1, ...options }), (p, g) =>
      g.forEach((raw, i) => {
        const gi = raw + decay * p[i]!;
        u[i] = mu * (u[i] ?? 0) + gi;
        p[i]! -= 0.1 * (nesterov ? gi + mu * u[i]! : u[i]!);
      }),
    );
  });
});

describe('clipByGlobalNorm', () => {
  const clip = (g: Float64Array, most: number) => {
    const norm = Math.sqrt(g.reduce((sum, x) => sum + x * x, 0));
    return g.map((x) => x * Math.min(1, most / (norm + 1e-6)));
  };

  it('scales large gradients down, all alike', async (context) => {
    const optimizer = chain(clipByGlobalNorm(0.5), sgd({ learningRate: 0.1 }));
    await compare(open(context), optimizer, (p, g) => {
      expect(Math.hypot(...g)).toBeGreaterThan(0.5);
      clip(g, 0.5).forEach((x, i) => {
        p[i]! -= 0.1 * x;
      });
    });
  });

  it('leaves small gradients as they are', async (context) => {
    const on = open(context);
    const gradients = tree(on, values(3));
    const [before, after] = await Promise.all([
      read(sgd({ learningRate: 1 }).update(sgd({ learningRate: 1 }).init(tree(on, values(1))), gradients).params),
      read(
        chain(clipByGlobalNorm(1e6), sgd({ learningRate: 1 })).update(
          sgd({ learningRate: 1 }).init(tree(on, values(1))),
          gradients,
        ).params,
      ),
    ]);
    expect(after).toEqual(before);
    expect(await globalNorm(gradients).item()).toBeCloseTo(Math.hypot(...inPathOrder(values(3))), 4);
  });
});

it('ema moves by the share that the decay leaves', async (context) => {
  const on = open(context);
  const moved = on.compile((a: Params, p: Params, decay: Tensor) => ema(a, p, decay));
  const got = await read(await moved(tree(on, values(1)), tree(on, values(2)), scalar(0.9)));
  const [a, p] = [inPathOrder(values(1)), inPathOrder(values(2))];
  got.forEach((value, i) => {
    expect(value).toBeCloseTo(0.9 * a[i]! + 0.1 * p[i]!, 6);
  });
});

it('refuses gradients of another form', (context) => {
  const on = open(context);
  const state = adamw({ learningRate: 1 }).init({ a: on.tensor([1, 2]), b: on.tensor([1]) });
  const update = (gradients: object) => () => adamw({ learningRate: 1 }).update(state, gradients as never);
  expect(update({ a: on.tensor([1, 2]) })).toThrow(
    '[optimizer] the trees differ: got nothing where the parameters have b [1].',
  );
  expect(update({ a: on.tensor([1, 2, 3]), b: on.tensor([1]) })).toThrow('got a [3] where the parameters have a [2]');
});

describe('schedules', () => {
  const steps = [0, 1, 9, 10, 11, 50, 99, 100, 1000];
  const sampled = async (on: Device, schedule: Schedule) => {
    const at = on.compile((step: Tensor) => schedule(step));
    return Promise.all(steps.map(async (step) => (await at(scalar(step))).item()));
  };
  const close = (got: number[], want: number[]) =>
    got.forEach((value, i) => {
      expect(Math.abs(value - want[i]!)).toBeLessThan(2e-7);
    });

  it('linear', async (context) => {
    close(
      await sampled(open(context), linear(1, 0.2, 100)),
      steps.map((t) => 1 - 0.8 * Math.min(t / 100, 1)),
    );
  });

  it('constant, with warm-up', async (context) => {
    close(await sampled(open(context), constant(0.3)), new Array(steps.length).fill(0.3));
    close(
      await sampled(open(context), constant(0.3, { warmupSteps: 10 })),
      steps.map((t) => 0.3 * Math.min(1, (t + 1) / 10)),
    );
  });

  it('cosine decay, with warm-up and floor', async (context) => {
    const half = (t: number, from: number) => {
      const progress = Math.min(Math.max((t - from) / (100 - from), 0), 1);
      return (1 + Math.cos(Math.PI * progress)) / 2;
    };
    close(
      await sampled(open(context), cosineDecay(1, 100)),
      steps.map((t) => half(t, 0)),
    );
    close(
      await sampled(open(context), cosineDecay(1, 100, { warmupSteps: 10, floor: 0.1 })),
      steps.map((t) => Math.min(1, (t + 1) / 10) * (0.1 + 0.9 * half(t, 10))),
    );
  });

  it('end where they say, also if that is no later than they begin', async (context) => {
    const from = (schedule: Schedule) => sampled(open(context), schedule);
    close(await from(linear(1, 5, 0)), new Array(steps.length).fill(5));
    close(await from(cosineDecay(1, 0, { floor: 0.1 })), new Array(steps.length).fill(0.1));
    for (const warmupSteps of [10, 20])
      close(
        await from(cosineDecay(1, 10, { warmupSteps, floor: 0.1 })),
        steps.map((t) => (t < 10 ? (t + 1) / warmupSteps : 0.1)),
      );
  });

  it('1 − βᵗ keeps its digits', async (context) => {
    const on = open(context);
    for (const beta of [0, 0.5, 0.9, 0.999, 0.9999]) {
      const at = on.compile((t: Tensor) => oneMinusPower(beta, t));
      for (const t of [1, 2, 3, 10, 499, 500, 501, 693, 5000, 1e6]) {
        const want = 1 - beta ** t;
        expect(Math.abs((await (await at(scalar(t))).item()) - want) / want).toBeLessThan(1e-6);
      }
    }
  });
});
