// How much each noise level counts in the loss: a factor on the squared error of the prediction.
import { ValueError } from '@paris/files';
import type { NoisePath, Prediction } from '@paris/model';

/** A weight of the squared error. Your own is an object of this form. */
export interface LossWeight {
  /** Is recorded in run.json, so it must contain everything that changes the weights. */
  readonly name: string;
  /** The factor at time t of the path that is trained on, finite for every t in [0, 1]; absent if it is 1 for all. */
  readonly weight?: (prediction: Prediction, path: NoisePath, t: number) => number;
}

/** The plain squared error of what is predicted: DDM (arXiv 2501.05450, eq. 6), and the default. */
export const unweighted: LossWeight = { name: 'none' };

/**
 * min(SNR, γ)·‖x̂₀ − x₀‖² with SNR = α²/σ², whatever is predicted (Min-SNR, arXiv 2303.09556; γ = 5 there). The
 * error of a prediction is that of x̂₀ times a number which only depends on t: 1 for the sample, α/σ for ε, and D/σ for
 * the velocity, D = α·σ′ − σ·α′ (from x_t = α·x₀ + σ·ε). So the factors are min(SNR, γ), min(SNR, γ)/SNR, and
 * min(SNR, γ)·σ²/D². For v = α·ε − σ·x₀ it is α² + σ² in place of D; where that is 1, it is the paper's min(SNR, γ)/(SNR + 1).
 * @throws ValueError if gamma is not a positive number
 */
export function minSnr(gamma = 5): LossWeight {
  if (!(gamma > 0) || !Number.isFinite(gamma)) {
    throw new ValueError('lossWeight', `min-snr has gamma ${gamma}. Give a positive number; 5 is usual.`);
  }
  return {
    name: `min-snr:${gamma}`,
    weight: (prediction, path, t) => {
      const [alpha, sigma] = [path.alpha(t), path.sigma(t)];
      // min(α², γσ²) is σ²·min(SNR, γ), and finite where the SNR is not.
      const clipped = Math.min(alpha ** 2, gamma * sigma ** 2);
      if (prediction === 'sample') return sigma === 0 ? gamma : clipped / sigma ** 2;
      if (prediction === 'epsilon') return alpha === 0 ? 1 : clipped / alpha ** 2;
      if (prediction === 'v') return clipped / (alpha ** 2 + sigma ** 2) ** 2;
      const determinant = alpha * path.sigmaPrime(t) - sigma * path.alphaPrime(t);
      return clipped / determinant ** 2;
    },
  };
}

/**
 * The squared error of the velocity, whatever is predicted (Li and He 2025, arXiv 2511.13720, where it goes with a network that
 * predicts the picture), with a factor of at most `bound` on the error of the prediction. In the terms of {@link minSnr}: D²/σ² for
 * the sample, D²/α² for ε, D²/(α² + σ²)² for v, and 1 for the velocity. On the linear path D is 1, and a bound of 400 is the paper's,
 * who take no time as less than 0.05 from the end.
 * @throws ValueError if bound is not a positive number
 */
export function velocityError(bound = 400): LossWeight {
  if (!(bound > 0) || !Number.isFinite(bound)) {
    throw new ValueError('lossWeight', `velocity has the bound ${bound}. Give a positive number; 400 is usual.`);
  }
  return {
    name: `velocity:${bound}`,
    weight: (prediction, path, t) => {
      if (prediction === 'velocity') return Math.min(1, bound);
      const [alpha, sigma] = [path.alpha(t), path.sigma(t)];
      const squared = (alpha * path.sigmaPrime(t) - sigma * path.alphaPrime(t)) ** 2;
      const by =
        prediction === 'sample' ? sigma ** 2 : prediction === 'epsilon' ? alpha ** 2 : (alpha ** 2 + sigma ** 2) ** 2;
      return squared > bound * by ? bound : squared / by;
    },
  };
}

/**
 * A weight by its name: `none`, `min-snr`, `min-snr:GAMMA`, `velocity`, or `velocity:BOUND`.
 * @throws ValueError for anything else
 */
export function parseLossWeight(name: string): LossWeight {
  if (name === 'none') return unweighted;
  const [, rule, number] = /^(min-snr|velocity)(?::(.+))?$/.exec(name) ?? [];
  const value = number === undefined ? undefined : Number(number);
  if (rule === 'min-snr') return minSnr(value);
  if (rule === 'velocity') return velocityError(value);
  const known = 'none, min-snr, min-snr:GAMMA, velocity, velocity:BOUND';
  throw new ValueError('lossWeight', `no weight of the loss is called "${name}". Known: ${known}.`);
}
