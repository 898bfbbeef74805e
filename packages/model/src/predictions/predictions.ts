/**
 * What a network's output says about the data and the velocity. A prediction at (α, σ), however it is parametrised, is
 * an affine function of x₀ and ε; so are the conversions, with coefficients that depend on the time alone.
 */
import { type Tensor, ValueError } from '@paris/tensor';
import { logSnr, type NoisePath } from '../paths/path.js';

/** What a network predicts: dx_t/dt, the noise ε, the data x₀, or v = α ε − σ x₀ (arXiv 2202.00512 §4). */
export type Prediction = 'velocity' | 'epsilon' | 'sample' | 'v';

/**
 * x̂₀ = sampleFromLatents·x + sampleFromOutput·output and ε̂ likewise, where x are the sampler's latents and the network
 * sees them as `latentsScale`·x at its own time `time`; then velocity = alphaPrime·x̂₀ + sigmaPrime·ε̂ on the sampler's
 * path. Plain numbers: they are inputs of a compiled function, never part of it.
 */
export interface PredictionCoefficients {
  readonly time: number;
  readonly latentsScale: number;
  readonly sampleFromLatents: number;
  readonly sampleFromOutput: number;
  readonly noiseFromLatents: number;
  readonly noiseFromOutput: number;
  readonly alphaPrime: number;
  readonly sigmaPrime: number;
}

/** α and σ are not taken smaller than this where a conversion divides by them (arXiv 2603.06741: α_safe). */
const smallest = 0.01;

/**
 * The coefficients at time `t` of the sampler's path for a network trained on `trained`. If the two paths differ, the
 * network is asked at the time of equal log-SNR, with the latents scaled to its path; x₀ and ε are the same on both
 * (heterogeneous experts, arXiv 2603.06741; the SNR match is derived from x_t = α x₀ + σ ε on either path).
 * @throws ValueError for an unknown prediction, or a time outside [0, 1]
 */
export function predictionCoefficients(
  prediction: Prediction,
  trained: NoisePath,
  path: NoisePath,
  t: number,
): PredictionCoefficients {
  if (!(t >= 0 && t <= 1)) throw new ValueError('prediction', `the time is ${t}. Times lie in [0, 1].`);
  const time = trained.name === path.name ? t : trained.timeAtLogSnr(logSnr(path, t));
  const at = {
    alpha: trained.alpha(time),
    sigma: trained.sigma(time),
    alphaPrime: trained.alphaPrime(time),
    sigmaPrime: trained.sigmaPrime(time),
  };
  // Equal SNR: α and σ are longer or shorter by the same factor. Taken by length, for one of the two may be zero.
  const latentsScale =
    trained.name === path.name ? 1 : lengthOf(at.alpha, at.sigma) / lengthOf(path.alpha(t), path.sigma(t));
  if (!Object.hasOwn(conversions, prediction))
    throw new ValueError('prediction', `"${prediction}" is unknown. Known: ${known()}.`);
  const { sample, noise } = conversions[prediction](at);
  return {
    time,
    latentsScale,
    sampleFromLatents: sample[0] * latentsScale,
    sampleFromOutput: sample[1],
    noiseFromLatents: noise[0] * latentsScale,
    noiseFromOutput: noise[1],
    alphaPrime: path.alphaPrime(t),
    sigmaPrime: path.sigmaPrime(t),
  };
}

interface PathPoint {
  readonly alpha: number;
  readonly sigma: number;
  readonly alphaPrime: number;
  readonly sigmaPrime: number;
}

/** How x̂₀ and ε̂ follow from [latents, output], from x = α x₀ + σ ε and, for a velocity, α′ x₀ + σ′ ε. */
const conversions: Record<
  Prediction,
  (at: PathPoint) => { sample: readonly [number, number]; noise: readonly [number, number] }
> = {
  velocity: ({ alpha, sigma, alphaPrime, sigmaPrime }) => {
    const determinant = alpha * sigmaPrime - sigma * alphaPrime; // 1 on the linear path, π/2 on the cosine path
    return {
      sample: [sigmaPrime / determinant, -sigma / determinant],
      noise: [-alphaPrime / determinant, alpha / determinant],
    };
  },
  // x and v are x₀ and ε turned by an angle, where α² + σ² = 1; elsewhere lengthened, too.
  v: ({ alpha, sigma }) => {
    const square = alpha ** 2 + sigma ** 2;
    return { sample: [alpha / square, -sigma / square], noise: [sigma / square, alpha / square] };
  },
  epsilon: ({ alpha, sigma }) => {
    const safe = Math.max(alpha, smallest);
    return { sample: [1 / safe, -sigma / safe], noise: [0, 1] };
  },
  sample: ({ alpha, sigma }) => {
    const safe = Math.max(sigma, smallest);
    return { sample: [0, 1], noise: [1 / safe, -alpha / safe] };
  },
};

/**
 * Where x̂₀ is clamped: an ε-prediction divides by an α that is small in much noise (arXiv 2603.06741 clamps to ±20).
 */
export const sampleLimits: Readonly<Partial<Record<Prediction, number>>> = { epsilon: 20 };

/** {@link PredictionCoefficients} as the device takes them: scalars, or [B, 1, 1, 1]. */
export type PredictionScalars = { readonly [name in Exclude<keyof PredictionCoefficients, 'time'>]: Tensor };

/**
 * Sample and velocity on the sampler's path from a network's output. Runs inside a traced function.
 * @param sampleLimit - x̂₀ is clamped to ±sampleLimit, ε̂ left as it is; see {@link sampleLimits}
 */
export function convertPrediction(
  latents: Tensor,
  output: Tensor,
  at: PredictionScalars,
  sampleLimit?: number,
): { sample: Tensor; velocity: Tensor } {
  const raw = latents.mul(at.sampleFromLatents).add(output.mul(at.sampleFromOutput));
  const sample = sampleLimit === undefined ? raw : raw.maximum(-sampleLimit).minimum(sampleLimit);
  const noise = latents.mul(at.noiseFromLatents).add(output.mul(at.noiseFromOutput));
  return { sample, velocity: sample.mul(at.alphaPrime).add(noise.mul(at.sigmaPrime)) };
}

/** The length of (a, b). `Math.hypot` rounds differently from engine to engine. */
function lengthOf(a: number, b: number): number {
  return Math.sqrt(a * a + b * b);
}

function known(): string {
  return Object.keys(conversions)
    .map((name) => `"${name}"`)
    .join(', ');
}
