// What a cluster holds, in pictures, words, colours and categories.

import sharp from 'sharp';
import type { ClusterSummary, Picture } from '../report/types.js';

/** Pictures of all clusters as the trainer's readers give them; pixels u8 [N, 3, S, S]. */
export interface Labelled {
  readonly manifest: { readonly size: number; readonly clusters: number; readonly items: readonly Item[] };
  readonly pixels: Uint8Array;
}
interface Item {
  readonly caption: string;
  readonly group: string;
  readonly category?: string | undefined;
  readonly cluster: number;
}

const THUMBNAILS = 48;
const WORDS = 10;
const COLOURS = 6;

export async function summariseClusters(train: Labelled, test: Labelled): Promise<ClusterSummary[]> {
  const { clusters, items } = train.manifest;
  const everywhere = wordShares(items);
  return Promise.all(
    Array.from({ length: clusters }, async (_, index) => {
      const rows = items.flatMap((item, row) => (item.cluster === index ? [row] : []));
      const own = rows.map((row) => items[row]!);
      return {
        index,
        train: rows.length,
        test: test.manifest.items.filter((item) => item.cluster === index).length,
        words: tellingWords(wordShares(own), everywhere).slice(0, WORDS),
        colours: mainColours(train, rows).slice(0, COLOURS),
        categories: shares(own.flatMap((item) => item.category ?? [])),
        pictures: await Promise.all(spreadOver(rows, items).map((row) => pictureOf(train, row))),
      };
    }),
  );
}

/** Words by their part in the divergence of the cluster's words from all words: p · ln(p / q), the largest first. */
export function tellingWords(own: Map<string, number>, everywhere: Map<string, number>): string[] {
  return [...own]
    .map(([word, p]) => ({ word, score: p * Math.log(p / everywhere.get(word)!) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || (a.word < b.word ? -1 : 1))
    .map(({ word }) => word);
}

/** The share of captions that hold a word. */
export function wordShares(items: readonly { caption: string }[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { caption } of items) {
    for (const word of new Set(caption.split(' '))) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return new Map([...counts].map(([word, n]) => [word, n / items.length]));
}

function shares(names: readonly string[]): { name: string; share: number }[] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, n]) => ({ name, share: n / names.length })).sort((a, b) => b.share - a.share);
}

/** Pixels in boxes of 64³ levels, the white ground left out: mean colour and share of each box, the fullest first. */
function mainColours({ manifest, pixels }: Labelled, rows: readonly number[]): { css: string; share: number }[] {
  const area = manifest.size ** 2;
  const boxes = new Map<number, { sum: [number, number, number]; n: number }>();
  let total = 0;
  for (const row of rows) {
    for (let i = row * 3 * area; i < row * 3 * area + area; i++) {
      const [r, g, b] = [pixels[i]!, pixels[i + area]!, pixels[i + 2 * area]!];
      if (Math.min(r, g, b) > 240) continue;
      const key = (r >> 6) * 16 + (g >> 6) * 4 + (b >> 6);
      const box = boxes.get(key) ?? { sum: [0, 0, 0], n: 0 };
      box.sum = [box.sum[0] + r, box.sum[1] + g, box.sum[2] + b];
      box.n++;
      boxes.set(key, box);
      total++;
    }
  }
  return [...boxes.values()]
    .sort((a, b) => b.n - a.n)
    .map(({ sum, n }) => ({
      css: `rgb(${sum.map((channel) => Math.round(channel / n)).join(' ')})`,
      share: n / total,
    }));
}

/** Rows spread evenly over the cluster, one of each emoji as long as there are enough. */
function spreadOver(rows: readonly number[], items: readonly Item[]): number[] {
  const firsts = [...new Map(rows.map((row) => [items[row]!.group, row])).values()];
  const from = firsts.length >= THUMBNAILS ? firsts : rows;
  const n = Math.min(THUMBNAILS, from.length);
  return Array.from({ length: n }, (_, i) => from[Math.floor((i * from.length) / n)]!);
}

async function pictureOf({ manifest, pixels }: Labelled, row: number): Promise<Picture> {
  const { size, items } = manifest;
  const area = size ** 2;
  const planes = pixels.subarray(row * 3 * area, (row + 1) * 3 * area);
  const rgb = Uint8Array.from({ length: 3 * area }, (_, i) => planes[(i % 3) * area + Math.floor(i / 3)]!);
  const png = await sharp(rgb, { raw: { width: size, height: size, channels: 3 } })
    .png({ compressionLevel: 9 })
    .toBuffer();
  return { src: `data:image/png;base64,${png.toString('base64')}`, caption: items[row]!.caption };
}
