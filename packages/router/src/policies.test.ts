import { key, ValueError } from '@paris/tensor';
import { describe, expect, it } from 'vitest';
import {
  among,
  amongResident,
  every,
  full,
  latched,
  nucleus,
  nucleusSample,
  oracle,
  parseRoutingPolicy,
  type RoutingPolicy,
  type RoutingStep,
  sample,
  tempered,
  threshold,
  top,
} from './index.js';

const at = (step: Partial<RoutingStep> = {}): RoutingStep => ({
  imageIndex: 0,
  step: 0,
  evaluation: 0,
  time: 0.5,
  key: key(0),
  ...step,
});
const p = Float32Array.of(0.125, 0.5, 0.25, 0.125);
const ask = (policy: RoutingPolicy, probabilities = p, step = at()) => [...policy(probabilities, step)];

describe('weights', () => {
  it('top(k) keeps the k largest and renormalises', () => {
    expect(ask(top(1))).toEqual([0, 1, 0, 0]);
    expect(ask(top(2))[1]).toBeCloseTo(2 / 3, 6);
    expect(ask(top(2))[2]).toBeCloseTo(1 / 3, 6);
    expect(ask(top(4))).toEqual([...p]);
  });

  it('top(k) takes the lower index of equals', () => {
    expect(ask(top(3))).toEqual([Math.fround(1 / 7), Math.fround(4 / 7), Math.fround(2 / 7), 0]);
    expect(ask(top(1), Float32Array.of(0.25, 0.25, 0.25, 0.25))).toEqual([1, 0, 0, 0]);
  });

  it('full() keeps everything', () => expect(ask(full())).toEqual([...p]));

  it('threshold(τ) keeps what reaches it, or else the best', () => {
    expect(ask(threshold(0.25))).toEqual([0, Math.fround(2 / 3), Math.fround(1 / 3), 0]);
    expect(ask(threshold(0.9))).toEqual([0, 1, 0, 0]);
    expect(ask(threshold(0.3), Float32Array.of(0.7, 0.3))).toEqual([Math.fround(0.7), Math.fround(0.3)]);
    expect(ask(threshold(0.7), Float32Array.of(0.7, 0.3))).toEqual([1, 0]);
  });

  it('nucleus(p) keeps the fewest that reach it', () => {
    expect(ask(nucleus(0.5))).toEqual([0, 1, 0, 0]);
    expect(ask(nucleus(0.51))).toEqual([0, Math.fround(2 / 3), Math.fround(1 / 3), 0]);
    expect(ask(nucleus(1))).toEqual([...p]);
  });

  it('oracle(labels) takes the expert of the picture’s cluster', () => {
    expect(ask(oracle([2, 0]), p, at({ imageIndex: 1 }))).toEqual([1, 0, 0, 0]);
  });

  it('sample(n) averages to the full mixture', () => {
    const draws = 4000;
    const mean = [0, 0, 0, 0];
    for (let i = 0; i < draws; i++) {
      const weights = ask(sample(2), p, at({ key: key(i) }));
      for (const [k, weight] of weights.entries()) mean[k]! += weight / draws;
    }
    // Standard error of a mean of 8000 draws: at most √(0.25 / 8000) = 0.0056.
    for (const [k, weight] of mean.entries()) expect(Math.abs(weight - p[k]!)).toBeLessThan(0.025);
  });

  it('nucleusSample(p) draws one expert, and only from the nucleus', () => {
    const drawn = new Set<number>();
    for (let i = 0; i < 200; i++) drawn.add(ask(nucleusSample(0.7), p, at({ key: key(i) })).indexOf(1));
    expect([...drawn].sort()).toEqual([1, 2]);
  });

  it('the same key draws the same', () => {
    expect(ask(sample(3), p, at({ key: key(5) }))).toEqual(ask(sample(3), p, at({ key: key(5) })));
  });

  it('latched decides once, every(n) at each n-th step', () => {
    const previousWeights = Float32Array.of(0, 0, 0, 1);
    expect(ask(latched(top(1)))).toEqual([0, 1, 0, 0]);
    expect(ask(latched(top(1)), p, at({ step: 3, previousWeights }))).toEqual([0, 0, 0, 1]);
    expect(ask(every(2, top(1)), p, at({ step: 4, previousWeights }))).toEqual([0, 1, 0, 0]);
    expect(ask(every(2, top(1)), p, at({ step: 4, evaluation: 1, previousWeights }))).toEqual([0, 0, 0, 1]);
    expect(ask(every(2, top(1)), p, at({ step: 5, previousWeights }))).toEqual([0, 0, 0, 1]);
  });

  it.each([0.5, 1, 2, 0.01])('tempered(%d) is softmax(logits / T)', (temperature) => {
    const logits = [-1.5, 0.25, 3, 2.5, -40];
    const softmax = (T: number) => {
      const powers = logits.map((logit) => Math.exp((logit - 3) / T));
      return powers.map((power) => power / powers.reduce((a, b) => a + b));
    };
    const weights = ask(tempered(temperature, full()), Float32Array.from(softmax(1)));
    for (const [k, expected] of softmax(temperature).entries()) expect(weights[k]).toBeCloseTo(expected, 6);
  });

  it('the extremes of temperature are their limits: the most probable share, or all that are possible', () => {
    const tied = Float32Array.of(0.375, 0.375, 0.25, 0);
    for (const cold of [Number.MIN_VALUE, 1e-320, 1e-310, 1e-300, 1e-20]) {
      expect(ask(tempered(cold, full()), tied), `${cold}`).toEqual([0.5, 0.5, 0, 0]);
      expect(ask(tempered(cold, top(2))), `${cold}`).toEqual([0, 1, 0, 0]);
    }
    for (const hot of [1e20, 1e300, Number.MAX_VALUE]) {
      const third = Math.fround(1 / 3);
      expect(ask(tempered(hot, full()), tied), `${hot}`).toEqual([third, third, third, 0]);
    }
  });

  it('a temperature moves the weights of top(k), not its choice', () => {
    const weights = ask(tempered(0.5, top(2))); // squares: 0.25 and 0.0625
    expect(weights[1]).toBeCloseTo(0.8, 6);
    expect(weights[2]).toBeCloseTo(0.2, 6);
    expect([weights[0], weights[3]]).toEqual([0, 0]);
    expect(ask(tempered(1, top(2)))[1]).toBeCloseTo(2 / 3, 6);
  });

  it.each([top(1), top(3), full(), tempered(2, top(2)), threshold(0.2), nucleus(0.6), sample(3), nucleusSample(0.9)])(
    'sum to 1 and leave the probabilities alone (%#)',
    (policy) => {
      const probabilities = Float32Array.of(0.1, 0.35, 0.3, 0.05, 0.2);
      const weights = ask(policy, probabilities);
      expect(weights.reduce((a, b) => a + b)).toBeCloseTo(1, 6);
      expect([...probabilities]).toEqual([...Float32Array.of(0.1, 0.35, 0.3, 0.05, 0.2)]);
    },
  );
});

describe('among', () => {
  it('renormalises over what it may choose', () => {
    const [, b, c] = p;
    expect(ask(among([1, 2], full()))).toEqual([
      0,
      expect.closeTo(b! / (b! + c!), 6),
      expect.closeTo(c! / (b! + c!), 6),
      0,
    ]);
    expect(ask(among(new Set([3]), top(2)))).toEqual([0, 0, 0, 1]);
  });
  it('shares evenly where the router believes in none of them', () => {
    expect(ask(among([0, 2], full()), Float32Array.of(0, 1, 0))).toEqual([0.5, 0, 0.5]);
  });
  it('resident asks what is there at each evaluation, and all where nothing is', () => {
    const resident = new Set<number>();
    const policy = amongResident(top(1));
    expect(ask(policy, p, at({ resident }))).toEqual(ask(top(1)));
    expect(ask(policy, p, at({}))).toEqual(ask(top(1)));
    resident.add(3);
    expect(ask(policy, p, at({ resident }))).toEqual([0, 0, 0, 1]);
  });
  it('refuses experts that there are not', () => {
    expect(() => among([], top(1))).toThrow('[among] there is no expert to choose from. Name at least one.');
    expect(() => ask(among([4], top(1)))).toThrow('[among] there is no expert 4. Name experts from 0 to 3.');
  });
});

describe('bad input', () => {
  const policies = [top(1), full(), tempered(0.5, full()), threshold(0.1), nucleus(0.5), sample(1), nucleusSample(0.5)];
  it.each([
    ['NaN', [Number.NaN, 1]],
    ['negative', [-0.5, 1.5]],
    ['logits', [2, 3, 1]],
    ['nothing', []],
  ])('%s is refused by every policy', (_, probabilities) => {
    for (const policy of policies) expect(() => ask(policy, Float32Array.from(probabilities))).toThrow(ValueError);
  });

  it('more experts than there are', () => {
    expect(() => ask(top(5))).toThrow('[top] asked for 5 experts of 4. Ask for no more than there are.');
  });

  it('numbers that make no policy', () => {
    for (const make of [
      () => tempered(0, full()),
      () => tempered(Number.POSITIVE_INFINITY, full()),
      () => top(0),
      () => top(1.5),
      () => threshold(0),
      () => nucleus(1.1),
      () => sample(Number.NaN),
    ]) {
      expect(make).toThrow(ValueError);
    }
    expect(() => ask(oracle([4]))).toThrow('needs a label from 0 to 3, got 4');
    expect(() => ask(oracle([0]), p, at({ imageIndex: 1 }))).toThrow('got undefined');
  });
});

describe('parseRoutingPolicy', () => {
  it('reads the names that commands and indexes use', () => {
    expect(ask(parseRoutingPolicy('top1'))).toEqual([0, 1, 0, 0]);
    expect(ask(parseRoutingPolicy('full'))).toEqual([...p]);
    expect(ask(parseRoutingPolicy('threshold0.25'))).toEqual(ask(threshold(0.25)));
    expect(ask(parseRoutingPolicy('nucleus0.5'))).toEqual(ask(nucleus(0.5)));
    expect(ask(parseRoutingPolicy('top2@0.5'))).toEqual(ask(tempered(0.5, top(2))));
    expect(ask(parseRoutingPolicy('full@2'))).toEqual(ask(tempered(2, full())));
    const resident = at({ resident: new Set([2, 3]) });
    expect(ask(parseRoutingPolicy('resident-top2'), p, resident)).toEqual(ask(among([2, 3], top(2))));
    expect(ask(parseRoutingPolicy('resident-top1@0.5'), p, resident)).toEqual(
      ask(among([2, 3], tempered(0.5, top(1)))),
    );
  });
  it.each(['top', 'best2', 'full2', 'top-2', '', 'constructor1', 'top2@', '@2', 'top2@-1'])('refuses "%s"', (name) => {
    expect(() => parseRoutingPolicy(name)).toThrow(
      `[routing] there is no policy "${name}". Write full, top2, threshold0.05, nucleus0.9 or sample1 with your own ` +
        'number, and @0.5 after it for a temperature, resident- before it for the experts that are loaded.',
    );
  });
});
