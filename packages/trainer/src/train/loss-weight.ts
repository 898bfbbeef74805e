// How much each noise level counts in the loss: a factor on the squared error of the prediction.
import type { NoisePath, Prediction } from '@paris/model';
import { ValueError } from '@paris/tensor';

/** A weight of the squared error. Your own is an object of this form. */
export interface LossWeight {
  /** Stands in run.json, so it must say everything that changes the weights. */
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
 * min(SNR, γ)·σ²/D². The paper's factor for its v = α·ε − σ·x₀, min(SNR, γ)/(SNR + 1), is the last one with D = 1.
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
      const determinant = alpha * path.sigmaPrime(t) - sigma * path.alphaPrime(t);
      return clipped / determinant ** 2;
    },
  };
}

/**
 * A weight by its name: `none`, `min-snr`, or `min-snr:GAMMA`.
 * @throws ValueError for anything else
 */
export function parseLossWeight(name: string): LossWeight {
  if (name === 'none') return unweighted;
  if (name === 'min-snr') return minSnr();
  const gamma = /^min-snr:(.+)$/.exec(name)?.[1];
  if (gamma !== undefined) return minSnr(Number(gamma));
  throw new ValueError('lossWeight', `no weight of the loss is called "${name}". Known: none, min-snr, min-snr:GAMMA.`);
}
