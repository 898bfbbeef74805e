// The theory that decentralized diffusion stands on (arXiv 2501.05450, eq. 4), through the code that samples: experts
// that know their own cluster and a router, mixed on the device, against the whole data's velocity in float64.
import { cosinePath, linearPath, type NoisePath, type Objective } from '@paris/model';
import { full, type RoutingPolicy } from '@paris/router';
import { type Device, key, openDevice, type Tensor } from '@paris/tensor';
import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, expect, it, type TestContext } from 'vitest';
import { mixture } from '../routing/mixture.js';
import {
  type Clusters,
  type Component,
  expected,
  gaussianExpert,
  gaussianRouter,
  noisyPoints,
  tableOf,
} from './gaussians.testing.js';

let device: Device | undefined;
beforeAll(async () => {
  device = await openDevice().catch(() => undefined);
});
afterAll(() => device?.close());

const shape = [1, 2, 2]; // C, H, W

/** Six clusters of different size, each of two Gaussians in four dimensions, that overlap from t ≈ 0.2 on. */
const clusters: Clusters = [0.35, 0.25, 0.15, 0.12, 0.08, 0.05].map((mass, k) =>
  [0.7, 0.3].map((share, c): Component => {
    const mean = [0, 1, 2, 3].map((d) => 1.2 * Math.sin(1.7 * k + 2.3 * d + 0.9 * c));
    return { weight: mass * share, mean, spread: 0.1 + 0.06 * ((k + 2 * c) % 5) };
  }),
);
const all = clusters.flat();
const times = [0.01, 0.03, 0.1, 0.25, 0.5, 0.75, 0.9, 0.97, 0.99];
const velocityOnLinear: Objective = { prediction: 'velocity', path: 'linear' };
const epsilonOnCosine: Objective = { prediction: 'epsilon', path: 'cosine' };
const objectives = (['velocity', 'epsilon', 'sample'] as const).flatMap((prediction) =>
  ['linear', 'cosine'].map((path): Objective => ({ prediction, path })),
);

interface Setting {
  readonly path: NoisePath;
  /** How the experts were trained, by cluster. Default: all for velocity, on `path`. */
  readonly trained?: readonly Objective[];
  /** How they say they were. Default: truly. */
  readonly said?: readonly Objective[];
  /** Which cluster's data each expert knows. */
  readonly order?: readonly number[];
  /** The data as the router has seen it. */
  readonly routed?: Clusters;
  readonly routing?: RoutingPolicy;
  readonly times?: readonly number[];
}

/** What the mixture on the device answers at each of the times: the points, [B][D], and their velocities, flat. */
async function ask(on: Device, setting: Setting): Promise<{ t: number; points: number[][]; velocity: Float32Array }[]> {
  const { path, routed = clusters, order = [0, 1, 2, 3, 4, 5], routing = full() } = setting;
  const { trained = clusters.map(() => ({ prediction: 'velocity', path: path.name }) as const) } = setting;
  const networks = new Map(trained.map((objective) => [objective, gaussianExpert(objective)]));
  const experts = trained.map((objective, k) => {
    const network = networks.get(objective)!;
    const expert = setting.said ? { ...network, objective: setting.said[k]! } : network;
    return { expert, params: tableOf(on, clusters[order[k]!]!) };
  });
  const router = { router: gaussianRouter(routed, path), params: tableOf(on, routed.flat()) };
  const model = mixture({ device: on, experts, router, path });
  const answers = [];
  for (const t of setting.times ?? times) {
    const points = noisyPoints(clusters, path, t, 2, key(5));
    using latents = on.tensor(Float32Array.from(points.flat()), { shape: [points.length, ...shape] }) as Tensor;
    const denoised = await model.start(points.length, { routing, key: key(0) }).denoiser(latents, t);
    answers.push({ t, points, velocity: (await denoised.velocity.read()) as Float32Array });
    denoised.velocity.dispose();
    denoised.sample.dispose();
  }
  return answers;
}

/** ‖v − v*‖ / ‖v*‖ of the worst picture of all times, v* in float64 and by default of the whole data. */
async function worstError(
  on: Device,
  setting: Setting,
  truth: (picture: number) => readonly Component[] = () => all,
): Promise<number> {
  const errors = (await ask(on, setting)).flatMap(({ t, points, velocity }) =>
    points.map((x, i) => {
      const exact = expected(truth(i), setting.path, x, t).velocity;
      return distance(velocity.subarray(i * x.length), exact) / Math.hypot(...exact);
    }),
  );
  return Math.max(...errors);
}

const distance = (a: ArrayLike<number>, b: readonly number[]) => Math.hypot(...b.map((value, i) => a[i]! - value));

it.for([linearPath, cosinePath])(
  'Σ_k p(k | x_t, t)·v_k(x_t, t) is the velocity of the whole data, to 1e-5 ($name path)',
  async (path, context) => {
    expect(await worstError(adapter(context), { path })).toBeLessThan(1e-5);
  },
);

it('a router of a wrong prior does not give it, nor do two swapped experts', async (context) => {
  const even = clusters.map((own) => {
    const mass = own.reduce((sum, { weight }) => sum + weight, 0);
    return own.map((component) => ({ ...component, weight: component.weight / mass / clusters.length }));
  });
  expect(await worstError(adapter(context), { path: linearPath, routed: even })).toBeGreaterThan(0.1);
  expect(await worstError(adapter(context), { path: linearPath, order: [1, 0, 2, 3, 4, 5] })).toBeGreaterThan(0.1);
});

// A network's own rounding is multiplied by 1/σ or 1/α where its answer is converted. On the cosine path, whose α is
// off by 1e-6 on the device, that is 1e-4 of the velocity from σ = 0.05 on.
it.for([
  { path: linearPath, within: [0.01, 0.99] },
  { path: cosinePath, within: [0.03, 0.97] },
] as const)(
  'experts of any objective mix as if all had learned velocities, to 1e-4 ($path.name path)',
  async (each, context) => {
    const { path, within } = each;
    const on = adapter(context);
    const at = times.filter((t) => t >= within[0] && t <= within[1]);
    const plain = await ask(on, { path, times: at });
    const pair = [0, 1, 2].flatMap(() => [epsilonOnCosine, velocityOnLinear]);
    const turned = clusters.map((_, k): Objective => ({ prediction: 'v', path: k % 2 === 0 ? 'linear' : 'cosine' }));
    for (const trained of [pair, objectives, turned]) {
      const setting = { path, trained, times: at };
      const mixed = await ask(on, setting);
      for (const [i, { points, velocity }] of mixed.entries()) {
        for (const [picture, x] of points.entries()) {
          const own = (flat: Float32Array) => flat.subarray(picture * x.length, (picture + 1) * x.length);
          const wanted = [...own(plain[i]!.velocity)];
          expect(distance(own(velocity), wanted) / Math.hypot(...wanted)).toBeLessThan(1e-4);
        }
      }
      // Each expert alone, on a picture of each component.
      const alone: RoutingPolicy = (_, { imageIndex }) =>
        Float32Array.from(objectives, (_, k) => Number(k === imageIndex % 6));
      expect(await worstError(on, { ...setting, routing: alone }, (i) => clusters[i % 6]!)).toBeLessThan(1e-4);
      // Without the match of SNRs: as if all had been trained on the sampler's path.
      const said = trained.map((objective) => ({ ...objective, path: path.name }));
      expect(await worstError(on, { ...setting, said })).toBeGreaterThan(0.5);
    }
  },
);

function adapter(context: TestContext): Device {
  requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter');
  return device!;
}
