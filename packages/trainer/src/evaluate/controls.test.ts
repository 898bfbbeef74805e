import { describe, expect, it } from 'vitest';
import { checkControls } from './controls.js';
import type { Evaluation } from './evaluation.js';
import { scoreRouter } from './router-score.js';
import { formatEvaluation } from './table.js';

const none = { mean: 1, standardError: 0.1 };
const evaluation: Evaluation = {
  version: 1,
  count: 100,
  clusters: 8,
  seed: 0,
  times: [0.5],
  router: {
    accuracy: 0.6,
    balancedAccuracy: 0.5,
    crossEntropy: 1,
    calibrationError: 0.1,
    majorityShare: 0.3,
    byTime: [],
  },
  losses: { experts: [], bestExpert: 0, policies: {}, permuted: none, oracle: none, byTime: {} },
  differences: {
    'top2 − best expert': { mean: -0.31, standardError: 0.1 },
    'top2 − permuted': { mean: -0.31, standardError: 0.1 },
  },
};
const failed = (change: Partial<Evaluation>) =>
  checkControls({ ...evaluation, ...change })
    .filter((c) => !c.passed)
    .map((c) => c.name);

describe('checkControls', () => {
  it('passes a good model', () => expect(failed({})).toEqual([]));

  it('fails each bound by name', () => {
    const { router, differences } = evaluation;
    expect(failed({ router: { ...router, balancedAccuracy: 0.374 } })).toEqual(['router: balanced accuracy']);
    expect(failed({ router: { ...router, balancedAccuracy: 0.375 } })).toEqual([]);
    expect(failed({ router: { ...router, accuracy: 0.399 } })).toEqual(['router: plain accuracy']);
    const close = { mean: -0.29, standardError: 0.1 };
    expect(failed({ differences: { ...differences, 'top2 − best expert': close } })).toEqual([
      'top-2 against the best single expert',
    ]);
    expect(failed({ differences: { ...differences, 'top2 − permuted': close } })).toEqual([
      'top-2 against permuted weights',
    ]);
    const worse = { mean: 0.5, standardError: 0.1 };
    expect(failed({ differences: { 'top2 − best expert': worse, 'top2 − permuted': worse } })).toHaveLength(2);
  });

  it.each([
    [1, 1, 'halfway to 1 from chance, which is 1/1 = 1.000'],
    [2, 0.75, 'halfway to 1 from chance, which is 1/2 = 0.500'],
    [3, 2 / 3, 'halfway to 1 from chance, which is 1/3 = 0.333'],
    [4, 0.625, 'halfway to 1 from chance, which is 1/4 = 0.250'],
    [6, 0.5, 'three times chance, which is 1/6 = 0.167'],
    [100, 0.03, 'three times chance, which is 1/100 = 0.010'],
  ])('asks of %i clusters a balanced accuracy of %f', (clusters, bound, meaning) => {
    const balanced = (balancedAccuracy: number) =>
      checkControls({ ...evaluation, clusters, router: { ...evaluation.router, balancedAccuracy } })[0]!;
    expect(balanced(bound)).toMatchObject({
      passed: true,
      detail: `${bound.toFixed(3)} is at least ${bound.toFixed(3)} (${meaning})`,
    });
    expect(balanced(bound - 1e-6).passed).toBe(false);
  });

  it.each(Array.from({ length: 40 }, (_, i) => i + 1))(
    'can be passed by a perfect router of %i clusters',
    (clusters) => {
      for (const majorityShare of [1 / clusters, 0.5, 0.85, 0.97, 1]) {
        const router = { ...evaluation.router, accuracy: 1, balancedAccuracy: 1, majorityShare };
        expect(failed({ clusters, router })).toEqual([]);
      }
    },
  );

  it('asks for more than the largest cluster by itself, also where that is nearly all', () => {
    const plain = (accuracy: number) =>
      checkControls({ ...evaluation, router: { ...evaluation.router, accuracy, majorityShare: 0.9 } })[1]!;
    expect(plain(0.951).passed).toBe(true);
    expect(plain(0.949)).toMatchObject({
      passed: false,
      detail: "0.949 is below 0.950 (halfway to 1 from the majority's share, which is 0.900)",
    });
  });

  it.each([
    [-0.31, 0.1, 'loss difference -0.3100 ± 0.1000: 3.1 standard errors better (more than 3 wanted)', true],
    [0.31, 0.1, 'loss difference 0.3100 ± 0.1000: 3.1 standard errors worse (more than 3 wanted)', false],
    [0, 0, 'loss difference 0.0000 ± 0.0000: no better and no worse (more than 3 wanted)', false],
  ])('calls a difference of %f ± %f what it is', (mean, standardError, detail, passed) => {
    const differences = { ...evaluation.differences, 'top2 − permuted': { mean, standardError } };
    expect(checkControls({ ...evaluation, differences })[3]).toMatchObject({ detail, passed });
  });

  it('finds nothing to compare in a model of one expert', () => {
    const zero = { mean: 0, standardError: 0 };
    const router = { ...evaluation.router, accuracy: 1, balancedAccuracy: 1, majorityShare: 1 };
    const differences = { 'top2 − best expert': zero, 'top2 − permuted': zero };
    expect(failed({ clusters: 1, router, differences })).toEqual([]);
    expect(failed({ clusters: 2, absent: [1], router, differences })).toEqual([]);
  });

  it('counts the experts that are there', () => {
    const router = { ...evaluation.router, balancedAccuracy: 0.624 };
    expect(checkControls({ ...evaluation, absent: [1, 3, 4, 5], router })[0]).toMatchObject({
      passed: false,
      detail: '0.624 is below 0.625 (halfway to 1 from chance, which is 1/4 = 0.250)',
    });
  });
});

describe('scoreRouter', () => {
  it('counts clusters the same in the balanced accuracy, and only those that occur', () => {
    // Cluster 0: three pictures, all right. Cluster 1: one picture, wrong. Cluster 2: none.
    const probabilities = Float32Array.from(
      [
        [0.8, 0.1, 0.1],
        [0.8, 0.1, 0.1],
        [0.4, 0.3, 0.3],
        [0.5, 0.25, 0.25],
      ].flat(),
    );
    const m = { count: 4, clusters: 3, times: [0.5], gram: new Float32Array(36), probabilities };
    const score = scoreRouter(m, [0, 0, 0, 1]);
    expect(score).toMatchObject({ accuracy: 0.75, balancedAccuracy: 0.5, majorityShare: 0.75 });
    expect(score.crossEntropy).toBeCloseTo(-(2 * Math.log(0.8) + Math.log(0.4) + Math.log(0.25)) / 4, 6);
    // By hand: 0.8 is right twice, 0.4 once, 0.5 never; each in a bin of its own.
    expect(score.calibrationError).toBeCloseTo((2 * 0.2 + 0.6 + 0.5) / 4, 6);
    expect(score.byTime).toHaveLength(1);
    expect(score.byTime[0]).toMatchObject({ time: 0.5, accuracy: 0.75 });
  });

  it('calls a router calibrated that is right as often as it says', () => {
    const probabilities = Float32Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? 0.7 : 0.3));
    const m = { count: 10, clusters: 2, times: [0.5], gram: new Float32Array(40), probabilities };
    const labels = (right: number) => Array.from({ length: 10 }, (_, i) => (i < right ? 0 : 1));
    expect(scoreRouter(m, labels(7)).calibrationError).toBeCloseTo(0, 6);
    expect(scoreRouter(m, labels(4)).calibrationError).toBeCloseTo(0.3, 6);
    expect(scoreRouter(m, labels(10)).calibrationError).toBeCloseTo(0.3, 6); // too modest is no better
    expect(formatEvaluation({ ...evaluation, router: scoreRouter(m, labels(7)) })).toContain(
      '  all     0.700      0.500      0.000',
    );
  });
});
