// What is in each cluster, in pictures.
import { encoderOf, type FeatureRows, nearestRows, readPartition, statisticsEncoder } from '@paris/clustering';
import { type FileSource, type Html, html } from '@paris/files';
import { captionWords } from '@paris/model';
import type { RgbImage } from '@paris/sampler';
import {
  columnOf,
  gatherRows,
  type Items,
  type LabelledItem,
  type LabelledManifest,
  listItems,
  pickItems,
  type Rows,
  readLabelled,
  spread,
} from '@paris/trainer';
import { picture, section } from './page.js';

const NEAREST = 8;
const SPREAD = 16;
const WORDS = 8;

/**
 * Of each cluster: its words, the training pictures nearest to its centroid, and others spread evenly over it. Nearest ones
 * are left out where an encoder made the partition that is not built in.
 * @throws CheckpointError if the data folder is not partitioned, or not sound
 */
export async function clusterSection(data: FileSource): Promise<Html> {
  const [train, test] = [await readLabelled(data, 'router'), await readLabelled(data, 'test')];
  const { clusters, count } = train.manifest;
  const nearest = await nearestPictures(data, train);
  const words = await clusterWords(train.items, clusters);
  const figures = [];
  for (let cluster = 0; cluster < clusters; cluster++) {
    const own = [...train.labels.keys()].filter((row) => train.labels[row] === cluster);
    const held = test.labels.filter((of) => of === cluster).length;
    const share = Math.round((100 * own.length) / count);
    const pictures = async (rows: readonly number[]) => {
      const images = await imagesOf(train.rows, train.manifest, rows);
      const shown = await listItems(pickItems(train.items, rows));
      return html`<div>${images.map((image, i) => picture(image, shown[i]!.caption))}</div>`;
    };
    figures.push(html`<figure>
<figcaption>Cluster ${cluster}: ${own.length} pictures for training (${share} %), ${held} held out; ${words[cluster]}</figcaption>
${nearest && html`<p>Nearest to its centroid, nearest first</p>${await pictures(nearest[cluster]!)}<p>Spread evenly over it</p>`}${await pictures(spread(own, SPREAD))}
</figure>
`);
  }
  return section('Clusters', 'Training pictures of each cluster, none of them chosen by hand.', html`${figures}`);
}

/** Rows of each cluster, nearest to its centroid first; undefined where the encoder is not at hand. */
async function nearestPictures(
  data: FileSource,
  { rows, manifest: format, labels }: Awaited<ReturnType<typeof readLabelled>>,
) {
  if (!(await data.exists('partition/partition.json'))) return undefined;
  const partition = await readPartition(data, 'partition');
  if (partition.encoder.name !== statisticsEncoder().name) return undefined;
  const encoder = encoderOf(partition);
  const { dimensions } = encoder;
  const { count, size } = format;
  // Computed when they are read, which they are twice: all of them may not fit into memory.
  const features: FeatureRows = {
    ...{ count, dimensions },
    async read(from, wanted) {
      const pixels = columnOf(await rows.read(from, wanted), 'images', 'u8');
      return encoder.encode({ pixels, count: wanted, size });
    },
  };
  const { centroids, metric } = partition;
  return nearestRows(features, dimensions, labels, centroids, { count: NEAREST, metric });
}

/** For each cluster the words whose share of captions exceeds that among all pictures by most. */
async function clusterWords(items: Items<LabelledItem>, clusters: number): Promise<string[]> {
  const all = new Map<string, number>();
  const own = Array.from({ length: clusters }, () => new Map<string, number>());
  const sizes = new Array<number>(clusters).fill(0);
  for await (const { caption, cluster } of items) {
    sizes[cluster]! += 1;
    for (const word of new Set(captionWords(caption))) {
      for (const counts of [all, own[cluster]!]) counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  }
  return own.map((counts, cluster) => {
    const rows = [...counts].map(([word, count]) => {
      const [here, everywhere] = [count / sizes[cluster]!, all.get(word)! / items.count];
      return { word, here, more: here - everywhere };
    });
    const most = rows.filter(({ more }) => more > 0).sort((a, b) => b.more - a.more || (a.word < b.word ? -1 : 1));
    const listed = most.slice(0, WORDS).map(({ word, here }) => `${word} (${Math.round(100 * here)} %)`);
    return listed.length === 0
      ? 'no word more often than elsewhere'
      : `more often than elsewhere: ${listed.join(', ')}`;
  });
}

/** Pictures of a data folder, as they can be shown. */
export async function imagesOf(rows: Rows, format: LabelledManifest, wanted: readonly number[]): Promise<RgbImage[]> {
  const { size } = format;
  const pixels = columnOf(await gatherRows(rows, format, wanted), 'images', 'u8');
  const area = size * size;
  return wanted.map((_, i) => {
    const planes = pixels.subarray(3 * i * area, 3 * (i + 1) * area);
    const data = Uint8Array.from({ length: 3 * area }, (_, at) => planes[(at % 3) * area + Math.floor(at / 3)]!);
    return { width: size, height: size, data };
  });
}
