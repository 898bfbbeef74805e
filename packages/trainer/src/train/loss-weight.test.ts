import { cosinePath, linearPath, type NoisePath, type Prediction } from '@paris/model';
import { describe, expect, it } from 'vitest';
import { minSnr, parseLossWeight, unweighted } from './loss-weight.js';

const predictions: Prediction[] = ['velocity', 'epsilon', 'sample'];
const times = [0.01, 0.2, 0.4, 0.5, 0.7, 0.95, 0.999];
const snr = (path: NoisePath, t: number) => (path.alpha(t) / path.sigma(t)) ** 2;

describe.each([linearPath, cosinePath])('min-SNR on the $name path', (path) => {
  it('is min(SNR, γ) of the error of x̂₀, whatever is predicted', () => {
    const [data, estimate, noise] = [0.7, -0.4, 1.3];
    for (const t of times) {
      const [alpha, sigma] = [path.alpha(t), path.sigma(t)];
      const x = alpha * data + sigma * noise;
      // What a network that takes x₀ for `estimate` says in each parametrisation, and what is right.
      const says = (sample: number) => {
        const epsilon = (x - alpha * sample) / sigma;
        return { sample, epsilon, velocity: path.alphaPrime(t) * sample + path.sigmaPrime(t) * epsilon };
      };
      const wanted = Math.min(snr(path, t), 5) * (estimate - data) ** 2;
      for (const prediction of predictions) {
        const error = (says(estimate)[prediction] - says(data)[prediction]) ** 2;
        expect(minSnr(5).weight!(prediction, path, t) * error).toBeCloseTo(wanted, 10);
      }
    }
  });

  it('is finite at both ends', () => {
    const at = (t: number) => predictions.map((prediction) => minSnr(3).weight!(prediction, path, t));
    expect(at(0)).toEqual([0, 0, 3]);
    const [velocity, epsilon, sample] = at(1);
    expect([velocity, epsilon, sample]).toEqual([0, 1, 0]);
  });
});

it("is the paper's table on a variance-preserving path", () => {
  for (const t of times) {
    const r = snr(cosinePath, t);
    const weight = (prediction: Prediction) => minSnr().weight!(prediction, cosinePath, t);
    expect(weight('sample')).toBeCloseTo(Math.min(r, 5), 12);
    expect(weight('epsilon')).toBeCloseTo(Math.min(r, 5) / r, 12);
    // dx/dt is π/2 times its v = α·ε − σ·x₀, the derivative by the angle.
    expect(weight('velocity') * (Math.PI / 2) ** 2).toBeCloseTo(Math.min(r, 5) / (r + 1), 12);
  }
});

it('is found by its name', () => {
  expect(parseLossWeight('none')).toBe(unweighted);
  expect(parseLossWeight('min-snr').name).toBe('min-snr:5');
  expect(parseLossWeight('min-snr:1.5').name).toBe('min-snr:1.5');
  expect(() => parseLossWeight('p2')).toThrow(
    '[lossWeight] no weight of the loss is called "p2". Known: none, min-snr, min-snr:GAMMA.',
  );
  for (const gamma of ['0', '-1', 'five', 'Infinity']) {
    expect(() => parseLossWeight(`min-snr:${gamma}`)).toThrow('Give a positive number; 5 is usual.');
  }
});
