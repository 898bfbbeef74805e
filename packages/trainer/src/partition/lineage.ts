// Which partitions belong to one model. New clusters are added at the end of a partition and move no centroid that was there, so
// an expert that was trained before belongs to the model as it is now: the hash of its partition is that of the first centroids.
import type { Partition } from '@paris/clustering';
import { partitionHash } from './partition.js';

/** The hashes of a partition and of those that it grew from, each with the number of its clusters, the largest first. */
export async function lineageOf(partition: Partition): Promise<{ clusters: number; hash: string }[]> {
  const { clusters, assignment, centroids } = partition;
  const all = [{ clusters, hash: await partitionHash(partition) }];
  if (assignment !== 'nearest-centroid') return all;
  const { dimensions } = partition.encoder;
  for (let k = clusters - 1; k > 0; k--) {
    const earlier = { ...partition, clusters: k, centroids: centroids.slice(0, k * dimensions) };
    all.push({ clusters: k, hash: await partitionHash(earlier) });
  }
  return all;
}
