// How often each noise level is trained on: a density over t in [0, 1], and draws from it.
import { hostExp, hostLog, hostNormal, hostUniform, type Key, ValueError } from '@paris/tensor/host';

/** A density of training times. Your own is an object of this form. */
export interface TimeDensity {
  /** Is recorded in run.json, so it must contain everything that changes the draws. */
  readonly name: string;
  /** `count` times in [0, 1], a pure function of the key. */
  draw(key: Key, count: number): Float32Array;
  /** The density at t in (0, 1); its integral is 1. */
  density(t: number): number;
}

/** Every time as often as every other: DDM (arXiv 2501.05450, Algorithm 1), and the default. */
export const uniformDensity: TimeDensity = {
  name: 'uniform',
  draw: (key, count) => hostUniform(key, count),
  density: () => 1,
};

/**
 * ln(t / (1 − t)) is normal: more of the middle, where there is most to learn, less of both ends (Stable Diffusion 3,
 * arXiv 2403.03206, §3.1). A positive mean moves it towards noise. Default 0 and 1.
 * @throws ValueError for a deviation that is not positive, or numbers that are not finite
 */
export function logitNormalDensity(options: { mean?: number; deviation?: number } = {}): TimeDensity {
  const { mean = 0, deviation = 1 } = options;
  if (!Number.isFinite(mean) || !Number.isFinite(deviation) || deviation <= 0) {
    throw new ValueError(
      'timeDensity',
      `logit-normal with mean ${mean} and deviation ${deviation}: both must be finite, the deviation positive.`,
    );
  }
  return {
    name: `logit-normal:${mean},${deviation}`,
    draw: (key, count) => hostNormal(key, count).map((z) => 1 / (1 + hostExp(-(mean + deviation * z)))),
    density: (t) => {
      const z = (hostLog(t / (1 - t)) - mean) / deviation;
      return hostExp(-(z * z) / 2) / (Math.sqrt(2 * Math.PI) * deviation * t * (1 - t));
    },
  };
}

/**
 * A density by its name: `uniform`, `logit-normal`, or `logit-normal:MEAN,DEVIATION`.
 * @throws ValueError for anything else
 */
export function parseTimeDensity(name: string): TimeDensity {
  if (name === 'uniform') return uniformDensity;
  if (name === 'logit-normal') return logitNormalDensity();
  const [, mean, deviation] = /^logit-normal:([^,]+),([^,]+)$/.exec(name) ?? [];
  if (mean !== undefined) return logitNormalDensity({ mean: Number(mean), deviation: Number(deviation) });
  throw new ValueError(
    'timeDensity',
    `no density of times is called "${name}". Known: uniform, logit-normal, logit-normal:MEAN,DEVIATION.`,
  );
}
