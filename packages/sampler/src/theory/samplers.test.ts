// Samplers with their order and guidance with its meaning, on the device: a routed mixture of Gaussians whose flow is
// known in float64.

import { type Condition, linearPath } from '@paris/model';
import { full } from '@paris/router';
import { type Device, hostNormal, key, openDevice, type Tensor } from '@paris/tensor';
import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { type Mixture, type MixtureRequest, mixture } from '../routing/mixture.js';
import { type Denoiser, realise, type Sampler, samplerOf } from '../samplers/sampler.js';
import { samplers } from '../samplers/samplers.js';
import { Ledger, type Vector } from '../samplers/vector.testing.js';
import { type Clusters, expected, gaussianExpert, gaussianRouter, tableOf } from './gaussians.testing.js';

let device: Device | undefined;
beforeAll(async () => {
  device = await openDevice().catch(() => undefined);
});
afterAll(() => device?.close());

/** Three clusters in the plane. */
const clusters: Clusters = [0.5, 0.3, 0.2].map((weight, k) => [
  { weight, spread: 0.2 + 0.1 * k, mean: [0, 1].map((d) => 1.1 * Math.sin(2.1 * k + 1.3 * d)) },
]);
const pictures = 8;
const start = Float64Array.from(hostNormal(key(3), 2 * pictures));

/** From 0.99, for Tweedie's formula divides by α, down to 0. */
const timesOf = (steps: number) => Float64Array.from({ length: steps + 1 }, (_, i) => (0.99 * (steps - i)) / steps);

/** The others are measured in float64 (solvers.test.ts). */
const orders = { euler: 1, heun: 2 } as const;

describe('on the adapter', () => {
  it.for(Object.keys(orders) as (keyof typeof orders)[])('%s converges with its order', async (name, context) => {
    const steps = [16, 32, 64];
    const exact = flow(start);
    const errors: number[] = [];
    for (const count of steps) {
      const found = await onDevice(routed(adapter(context)), samplers[name], count);
      errors.push(distance(found, exact));
      // The floor: what f32 adds to the same steps in float64. A slope fitted near it would be one of rounding.
      const floor = distance(found, await onHost(samplers[name], count));
      expect(errors.at(-1)).toBeGreaterThan(10 * floor);
    }
    expect(Math.abs(slope(steps, errors) + orders[name])).toBeLessThan(0.1);
  });

  it('a method that looks at the wrong time has another order', async () => {
    const late = samplerOf('late', {}, async ({ evaluate, latents, time, nextTime }) => {
      const { sample, velocity } = await evaluate(latents, time);
      const predicted = await realise(latents.add(velocity.mul(nextTime - time)));
      const { velocity: corrected } = await evaluate(predicted, time); // Heun's asks at nextTime
      predicted.dispose();
      const mean = velocity.add(corrected).mul((nextTime - time) / 2);
      return { latents: await realise(latents.add(mean)), sample };
    });
    const steps = [16, 32, 64];
    const exact = flow(start);
    const errors = [];
    for (const count of steps) errors.push(distance(await onHost(late, count), exact));
    expect(Math.abs(slope(steps, errors) + 2)).toBeGreaterThan(0.5);
  });
});

describe('guidance', () => {
  const labels = (on: Device, value: number): Condition => ({
    kind: 'label',
    label: on.tensor(new Uint32Array(pictures).fill(value), { shape: [pictures], dtype: 'u32' }) as Tensor,
  });

  it('1 is the conditional model, bit for bit', async (context) => {
    const on = adapter(context);
    const model = routed(on);
    const [condition, unconditional] = [labels(on, 1), labels(on, 0)];
    const sampled = (request: Partial<MixtureRequest>) => onDevice(model, samplers.heun, 6, request);
    const conditional = await sampled({ condition });
    expect(await sampled({ condition, unconditional, guidance: 1 })).toEqual(conditional);
    expect(await sampled({ condition, unconditional, guidance: 1.001 })).not.toEqual(conditional);
    // 0 is the unconditional one; from a batch of both, so with its rounding.
    const none = await sampled({ condition: unconditional });
    expect(distance(await sampled({ condition, unconditional, guidance: 0 }), none)).toBeLessThan(1e-5);
    expect(distance(conditional, none)).toBeGreaterThan(0.1);
  });
});

function routed(on: Device): Mixture {
  const expert = gaussianExpert({ prediction: 'velocity', path: 'linear' });
  return mixture({
    device: on,
    experts: clusters.map((own) => ({ expert, params: tableOf(on, own) })),
    router: { router: gaussianRouter(clusters, linearPath), params: tableOf(on, clusters.flat()) },
    path: linearPath,
  });
}

async function onDevice(
  model: Mixture,
  sampler: Sampler,
  steps: number,
  request: Partial<MixtureRequest> = {},
): Promise<Float32Array> {
  using initial = device!.tensor(Float32Array.from(start), { shape: [pictures, 1, 1, 2] }) as Tensor;
  const { denoiser } = model.start(pictures, { routing: full(), key: key(0), ...request });
  let found = new Float32Array();
  for await (const { latents, time } of sampler(denoiser, initial, { times: timesOf(steps), path: linearPath })) {
    if (time === 0) found = (await latents.read()) as Float32Array<ArrayBuffer>;
  }
  return found;
}

/** The same sampler on the whole data's velocity, in float64. */
async function onHost(sampler: Sampler, steps: number): Promise<Float64Array> {
  const ledger = new Ledger();
  const denoiser: Denoiser<Vector> = async (latents, time) => {
    const { sample, velocity } = field(latents.read(), time);
    return { sample: ledger.vector(sample), velocity: ledger.vector(velocity) };
  };
  let found = new Float64Array();
  const initial = ledger.vector(start);
  for await (const { latents } of sampler(denoiser, initial, { times: timesOf(steps), path: linearPath })) {
    found = Float64Array.from(latents.read());
  }
  return found;
}

function field(x: Float64Array, t: number): { sample: number[]; velocity: number[] } {
  const points = Array.from({ length: x.length / 2 }, (_, i) =>
    expected(clusters.flat(), linearPath, [x[2 * i]!, x[2 * i + 1]!], t),
  );
  return { sample: points.flatMap((p) => p.sample), velocity: points.flatMap((p) => p.velocity) };
}

/** Where the flow ends that starts at x: the classical Runge–Kutta method, 1000 steps of error h⁴. */
function flow(x: Float64Array): Float64Array {
  const times = timesOf(1000);
  const along = (at: Float64Array, k: readonly number[], h: number) => at.map((value, i) => value + h * k[i]!);
  for (let i = 0; i + 1 < times.length; i++) {
    const [t, next] = [times[i]!, times[i + 1]!];
    const h = next - t;
    const a = field(x, t).velocity;
    const b = field(along(x, a, h / 2), t + h / 2).velocity;
    const c = field(along(x, b, h / 2), t + h / 2).velocity;
    const d = field(along(x, c, h), next).velocity;
    x = along(
      x,
      a.map((value, j) => value + 2 * b[j]! + 2 * c[j]! + d[j]!),
      h / 6,
    );
  }
  return x;
}

/** Root of the mean square. */
function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const squares = Array.from(a, (value, i) => (value - b[i]!) ** 2);
  return Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / squares.length);
}

/** Of ln errors over ln steps, by least squares. */
function slope(steps: readonly number[], errors: readonly number[]): number {
  const [x, y] = [steps.map(Math.log), errors.map(Math.log)];
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [mx, my] = [mean(x), mean(y)];
  return mean(x.map((value, i) => (value - mx) * (y[i]! - my))) / mean(x.map((value) => (value - mx) ** 2));
}

function adapter(context: TestContext): Device {
  requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter');
  return device!;
}
