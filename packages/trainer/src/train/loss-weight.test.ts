import { cosinePath, linearPath, type NoisePath, type Prediction } from '@paris/model';
import { describe, expect, it } from 'vitest';
import { minSnr, parseLossWeight, unweighted, velocityError } from './loss-weight.js';

const predictions: Prediction[] = ['velocity', 'epsilon', 'sample', 'v'];
const times = [0.01, 0.2, 0.4, 0.5, 0.7, 0.95, 0.999];
const snr = (path: NoisePath, t: number) => (path.alpha(t) / path.sigma(t)) ** 2;

const [data, estimate] = [0.7, -0.4];

/** The squared error of a network that takes x₀ for `estimate`, in each parametrisation. */
function squaredErrors(path: NoisePath, t: number): { [prediction in Prediction]: number } {
  const [alpha, sigma] = [path.alpha(t), path.sigma(t)];
  const x = alpha * data + sigma * 1.3;
  const says = (sample: number) => {
    const epsilon = (x - alpha * sample) / sigma;
    const velocity = path.alphaPrime(t) * sample + path.sigmaPrime(t) * epsilon;
    return { sample, epsilon, velocity, v: alpha * epsilon - sigma * sample };
  };
  const [said, right] = [says(estimate), says(data)];
  const error = (prediction: Prediction) => (said[prediction] - right[prediction]) ** 2;
  return { velocity: error('velocity'), epsilon: error('epsilon'), sample: error('sample'), v: error('v') };
}

describe.each([linearPath, cosinePath])('min-SNR on the $name path', (path) => {
  it('is min(SNR, γ) of the error of x̂₀, whatever is predicted', () => {
    for (const t of times) {
      const wanted = Math.min(snr(path, t), 5) * (estimate - data) ** 2;
      const errors = squaredErrors(path, t);
      for (const prediction of predictions) {
        expect(minSnr(5).weight!(prediction, path, t) * errors[prediction]).toBeCloseTo(wanted, 10);
      }
    }
  });

  it('is finite at both ends', () => {
    const at = (t: number) => predictions.map((prediction) => minSnr(3).weight!(prediction, path, t));
    expect(at(0)).toEqual([0, 0, 3, 0]);
    expect(at(1)).toEqual([0, 1, 0, 0]);
  });
});

describe.each([linearPath, cosinePath])('the error of the velocity on the $name path', (path) => {
  it('is that, whatever is predicted, where its factor is within the bound', () => {
    for (const t of [0.2, 0.4, 0.5, 0.7, 0.8]) {
      const errors = squaredErrors(path, t);
      for (const prediction of predictions) {
        expect(velocityError().weight!(prediction, path, t) * errors[prediction]).toBeCloseTo(errors.velocity, 10);
      }
    }
  });

  it('has factors up to the bound, also where the prediction says nothing of the velocity', () => {
    const at = (t: number) => predictions.map((prediction) => velocityError(9).weight!(prediction, path, t));
    const v = path.sigmaPrime(0) ** 2; // where α is 1 and σ is 0
    expect(at(0)).toEqual([1, v, 9, v]);
    expect(at(1).map((factor) => Math.round(factor * 1e6) / 1e6)).toEqual(
      [1, 9, path.alphaPrime(1) ** 2, path.alphaPrime(1) ** 2].map((factor) => Math.round(factor * 1e6) / 1e6),
    );
  });
});

it("is the paper's: no time nearer to the picture than 0.05 on the linear path", () => {
  for (const t of [0, 0.01, 0.05, 0.3, 1]) {
    expect(velocityError().weight!('sample', linearPath, t)).toBeCloseTo(1 / Math.max(t, 0.05) ** 2, 8);
  }
});

it("is the paper's table on a variance-preserving path", () => {
  for (const t of times) {
    const r = snr(cosinePath, t);
    const weight = (prediction: Prediction) => minSnr().weight!(prediction, cosinePath, t);
    expect(weight('sample')).toBeCloseTo(Math.min(r, 5), 12);
    expect(weight('epsilon')).toBeCloseTo(Math.min(r, 5) / r, 12);
    expect(weight('v')).toBeCloseTo(Math.min(r, 5) / (r + 1), 12);
    // dx/dt is π/2 times its v = α·ε − σ·x₀, the derivative by the angle.
    expect(weight('velocity') * (Math.PI / 2) ** 2).toBeCloseTo(Math.min(r, 5) / (r + 1), 12);
  }
});

it('is found by its name', () => {
  expect(parseLossWeight('none')).toBe(unweighted);
  expect(parseLossWeight('min-snr').name).toBe('min-snr:5');
  expect(parseLossWeight('min-snr:1.5').name).toBe('min-snr:1.5');
  expect(() => parseLossWeight('p2')).toThrow(
    '[lossWeight] no weight of the loss is called "p2". Known: none, min-snr, min-snr:GAMMA, velocity, velocity:BOUND.',
  );
  expect(parseLossWeight('velocity').name).toBe('velocity:400');
  expect(parseLossWeight('velocity:100').name).toBe('velocity:100');
  for (const gamma of ['0', '-1', 'five', 'Infinity']) {
    expect(() => parseLossWeight(`velocity:${gamma}`)).toThrow('Give a positive number; 400 is usual.');
    expect(() => parseLossWeight(`min-snr:${gamma}`)).toThrow('Give a positive number; 5 is usual.');
  }
});
