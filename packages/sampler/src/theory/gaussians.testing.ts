/**
 * Mixtures of Gaussians, of which everything that diffusion estimates is known: in float64 as the whole's score, and
 * as experts and a router that work it out on the device, each for its own cluster, as trained ones would tell it.
 */
import type { Expert, NoisePath, Objective, Router } from '@paris/model';
import {
  concat,
  cos,
  type Device,
  hostNormal,
  type Key,
  log,
  logSumExp,
  sin,
  softmax,
  type Tensor,
  type TreeOf,
} from '@paris/tensor';

/** N(mean, spread²·1) that is `weight` of all the data. */
export interface Component {
  readonly weight: number;
  readonly mean: readonly number[];
  readonly spread: number;
}

/** The components of each cluster; the weights of all together are 1. */
export type Clusters = readonly (readonly Component[])[];

/**
 * Data and velocity that are expected at x on a path, in float64, by Tweedie's formula: from the score of
 * p_t = Σ_c w_c·N(α μ_c, α² s_c² + σ²) follow x̂₀ = (x + σ²·score) / α, ε̂ = −σ·score and v = α′ x̂₀ + σ′ ε̂
 * (arXiv 2011.13456, app. B; arXiv 2209.03003). It knows no clusters.
 */
export function expected(
  components: readonly Component[],
  path: NoisePath,
  x: readonly number[],
  t: number,
): { sample: number[]; velocity: number[] } {
  const [alpha, sigma] = [path.alpha(t), path.sigma(t)];
  const logs = components.map(({ weight, mean, spread }) => {
    const variance = (alpha * spread) ** 2 + sigma ** 2;
    const distance = mean.reduce((sum, m, i) => sum + (x[i]! - alpha * m) ** 2, 0);
    return Math.log(weight) - (mean.length / 2) * Math.log(variance) - distance / (2 * variance);
  });
  const highest = Math.max(...logs);
  const densities = logs.map((l) => Math.exp(l - highest));
  const total = densities.reduce((sum, p) => sum + p);
  const score = x.map((value, i) =>
    components.reduce((sum, { mean, spread }, c) => {
      const variance = (alpha * spread) ** 2 + sigma ** 2;
      return sum + ((densities[c]! / total) * (alpha * mean[i]! - value)) / variance;
    }, 0),
  );
  const sample = x.map((value, i) => (value + sigma ** 2 * score[i]!) / alpha);
  const velocity = sample.map((x0, i) => path.alphaPrime(t) * x0 - path.sigmaPrime(t) * sigma * score[i]!);
  return { sample, velocity };
}

/** `each` points of every component at time t of a path: [points][D]. */
export function noisyPoints(clusters: Clusters, path: NoisePath, t: number, each: number, key: Key): number[][] {
  return clusters.flat().flatMap(({ mean, spread }, c) =>
    Array.from({ length: each }, (_, i) => {
      const draws = hostNormal(key.foldIn(c).foldIn(i), 2 * mean.length);
      return mean.map((m, d) =>
        Math.fround(path.alpha(t) * (m + spread * draws[d]!) + path.sigma(t) * draws[mean.length + d]!),
      );
    }),
  );
}

/** As tensors: components [M], the weights as logarithms. */
interface Table {
  readonly logWeights: Tensor;
  readonly means: Tensor;
  readonly spreads: Tensor;
}

/** One cluster's components as an expert's parameters, or all clusters' as a router's. */
export function tableOf(device: Device, components: readonly Component[]): TreeOf<Tensor> {
  const column = (values: readonly number[]) => device.tensor(Float32Array.from(values)) as Tensor;
  return {
    logWeights: column(components.map(({ weight }) => Math.log(weight))),
    means: device.tensor(Float32Array.from(components.flatMap(({ mean }) => mean)), {
      shape: [components.length, components[0]!.mean.length],
    }) as Tensor,
    spreads: column(components.map(({ spread }) => spread)),
  } satisfies Record<keyof Table, Tensor> as TreeOf<Tensor>;
}

/**
 * The network that an expert of this objective becomes by perfect training on its cluster: it works out what is expected
 * on its own path, component by component. A label, where there is one, moves all data by that much.
 */
export function gaussianExpert(objective: Objective): Expert {
  const pathAt = devicePaths[objective.path]!;
  return {
    objective,
    init: () => {
      throw new Error('these parameters are written down, not drawn');
    },
    apply: (params, { latents, time, condition }) => {
      const table = params as unknown as Table;
      const at = pathAt(time.reshape([-1, 1]));
      const moved = condition?.kind === 'label' ? condition.label.cast('f32').reshape([-1, 1]) : 0;
      const x = latents.reshape([latents.shape[0]!, -1]).sub(at.alpha.mul(moved)); // [B, D]
      const { offsets, variances, logs } = posterior(table, at, x);
      // Of a component: E[ε | x] = σ·offset / variance and E[x₀ | x] = μ + α s²·offset / variance.
      const shares = softmax(logs, 1); // [B, M]
      const mean = (weights: Tensor) =>
        weights
          .reshape([...weights.shape, 1])
          .mul(offsets)
          .sum(1); // [B, D]
      const noise = mean(shares.div(variances).mul(at.sigma));
      const rest = mean(shares.div(variances).mul(at.alpha).mul(table.spreads.square()));
      const data = shares.matmul(table.means).add(rest).add(moved);
      const answer = {
        sample: data,
        epsilon: noise,
        velocity: data.mul(at.alphaPrime).add(noise.mul(at.sigmaPrime)),
        v: noise.mul(at.alpha).sub(data.mul(at.sigma)),
      }[objective.prediction];
      return answer.reshape(latents.shape);
    },
  };
}

/** The router that perfect training on all data gives: logits ln Σ_{c ∈ k} w_c·p_t(x | c) on a built-in path. */
export function gaussianRouter(clusters: Clusters, path: NoisePath): Router {
  const ends = clusters.map((_, k) => clusters.slice(0, k + 1).flat().length); // each cluster's last column, plus one
  return {
    clusters: clusters.length,
    init: () => {
      throw new Error('these parameters are written down, not drawn');
    },
    logits: (params, { latents, time }) => {
      const at = devicePaths[path.name]!(time.reshape([-1, 1]));
      const { logs } = posterior(params as unknown as Table, at, latents.reshape([latents.shape[0]!, -1]));
      const ofCluster = (end: number, k: number) => logs.slice([null, [ends[k - 1] ?? 0, end]]);
      return concat(
        ends.map((end, k) => logSumExp(ofCluster(end, k), 1, { keepDims: true })),
        1,
      );
    },
  };
}

/** x − α μ, α² s² + σ² and ln w·p_t(x | c), up to what all components share. */
function posterior({ logWeights, means, spreads }: Table, at: PathTensors, x: Tensor) {
  const [batch, d] = x.shape as readonly [number, number];
  const offsets = x.reshape([batch, 1, d]).sub(at.alpha.reshape([batch, 1, 1]).mul(means)); // [B, M, D]
  const variances = at.alpha.mul(spreads).square().add(at.sigma.square()); // [B, M]
  const distances = offsets.square().sum(2).div(variances);
  const logs = logWeights.sub(log(variances).mul(d / 2)).sub(distances.mul(0.5));
  return { offsets, variances, logs };
}

interface PathTensors {
  readonly alpha: Tensor;
  readonly sigma: Tensor;
  readonly alphaPrime: Tensor | number;
  readonly sigmaPrime: Tensor | number;
}

/** The built-in paths for networks, which get the time as a tensor. */
const devicePaths: Readonly<Record<string, (t: Tensor) => PathTensors>> = {
  linear: (t) => ({ alpha: t.rsub(1), sigma: t, alphaPrime: -1, sigmaPrime: 1 }),
  cosine: (t) => {
    const [alpha, sigma] = [cos(t.mul(Math.PI / 2)), sin(t.mul(Math.PI / 2))];
    return { alpha, sigma, alphaPrime: sigma.mul(-Math.PI / 2), sigmaPrime: alpha.mul(Math.PI / 2) };
  },
};
