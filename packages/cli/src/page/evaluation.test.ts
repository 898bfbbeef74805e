import { encoderOf, readPartition } from '@paris/clustering';
import { folderStore, memoryStore } from '@paris/files';
import { type Device, openDevice } from '@paris/tensor';
import { requireCapability } from '@paris/test-tools';
import { columnOf, type Evaluation, evaluate, gatherRows, readLabelled } from '@paris/trainer';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { pinned } from '../../../trainer/src/pinned/sums.testing.js';
import { imagesOf } from './clusters.js';
import { evaluationPage } from './evaluation.js';
import { picture } from './page.js';

const model = folderStore(pinned, 'model');
const data = memoryStore();
const evil = `red </figcaption><script src="//x">'`;
let device: Device | undefined;
let evaluation: Evaluation;

beforeAll(async () => {
  const from = folderStore(pinned, 'data');
  for (const path of await from.list()) await data.write(path, await from.read(path));
  const test = JSON.parse(new TextDecoder().decode(await data.read('test/test.json')));
  test.items[0].caption = evil;
  await data.write('test/test.json', new TextEncoder().encode(JSON.stringify(test)));
  device = await openDevice().catch(() => undefined);
  if (device) evaluation = await evaluate({ device, model, data, timeCount: 2 });
}, 120_000);
beforeEach((context) => requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter'));
afterAll(() => device?.close());

const make = (samples: number) =>
  evaluationPage({ name: 'a <model>', data, evaluation, samples, drawing: { device: device!, model, seed: 0 } });
const count = (text: string, pattern: RegExp) => text.match(pattern)?.length ?? 0;

describe('the page of an evaluation', () => {
  it('shows each cluster, and held-out pictures next to what is drawn for their captions', async () => {
    const page = await make(2);
    expect(count(page, /<figcaption>Cluster \d: \d+ pictures for training/g)).toBe(2);
    expect(count(page, /alt="held out: /g)).toBe(2);
    expect(count(page, /alt="drawn: /g)).toBe(6);
    expect(count(page, /<img src="data:image\/png;base64,[\w+/]+=*" width="8" height="8"/g)).toBe(16 + 18 + 2 + 6);
    expect(count(page, /<p>Nearest to its centroid, nearest first<\/p>/g)).toBe(2);
    expect(page).toContain('9 pictures for training (50 %), 1 held out; more often than elsewhere: blue (100 %)');
    expect(page).toContain('Which expert drew the first of each');
    expect(count(page, /<li>(passed|<span class="failed">failed<\/span>) · /g)).toBe(4);
    expect(page).toContain('velocity loss');
  });

  it('shows drawn pictures with the training pictures that are nearest to them', async () => {
    const { rows, manifest } = await readLabelled(data, 'router');
    const images = await imagesOf(rows, manifest, [4, 5]);
    const distances = {
      kernel: { mean: 0.1, standardError: 0.02 },
      slicedWasserstein: 1,
      frechet: 2,
      density: 1,
      coverage: 1,
      clippedDensity: 1,
      clippedCoverage: 1,
    };
    const between: [number, number] = [0.5, 1.5];
    const intervals = {
      ...{ kernel: between, slicedWasserstein: between, density: between, coverage: between },
      ...{ clippedDensity: between, clippedCoverage: between },
    };
    const closest = [1, 0].map((drawn) => {
      return { drawn, caption: evil, nearest: manifest.items![drawn]!.id, row: drawn, distance: 1 };
    });
    const pictures = {
      ...{ count: 2, heldOut: 8, encoder: 'statistics', seed: 0, steps: 2, guidance: 1 },
      ...{ model: distances, floor: distances, ceiling: distances, intervals, secondsPerPicture: 0.5 },
      copying: { nearer: 0.5, interval: [0.4, 0.6] as [number, number], pValue: 0.4, closest },
    };
    const drawing = { device: device!, model, seed: 0 };
    const drawn = { evaluation: pictures, images };
    const page = await evaluationPage({ name: 'x', data, evaluation, drawn, samples: 0, drawing });
    const [learned] = await imagesOf(rows, manifest, [1]);
    const pair =
      picture(images[1]!, `drawn: ${evil}`).markup + picture(learned!, `learned: ${closest[0]!.nearest}`).markup;
    expect(page).toContain(pair);
    expect(count(page, /alt="learned: /g)).toBe(2);
    expect(page).toContain('2 drawn pictures against 8 held-out ones');
    expect(page).not.toContain('<script');
  });

  it('lets no caption or name be markup, and fetches nothing', async () => {
    const page = await make(2);
    expect(page).not.toMatch(/<script|<model>|<link|@import|url\(/);
    expect(page).toContain('red &#60;/figcaption&#62;&#60;script src=&#34;//x&#34;&#62;&#39;');
    expect(await make(2)).toBe(page);
  });

  it('shows first what the partition says is nearest', async () => {
    const { rows, manifest } = await readLabelled(data, 'router');
    const partition = await readPartition(data, 'partition');
    const encoder = encoderOf(partition);
    const pixels = columnOf(await gatherRows(rows, manifest, [...manifest.items!.keys()]), 'images', 'u8');
    const features = await encoder.encode({ pixels, count: manifest.count, size: manifest.size });
    const similarity = manifest.items!.map(({ cluster }, row) => {
      const [of, c] = [(i: number) => features[row * encoder.dimensions + i]!, cluster * encoder.dimensions];
      let [dot, square] = [0, 0];
      for (let i = 0; i < encoder.dimensions; i++) {
        dot += of(i) * partition.centroids[c + i]!;
        square += of(i) ** 2;
      }
      return cluster === 0 ? dot / Math.sqrt(square) : Number.NEGATIVE_INFINITY;
    });
    const [first] = await imagesOf(rows, manifest, [similarity.indexOf(Math.max(...similarity))]);
    const sourceOf = (markup: string) => /src="([^"]*)"/.exec(markup)![1];
    const page = await make(0);
    expect(sourceOf(page.slice(page.indexOf('Nearest to')))).toBe(sourceOf(picture(first!, '').markup));
  });

  it('can leave the samples out', async () => {
    const page = await make(0);
    expect(count(page, /<img /g)).toBe(16 + 18);
    expect(page).not.toContain('<h2>Samples</h2>');
  });
});
