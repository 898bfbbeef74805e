// Every solver on every path, against a Gaussian whose flow is known and against the formulas as other libraries write them.
import { cosinePath, linearPath, logSnr, type NoisePath } from '@paris/model';
import { type Device, hostNormal, key, openDevice, type Tensor } from '@paris/tensor';
import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { uniformTimes } from '../schedules/schedules.js';
import { ddim } from './ddim.js';
import { dpmpp2mSde } from './dpmpp-2m-sde.js';
import { euler } from './euler.js';
import { eulerAncestral } from './euler-ancestral.js';
import { pictureNoise } from './noise.js';
import { type Method, reference } from './reference.testing.js';
import type { Denoiser, Sampler } from './sampler.js';
import { samplers } from './samplers.js';
import { Ledger, type Vector } from './vector.testing.js';

const paths = [linearPath, cosinePath];
const [mean, spread] = [0.8, 0.3];
const start = [-1.5, -0.2, 0.4, 2];

/** Data ~ N(mean, spread²): x_t ~ N(α·mean, α²·spread² + σ²), and (x − α·mean) / deviation stays the same along the flow. */
const deviation = (path: NoisePath, t: number) => Math.hypot(path.alpha(t) * spread, path.sigma(t));
const exact = (x: number, path: NoisePath, t: number, end: number) =>
  path.alpha(end) * mean + ((x - path.alpha(t) * mean) / deviation(path, t)) * deviation(path, end);
const expectation = (path: NoisePath, t: number) => {
  const alpha = path.alpha(t);
  const gain = (alpha * spread ** 2) / deviation(path, t) ** 2;
  return (x: number) => mean + gain * (x - alpha * mean);
};
const expected = (x: number, path: NoisePath, t: number) => expectation(path, t)(x);

function denoiserOf(ledger: Ledger, path: NoisePath): Denoiser<Vector> {
  return async (latents, t) => {
    const [alpha, sigma, alphaPrime, sigmaPrime] = [
      path.alpha(t),
      path.sigma(t),
      path.alphaPrime(t),
      path.sigmaPrime(t),
    ];
    const sample = latents.read().map(expectation(path, t));
    const noise = latents.read().map((x, i) => (x - alpha * sample[i]!) / sigma);
    const velocity = sample.map((x, i) => alphaPrime * x + sigmaPrime * noise[i]!);
    return { sample: ledger.vector(sample), velocity: ledger.vector(velocity) };
  };
}

const noiseAt = (count: number) => (step: number, draw: number) =>
  Float64Array.from(hostNormal(key(3).foldIn(step).foldIn(draw), count));

async function run(sampler: Sampler, path: NoisePath, times: Float64Array, from: ArrayLike<number> = start) {
  const ledger = new Ledger();
  const drawn = noiseAt(from.length);
  const noise = (step: number, draw: number) => ledger.vector(drawn(step, draw));
  let end = new Float64Array();
  for await (const { latents } of sampler(denoiserOf(ledger, path), ledger.vector(from), { times, path, noise })) {
    end = Float64Array.from(latents.read());
  }
  return end;
}

const worst = (a: ArrayLike<number>, b: ArrayLike<number>) => Math.max(...Array.from(a, (x, i) => Math.abs(x - b[i]!)));

/** Times at which ln(α/σ) goes up in equal steps. */
function evenTimes(path: NoisePath, from: number, to: number, steps: number): Float64Array {
  const [first, last] = [logSnr(path, from), logSnr(path, to)];
  return Float64Array.from({ length: steps + 1 }, (_, i) =>
    i === 0 ? from : i === steps ? to : path.timeAtLogSnr(first + ((last - first) * i) / steps),
  );
}

/**
 * The order between two times with noise and data in both, in even steps of λ; and from noise to data in even steps of t. There
 * a method in λ has steps of any width at the ends, and h² of it becomes h²·ln(1/h): it comes near its order slowly.
 */
const deterministic: Partial<Record<keyof typeof samplers, { inner: number; whole: [low: number, high: number] }>> = {
  euler: { inner: 1, whole: [0.9, 1.1] },
  heun: { inner: 2, whole: [1.9, 2.1] },
  ddim: { inner: 1, whole: [0.9, 1.1] },
  'dpmpp-2m': { inner: 2, whole: [1.5, 2.1] },
  unipc: { inner: 3, whole: [1.8, 2.1] },
  'adams-bashforth': { inner: 2, whole: [1.9, 2.1] },
};
const stochastic: (keyof typeof samplers)[] = ['euler-ancestral', 'dpmpp-2m-sde'];
const inLogSnr = ['ddim', 'dpmpp-2m', 'dpmpp-2m-sde', 'unipc'];

it('every built-in sampler is one or the other', () => {
  expect([...Object.keys(deterministic), ...stochastic].sort()).toEqual(Object.keys(samplers).sort());
});

describe.each(paths.map((path) => [path.name, path] as const))('on the %s path', (_, path) => {
  it.each(Object.entries(deterministic))('%s converges with its order', async (name, { inner, whole }) => {
    const sampler = samplers[name as keyof typeof samplers];
    const slope = async (times: (steps: number) => Float64Array, counts: readonly [number, number]) => {
      const errors = [];
      for (const steps of counts) {
        const own = times(steps);
        const found = await run(sampler, path, own);
        errors.push(
          worst(
            found,
            start.map((x) => exact(x, path, own[0]!, own.at(-1)!)),
          ),
        );
      }
      return Math.log2(errors[0]! / errors[1]!) / Math.log2(counts[1] / counts[0]);
    };
    const between = await slope((steps) => evenTimes(path, 0.95, 0.1, steps), [400, 800]);
    expect(Math.abs(between - inner), `between the ends: ${between}`).toBeLessThan(0.1);
    const all = await slope(uniformTimes, [160, 320]);
    expect(all, 'from noise to data').toBeGreaterThan(whole[0]);
    expect(all, 'from noise to data').toBeLessThan(whole[1]);
  });

  it.each(stochastic)('%s ends with the distribution of the data', async (name) => {
    const from = hostNormal(key(8), 20_000);
    const end = await run(samplers[name], path, uniformTimes(200), from);
    const found = end.reduce((sum, x) => sum + x, 0) / end.length;
    const variance = end.reduce((sum, x) => sum + (x - found) ** 2, 0) / end.length;
    expect(Math.abs(found - mean)).toBeLessThan(0.01);
    expect(Math.abs(Math.sqrt(variance) / spread - 1)).toBeLessThan(0.03);
  });

  it.each(Object.entries(samplers))(
    '%s takes one step to the data, exactly, from noise and from between',
    async (name, sampler) => {
      for (const from of [1, 0.4]) {
        const end = await run(sampler, path, Float64Array.of(from, 0));
        expect(end.every(Number.isFinite)).toBe(true);
        // Methods that step in t end elsewhere on a path that is not straight.
        const exactly = path === linearPath || inLogSnr.includes(name);
        if (exactly)
          expect(
            worst(
              end,
              start.map((x) => expected(x, path, from)),
            ),
          ).toBeLessThan(1e-14);
      }
    },
  );

  it.each(Object.entries(samplers))('%s from t = 1 is the limit of starting a little later', async (_, sampler) => {
    const [whole, late] = [uniformTimes(12), uniformTimes(12)];
    late[0] = 1 - 1e-9;
    expect(worst(await run(sampler, path, whole), await run(sampler, path, late))).toBeLessThan(5e-5);
  });

  it.each(['ddim', 'ddim-1', 'euler-ancestral', 'dpmpp-2m', 'dpmpp-2m-sde', 'unipc'] as Method[])(
    '%s is what other libraries compute in units of σ/α',
    async (method) => {
      const sampler = method === 'ddim-1' ? ddim({ eta: 1 }) : samplers[method];
      const times = Float64Array.of(0.98, 0.9, 0.71, 0.5, 0.33, 0.2, 0.08, 0);
      const found = await run(sampler, path, times);
      // Euler's step in t is its step in σ/α on the linear path alone.
      if (method === 'euler-ancestral' && path !== linearPath) return;
      const theirs = reference(method, path, times, start, (x, t) => expected(x, path, t), noiseAt(start.length));
      expect(worst(found, theirs)).toBeLessThan(1e-10);
    },
  );
});

it('η leads from one method to another', async () => {
  const times = uniformTimes(9);
  expect(worst(await run(ddim(), linearPath, times), await run(euler, linearPath, times))).toBeLessThan(1e-14);
  for (const path of paths) {
    const [sde, ode] = [await run(dpmpp2mSde({ eta: 0 }), path, times), await run(samplers['dpmpp-2m'], path, times)];
    expect(worst(sde, ode)).toBeLessThan(1e-14);
  }
  const ancestral = await run(eulerAncestral, linearPath, times);
  expect(worst(ancestral, await run(ddim({ eta: 1 }), linearPath, times))).toBeLessThan(1e-12);
});

describe('on a device', () => {
  let device: Device | undefined;
  beforeAll(async () => {
    device = await openDevice().catch(() => undefined);
  });
  beforeEach((context) => requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter'));
  afterAll(() => device?.close());

  /** The Gaussian's denoiser in f32. */
  const denoiser: Denoiser = async (latents: Tensor, t) => {
    const [alpha, sigma] = [linearPath.alpha(t), linearPath.sigma(t)];
    const gain = (alpha * spread ** 2) / deviation(linearPath, t) ** 2;
    const sample = latents.mul(gain).add(mean - gain * alpha * mean);
    const velocity = latents
      .sub(sample.mul(alpha))
      .mul(1 / sigma)
      .sub(sample);
    await device!.run([sample, velocity]);
    return { sample, velocity };
  };
  const onDevice = async (sampler: Sampler, values: readonly number[], firstImage: number) => {
    using initial = device!.tensor(Float32Array.from(values), { shape: [values.length, 1, 1, 1] }) as Tensor;
    const noise = pictureNoise(device!, { shape: initial.shape, key: key(5), firstImage });
    let end: number[] = [];
    for await (const { latents, time } of sampler(denoiser, initial, {
      times: uniformTimes(6),
      path: linearPath,
      noise,
    })) {
      if (time === 0) end = [...(await latents.read())];
    }
    return end;
  };

  it.each(Object.entries(samplers))('%s gives a picture the same bits in a batch and alone', async (name, sampler) => {
    const batch = await onDevice(sampler, start, 2);
    const alone = [];
    for (const [i, x] of start.entries()) alone.push(...(await onDevice(sampler, [x], 2 + i)));
    expect(batch).toEqual(alone);
    if (name in deterministic) {
      const inFloat64 = await run(sampler, linearPath, uniformTimes(6));
      expect(worst(batch, inFloat64)).toBeLessThan(1e-5);
    }
  });
});
