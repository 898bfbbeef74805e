// Lloyd's iterations in plain float64 loops, from given centroids: what the device must agree with.
import type { Metric } from './nearest.js';

export interface ReferenceResult {
  readonly centroids: Float64Array;
  readonly labels: Uint32Array;
  readonly inertia: number;
}

/** `iterations` steps from `initial` [K, D]; labels and inertia are those of the final centroids. Empty clusters stay. */
export function lloydReference(
  features: ArrayLike<number>,
  initial: ArrayLike<number>,
  dimensions: number,
  { metric, iterations }: { metric: Metric; iterations: number },
): ReferenceResult {
  const rows = toRows(features, dimensions).map((row) => (metric === 'spherical' ? unit(row) : row));
  let centroids = toRows(initial, dimensions);
  for (let i = 0; i < iterations; i++) {
    const { labels } = assignment(rows, centroids);
    centroids = centroids.map((centroid, k) => {
      const members = rows.filter((_, n) => labels[n] === k);
      if (members.length === 0) return centroid;
      const mean = centroid.map((_, d) => members.reduce((sum, row) => sum + row[d]!, 0) / members.length);
      return metric === 'spherical' ? unit(mean) : mean;
    });
  }
  return { centroids: Float64Array.from(centroids.flat()), ...assignment(rows, centroids) };
}

function assignment(rows: number[][], centroids: number[][]): { labels: Uint32Array; inertia: number } {
  let inertia = 0;
  const labels = Uint32Array.from(rows, (row) => {
    const distances = centroids.map((centroid) => centroid.reduce((sum, c, d) => sum + (row[d]! - c) ** 2, 0));
    const smallest = Math.min(...distances);
    inertia += smallest;
    return distances.indexOf(smallest);
  });
  return { labels, inertia };
}

function unit(row: number[]): number[] {
  const length = Math.hypot(...row);
  return length === 0 ? row : row.map((value) => value / length);
}

function toRows(values: ArrayLike<number>, dimensions: number): number[][] {
  const list = Array.from(values);
  return Array.from({ length: list.length / dimensions }, (_, i) => list.slice(i * dimensions, (i + 1) * dimensions));
}
