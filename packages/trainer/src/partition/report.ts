// A partition as text: sizes, measures, typical pictures, and several K compared.
import {
  type ClusterQuality,
  clusterQuality,
  type InformationControl,
  nearestRows,
  type Partition,
  type PartitionedImages,
  randomPartitionControl,
  type SweepRow,
} from '@paris/clustering';
import { printable } from '@paris/files';
import { categoriesOf, type Items, listItems, pickItems } from '../data/items.js';

/** What came of a partition, to judge it before anything is trained. */
export interface PartitionReport {
  partition: Partition;
  /** Training pictures of each cluster. */
  sizes: readonly number[];
  /** How many pictures of other clusters each folder holds in addition. */
  outOfCluster: readonly number[];
  /** Held-out pictures of each cluster. */
  testSizes: readonly number[];
  /** Of the training pictures' features. */
  quality: ClusterQuality;
  /** Ids of the training pictures that are nearest to each centroid, nearest first, [K][≤ 3]. */
  nearest: readonly (readonly string[])[];
  /** Clusters and categories of the training pictures that have one; absent where fewer than two categories are. */
  categories?: InformationControl;
}

/** Measures a partition on the training pictures `items`, to which `labels` and `features` belong. */
export async function describePartition(
  { partition, labels, features }: PartitionedImages,
  items: Items,
  testLabels: ArrayLike<number>,
): Promise<Omit<PartitionReport, 'outOfCluster'>> {
  const { clusters, metric, seed, centroids, encoder } = partition;
  const { dimensions } = encoder;
  const quality = await clusterQuality(features, dimensions, labels, { clusters, metric, seed });
  const nearest = await nearestRows(features, dimensions, labels, centroids, { count: 3, metric });
  const ids = await listItems(pickItems(items, nearest.flat()));
  const found = await categoriesOf(items);
  const rows = [...found.keys()].filter((row) => found[row] !== undefined);
  const names = rows.map((row) => found[row]!);
  const testSizes = new Array<number>(clusters).fill(0);
  for (let i = 0; i < testLabels.length; i++) testSizes[testLabels[i]!]! += 1;
  let at = 0;
  const some = new Set(names).size > 1;
  return {
    partition,
    sizes: quality.sizes,
    testSizes,
    quality,
    nearest: nearest.map((own) => own.map(() => ids[at++]!.id)),
    ...(some
      ? {
          categories: randomPartitionControl(
            rows.map((row) => labels[row]!),
            names,
            { seed },
          ),
        }
      : {}),
  };
}

/** A report as lines for a terminal. */
export function formatPartition(report: PartitionReport): string[] {
  const { sizes, testSizes, quality, nearest, categories, outOfCluster } = report;
  const copied = outOfCluster.some((count) => count > 0);
  const rows = sizes.map((size, k) => [`${k}`, `${size}`, `${testSizes[k]}`, nearest[k]!.map(printable).join(', ')]);
  return [
    ...aligned([['cluster', 'pictures', 'held out', 'nearest to the centroid'], ...rows]),
    ...(copied ? [`copied in from other clusters: ${outOfCluster.join(', ')}`] : []),
    `silhouette ${fixed(quality.silhouette)}, Davies–Bouldin ${fixed(quality.daviesBouldin)}`,
    ...(categories ? [categoriesLine(categories)] : []),
  ];
}

/** A sweep as lines for a terminal. */
export function formatSweep(rows: readonly SweepRow[]): string[] {
  const withCategories = rows.some(({ information }) => information);
  const table = rows.map(({ clusters, inertia, silhouette, daviesBouldin, sizes, information }) => [
    `${clusters}`,
    inertia.toPrecision(5),
    fixed(silhouette),
    fixed(daviesBouldin),
    `${Math.min(...sizes)}`,
    `${Math.max(...sizes)}`,
    ...(information ? [fixed(information.normalised)] : []),
  ]);
  const head = ['K', 'inertia', 'silhouette', 'Davies–Bouldin', 'smallest', 'largest'];
  const [first] = [...rows].filter((row) => !Number.isNaN(row.silhouette)).sort((a, b) => b.silhouette - a.silhouette);
  return [
    ...aligned([withCategories ? [...head, 'categories (NMI)'] : head, ...table]),
    ...(first ? [`the highest silhouette is that of K = ${first.clusters}`] : []),
  ];
}

function categoriesLine({ nats, threshold, partitions, semantic }: InformationControl): string {
  const verdict = semantic ? 'they follow them' : 'not shown to follow them';
  const chance = `99th percentile of ${partitions} random partitions ${fixed(threshold)}`;
  return `clusters and categories share ${fixed(nats)} nats, ${chance}: ${verdict}`;
}

const fixed = (value: number): string => (Number.isNaN(value) ? '–' : value.toFixed(3));

/** Columns as wide as their widest cell; numbers to the right, the last column of text to the left. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => (/^[\d.–-]*$/.test(rows[1]?.[column] ?? '') ? cell.padStart(widths[column]!) : cell))
      .join('  '),
  );
}
