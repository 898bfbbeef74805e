import { full, latched, nucleus, type RoutingPolicy, threshold, top } from '@paris/router';
import { type Device, hostNormal, key, openDevice, stack } from '@paris/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assignBatch } from './assignment.js';
import { cosineMeter, entropyOf, isNearTie } from './telemetry.js';

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());

describe('entropyOf', () => {
  it('is 0 of a sure router and ln K of one that knows nothing', () => {
    expect(entropyOf(Float32Array.of(0, 1, 0))).toBe(0);
    expect(entropyOf(new Float32Array(8).fill(1 / 8))).toBeCloseTo(Math.log(8), 12);
    expect(entropyOf(Float32Array.of(0.25, 0.75))).toBeCloseTo(0.562335, 6); // 0.25 ln 4 + 0.75 ln (4 / 3)
  });
});

describe('isNearTie', () => {
  const at = { imageIndex: 0, step: 1, evaluation: 0, time: 0.5, key: key(0) };
  const tied = (policy: RoutingPolicy, ...probabilities: number[]) => {
    const p = Float32Array.from(probabilities);
    return isNearTie(policy, p, at, policy(p, at));
  };

  it('of top(k): the last kept and the first dropped', () => {
    expect(tied(top(2), 0.5, 0.25005, 0.24995)).toBe(true); // logits differ by 4e-4
    expect(tied(top(2), 0.5, 0.252, 0.248)).toBe(false); // by 0.016
    expect(tied(top(1), 0.5, 0.25005, 0.24995)).toBe(false);
    expect(tied(top(2), 0.48005, 0.47995, 0.04)).toBe(false); // both are kept, in whatever order
  });

  it('of threshold and nucleus: the bound, not the neighbour', () => {
    expect(tied(threshold(0.2), 0.6, 0.2001, 0.1999)).toBe(true);
    expect(tied(threshold(0.1), 0.6, 0.2001, 0.1999)).toBe(false);
    expect(tied(nucleus(0.8), 0.6, 0.20005, 0.19995)).toBe(true);
    expect(tied(nucleus(0.7), 0.6, 0.25, 0.15)).toBe(false);
  });

  it('of policies that do not choose now: never', () => {
    expect(tied(full(), 0.5, 0.5)).toBe(false);
    const before = { ...at, previousWeights: Float32Array.of(1, 0) };
    const p = Float32Array.of(0.5, 0.5);
    expect(isNearTie(latched(top(1)), p, before, before.previousWeights)).toBe(false);
    expect(isNearTie(latched(top(1)), p, at, Float32Array.of(1, 0))).toBe(true);
  });
});

describe('cosineMeter', () => {
  it('measures the experts that ran for a picture, whatever their weights', async () => {
    const weights = [Float32Array.of(0.5, 0, 0.5), Float32Array.of(1, 0, 0), Float32Array.of(1, 0, 1e-20)];
    const batches = assignBatch(weights);
    expect(batches.map(({ expert }) => expert)).toEqual([0, 2]);
    const D = 30;
    const spoken = batches.map((_, j) => hostNormal(key(j), 3 * D)); // of picture 0, 1, 2
    const velocities = spoken.map((values, j) => {
      const placed = values.map((v, at) => v * weights[Math.floor(at / D)]![batches[j]!.expert]!);
      return device.tensor(placed, { shape: [3, 1, 5, 6] });
    });
    const measure = cosineMeter(device, stack);
    const cosines = await measure(velocities, batches, weights);
    for (const picture of [0, 2]) {
      const [a, b] = spoken.map((values) => [...values.subarray(picture * D, (picture + 1) * D)]) as [
        number[],
        number[],
      ];
      const dot = (x: number[], y: number[]) => x.reduce((sum, v, d) => sum + v * y[d]!, 0);
      const cosine = dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
      const [no, one, off] = [Number.NaN, expect.closeTo(1, 5), expect.closeTo(cosine, 5)];
      expect([...cosines[picture]!]).toEqual([one, no, off, no, no, no, off, no, one]);
    }
    const alone = [...cosines[1]!];
    expect(alone[0]).toBeCloseTo(1, 5);
    expect(alone.slice(1).every(Number.isNaN)).toBe(true);

    const before = device.counters;
    await measure(velocities, batches, weights);
    const { dispatches, pipelinesCreated, buffersCreated } = device.counters;
    expect(dispatches - before.dispatches).toBeLessThanOrEqual(4);
    expect([pipelinesCreated, buffersCreated]).toEqual([before.pipelinesCreated, before.buffersCreated]);
  });
});
