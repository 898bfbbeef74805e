import { describe, expect, it } from 'vitest';
import { cosinePath } from '../paths/cosine.js';
import { ddpmPath } from '../paths/ddpm.js';
import { linearPath } from '../paths/linear.js';
import type { NoisePath } from '../paths/path.js';
import { type Prediction, type PredictionCoefficients, predictionCoefficients } from './predictions.js';

const data = 0.7;
const noise = -1.3;

/** What a perfect network answers for x₀ = data and ε = noise on its own path at `time`. */
function perfect(prediction: Prediction, path: NoisePath, time: number): number {
  if (prediction === 'sample') return data;
  if (prediction === 'epsilon') return noise;
  if (prediction === 'v') return path.alpha(time) * noise - path.sigma(time) * data;
  return path.alphaPrime(time) * data + path.sigmaPrime(time) * noise;
}

function convert(x: number, output: number, at: PredictionCoefficients): { sample: number; velocity: number } {
  const sample = at.sampleFromLatents * x + at.sampleFromOutput * output;
  const epsilon = at.noiseFromLatents * x + at.noiseFromOutput * output;
  return { sample, velocity: at.alphaPrime * sample + at.sigmaPrime * epsilon };
}

const paths = [linearPath, cosinePath, ddpmPath({ betas: 'scaled-linear', zeroSnr: true })];
const cases = (['velocity', 'epsilon', 'sample', 'v'] as const).flatMap((prediction) =>
  paths.flatMap((trained) => paths.map((path) => ({ prediction, trained, path }))),
);

describe.each(cases)('$prediction on the $trained.name path, sampled on the $path.name path', (each) => {
  const { prediction, trained, path } = each;

  it('gives back data and velocity of a perfect network', () => {
    for (const t of [0.05, 0.3, 0.5, 0.8, 0.95]) {
      const at = predictionCoefficients(prediction, trained, path, t);
      const x = path.alpha(t) * data + path.sigma(t) * noise;
      const { sample, velocity } = convert(x, perfect(prediction, trained, at.time), at);
      expect(sample).toBeCloseTo(data, 11);
      expect(velocity).toBeCloseTo(path.alphaPrime(t) * data + path.sigmaPrime(t) * noise, 11);
    }
  });

  it('shows the network a point of its own path', () => {
    for (const t of [0, 0.3, 0.8, 1]) {
      const { time, latentsScale } = predictionCoefficients(prediction, trained, path, t);
      const x = path.alpha(t) * data + path.sigma(t) * noise;
      expect(latentsScale * x).toBeCloseTo(trained.alpha(time) * data + trained.sigma(time) * noise, 12);
    }
  });

  it('has finite coefficients at both ends', () => {
    for (const t of [0, 1]) {
      for (const value of Object.values(predictionCoefficients(prediction, trained, path, t))) {
        expect(Number.isFinite(value)).toBe(true);
      }
    }
  });
});

it('asks a cosine expert at s = (2/π)·atan(t / (1 − t)) when sampling on the linear path', () => {
  const t = 0.37;
  const { time, latentsScale } = predictionCoefficients('epsilon', cosinePath, linearPath, t);
  expect(time).toBeCloseTo((2 / Math.PI) * Math.atan(t / (1 - t)), 14);
  expect(latentsScale).toBeCloseTo(1 / Math.hypot(1 - t, t), 14);
});

it('mixing predictions of two paths without the match errs by more than it with it', () => {
  const t = 0.6;
  const x = linearPath.alpha(t) * data + linearPath.sigma(t) * noise;
  const unmatched = predictionCoefficients('epsilon', cosinePath, cosinePath, t);
  const output = perfect('epsilon', cosinePath, unmatched.time);
  expect(Math.abs(convert(x, output, unmatched).sample - data)).toBeGreaterThan(0.1);
});

it('refuses unknown predictions and times outside [0, 1]', () => {
  expect(() => predictionCoefficients('score' as Prediction, linearPath, linearPath, 0.5)).toThrow(
    '[prediction] "score" is unknown. Known: "velocity", "v", "epsilon", "sample".',
  );
  expect(() => predictionCoefficients('constructor' as Prediction, linearPath, linearPath, 0.5)).toThrow(
    '[prediction] "constructor" is unknown.',
  );
  expect(() => predictionCoefficients('sample', linearPath, linearPath, 1.5)).toThrow('[prediction] the time is 1.5.');
});
