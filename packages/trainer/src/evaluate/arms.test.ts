import { full, oracle, top } from '@paris/router';
import { key } from '@paris/tensor';
import { describe, expect, it } from 'vitest';
import {
  byTime,
  derangement,
  estimate,
  expertLosses,
  type Measurements,
  namedPolicy,
  pairedDifference,
  policyLosses,
} from './arms.js';

const [T, N, K, D] = [2, 5, 3, 7];
const random = (() => {
  let i = 0;
  return () => key(5).foldIn(i++).uniform();
})();

/** Made-up predictions and probabilities, with the losses computed the long way. */
function example() {
  const errors = Array.from({ length: T * N }, () =>
    Array.from({ length: K }, () => Array.from({ length: D }, () => random() - 0.5)),
  );
  const probabilities = Array.from({ length: T * N }, () => {
    const raw = Array.from({ length: K }, random);
    const sum = raw.reduce((a, b) => a + b);
    return raw.map((p) => p / sum);
  });
  const gram = errors.flatMap((e) => e.flatMap((a) => e.map((b) => a.reduce((s, v, d) => s + v * b[d]!, 0) / D)));
  const m: Measurements = {
    count: N,
    clusters: K,
    times: [0.25, 0.75],
    gram: Float32Array.from(gram),
    probabilities: Float32Array.from(probabilities.flat()),
  };
  const mse = (at: number, weights: number[]) => {
    const mixed = Array.from({ length: D }, (_, d) => weights.reduce((s, w, k) => s + w * errors[at]![k]![d]!, 0));
    return mixed.reduce((s, v) => s + v * v, 0) / D;
  };
  return { m, mse, probabilities };
}

describe('losses from Gram matrices', () => {
  const { m, mse, probabilities } = example();
  const close = (losses: Float64Array, direct: (at: number) => number) => {
    expect(losses).toHaveLength(T * N);
    losses.forEach((loss, at) => {
      expect(loss).toBeCloseTo(direct(at), 6);
    });
  };
  const normalised = (p: number[]) => p.map((v) => v / p.reduce((a, b) => a + b));
  const topTwo = (p: number[]) => {
    const least = p.indexOf(Math.min(...p));
    return p.map((v, k) => (k === least ? 0 : v / (1 - p[least]!)));
  };

  it('are the mean squared errors of single experts and mixtures', () => {
    close(expertLosses(m, 1), (at) => mse(at, [0, 1, 0]));
    close(policyLosses(m, full(), key(0)), (at) => mse(at, probabilities[at]!));
    close(policyLosses(m, top(2), key(0)), (at) => mse(at, topTwo(probabilities[at]!)));
    const labels = [2, 0, 1, 1, 2];
    close(policyLosses(m, oracle(labels), key(0)), (at) =>
      mse(
        at,
        [0, 1, 2].map((k) => (k === labels[at % N] ? 1 : 0)),
      ),
    );
  });

  it('of policies by name: no more experts than there are, tempered or not', () => {
    expect(policyLosses(m, namedPolicy('top8', K), key(0))).toEqual(policyLosses(m, full(), key(0)));
    close(policyLosses(m, namedPolicy('top2@0.5', K), key(0)), (at) =>
      mse(at, topTwo(normalised(probabilities[at]!.map((p) => p * p)))),
    );
    expect(() => namedPolicy('top0', K)).toThrow('[top] the number must be a whole number from 1 on, got 0.');
  });

  it("takes another picture's weights, and this picture's predictions", () => {
    const order = derangement(N, key(3));
    const direct = (at: number) => mse(at, topTwo(probabilities[Math.floor(at / N) * N + order[at % N]!]!));
    close(policyLosses(m, top(2), key(0), order), direct);
  });
});

describe('estimates', () => {
  // Times × pictures: picture means 2, 4, 9.
  const a = Float64Array.from([1, 3, 8, 3, 5, 10]);
  const b = Float64Array.from([2, 2, 8, 2, 4, 7]);

  it('have the standard error over pictures, not over times', () => {
    expect(estimate(a, 3).mean).toBeCloseTo(5, 12);
    expect(estimate(a, 3).standardError).toBeCloseTo(Math.sqrt(26 / 2 / 3), 12);
    expect(estimate(Float64Array.of(1, 2), 1).standardError).toBe(Number.POSITIVE_INFINITY);
  });

  it('pair pictures', () => {
    // Differences of picture means: 0, 1, 1.5.
    expect(pairedDifference(a, b, 3).mean).toBeCloseTo(2.5 / 3, 12);
    const squares = [0, 1, 1.5].reduce((s, v) => s + (v - 2.5 / 3) ** 2, 0);
    expect(pairedDifference(a, b, 3).standardError).toBeCloseTo(Math.sqrt(squares / 2 / 3), 12);
  });

  it('by time', () => expect(byTime(a, 3)).toEqual([4, 6]));
});

describe('derangement', () => {
  it.each([2, 3, 10, 101])('of %d leaves nothing in its place', (count) => {
    const order = derangement(count, key(1));
    expect([...order].sort((x, y) => x - y)).toEqual(Array.from({ length: count }, (_, i) => i));
    expect([...order].some((to, from) => to === from)).toBe(false);
  });

  it('needs two pictures', () => expect(() => derangement(1, key(1))).toThrow('cannot be permuted'));
});
