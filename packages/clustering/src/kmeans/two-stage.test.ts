import { type Device, openDevice } from '@paris/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { featureRows } from '../feature-rows.js';
import { sklearn, sklearnFeatures } from '../sklearn.testing.js';
import { sizesOf } from './kmeans.js';
import { nearestCentroids } from './nearest.js';
import { defaultFine, twoStageKMeans } from './two-stage.js';

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());

const { dimensions } = sklearn;
const options = { clusters: 4, fine: 32, metric: 'euclidean', seed: 3 } as const;

describe('twoStageKMeans', () => {
  it('clusters rows to fine centroids, and these to coarse ones', async () => {
    const { fine, coarse } = await twoStageKMeans(device, sklearnFeatures, dimensions, options);
    expect(fine.sizes).toHaveLength(32);
    expect(fine.sizes.reduce((sum, size) => sum + size)).toBe(400);
    expect(coarse.labels).toHaveLength(32);
    const { labels } = await nearestCentroids(device, featureRows(fine.centroids, dimensions), coarse.centroids);
    expect([...coarse.labels]).toEqual([...labels]);
    expect(await twoStageKMeans(device, sklearnFeatures, dimensions, options)).toEqual({ fine, coarse });
  });

  it('finds nearly as good coarse clusters as one stage: within a fifth of the inertia of scikit-learn', async () => {
    const { coarse } = await twoStageKMeans(device, sklearnFeatures, dimensions, options);
    const { distances } = await nearestCentroids(device, featureRows(sklearnFeatures, dimensions), coarse.centroids);
    const { inertia } = sklearn.kMeans.find(({ clusters }) => clusters === 4)!;
    expect(distances.reduce((sum, distance) => sum + distance) / inertia).toBeLessThan(1.2);
  });

  it('gives each coarse cluster equally many fine centroids where it balances', async () => {
    const { coarse } = await twoStageKMeans(device, sklearnFeatures, dimensions, { ...options, balance: 'auction' });
    expect(sizesOf(coarse.labels, 4)).toEqual([8, 8, 8, 8]);
  });

  it('takes 1,024 fine centroids, or what fits fewer rows', () => {
    expect(defaultFine(11_000_000, 8)).toBe(1024);
    expect(defaultFine(2000, 8)).toBe(125);
    expect(defaultFine(100, 8)).toBe(16);
    expect(defaultFine(10, 8)).toBe(10);
  });

  it('refuses fewer fine than coarse clusters, and fewer rows than fine ones', async () => {
    const refused = (fine: number) =>
      expect(twoStageKMeans(device, sklearnFeatures, dimensions, { clusters: 4, fine })).rejects;
    await refused(3).toThrow('[twoStageKMeans] 3 fine centroids cannot make 4 clusters. Give 4 at least.');
    await refused(0.5).toThrow('[twoStageKMeans] fine is 0.5. Give a whole number from 1 on.');
    await refused(401).toThrow('401 clusters need as many pictures, got 400.');
  });
});
