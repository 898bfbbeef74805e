import { describe, expect, it } from 'vitest';
import { mutualInformation, randomPartitionControl } from './information.js';

describe('mutualInformation', () => {
  it('is the entropy for two equal labellings, whatever they are called', () => {
    const { nats, normalised } = mutualInformation([0, 0, 1, 1, 2, 2], ['a', 'a', 'b', 'b', 'c', 'c']);
    expect(nats).toBeCloseTo(Math.log(3), 12);
    expect(normalised).toBeCloseTo(1, 12);
  });

  it('is zero for independent labellings, and for a single cluster', () => {
    expect(mutualInformation([0, 0, 1, 1], ['a', 'b', 'a', 'b'])).toEqual({ nats: 0, normalised: 0 });
    expect(mutualInformation([0, 0], ['a', 'b'])).toEqual({ nats: 0, normalised: 0 });
    expect(mutualInformation([0, 0], ['a', 'a'])).toEqual({ nats: 0, normalised: 0 });
  });

  it('agrees with a table worked out by hand', () => {
    // joint counts [[3, 1], [1, 3]]: I = ln 2 − H(¼) = 2 · (⅜ ln 1.5 + ⅛ ln ½)
    const { nats, normalised } = mutualInformation([0, 0, 0, 0, 1, 1, 1, 1], [0, 0, 0, 1, 0, 1, 1, 1]);
    const expected = 2 * ((3 / 8) * Math.log(1.5) + (1 / 8) * Math.log(0.5));
    expect(nats).toBeCloseTo(expected, 12);
    expect(normalised).toBeCloseTo(expected / Math.LN2, 12);
  });

  it('refuses lists that do not belong together', () => {
    expect(() => mutualInformation([0, 1], ['a'])).toThrow(
      '[mutualInformation] 2 clusters for 1 labels. Pass one of each a picture.',
    );
    expect(() => mutualInformation([], [])).toThrow('[mutualInformation] there are no pictures. Pass at least one.');
  });
});

describe('randomPartitionControl', () => {
  const clusters = Array.from({ length: 240 }, (_, i) => i % 4);

  it('calls clusters semantic that follow the label, and random ones not', () => {
    const follows = clusters.map((cluster, i) => (i % 3 === 0 ? 'other' : `class ${cluster}`));
    expect(randomPartitionControl(clusters, follows, { partitions: 200 }).semantic).toBe(true);
    const unrelated = clusters.map((_, i) => Math.floor(i / 4) % 3); // each cluster has each label equally often
    const control = randomPartitionControl(clusters, unrelated, { partitions: 200 });
    expect(control.semantic).toBe(false);
    expect(control.threshold).toBeGreaterThan(control.nats);
  });

  it('has the threshold that theory gives: 2·N·I is χ² with (K − 1)(L − 1) degrees of freedom', () => {
    const labels = clusters.map((_, i) => Math.floor(i / 4) % 3);
    const { threshold } = randomPartitionControl(clusters, labels, { partitions: 2000, seed: 3 });
    const chiSquared = 16.81; // the 99th percentile with 6 degrees of freedom
    expect(Math.abs(2 * clusters.length * threshold - chiSquared)).toBeLessThan(2);
  });

  it('is a function of its seed', () => {
    const labels = clusters.map((_, i) => Math.floor(i / 4) % 3);
    const run = (seed: number) => randomPartitionControl(clusters, labels, { partitions: 50, seed });
    expect(run(1)).toEqual(run(1));
    expect(run(1).threshold).not.toBe(run(2).threshold);
  });

  it('normalises the threshold as it does the information', () => {
    const labels = clusters.map((cluster, i) => (i % 2 === 0 ? cluster : i % 3));
    const control = randomPartitionControl(clusters, labels, { partitions: 20 });
    expect(control.normalisedThreshold / control.threshold).toBeCloseTo(control.normalised / control.nats, 10);
  });

  it('refuses a quantile or a number of partitions that mean nothing', () => {
    expect(() => randomPartitionControl([0], [0], { partitions: 0 })).toThrow(
      '[randomPartitionControl] partitions is 0. Give a whole number from 1 on.',
    );
    expect(() => randomPartitionControl([0], [0], { quantile: 0 })).toThrow('quantile is 0. Give a number in (0, 1].');
  });
});
