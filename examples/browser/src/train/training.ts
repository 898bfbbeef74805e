// The whole way in memory: pictures → data folder → one cluster → its expert → a model folder → samples.
import { dit } from '@paris/dit';
import { folderStore, memoryStore } from '@paris/files';
import { buildVocabulary, encodeCaptions, MAX_TOKENS } from '@paris/model';
import { loadPipeline, type RgbImage } from '@paris/sampler';
import type { Device } from '@paris/tensor';
import {
  assemble,
  ditConfig,
  expertRunName,
  partitionData,
  readMetrics,
  trainExpert,
  writeManifestFolder,
} from '@paris/trainer';
import { drawPictures, SIZE } from './pictures.js';

const PROMPTS = ['red disc', 'blue ring', 'green square', 'yellow disc'];

export interface Training {
  steps: number;
  signal: AbortSignal;
  /** Now and then, with the loss of every step so far. */
  onLoss(losses: number[]): void;
}

/** Trains an expert from nothing. @returns what it draws for `PROMPTS`, four of each */
export async function train(device: Device, { steps, signal, onLoss }: Training): Promise<readonly RgbImage[]> {
  const [data, runs, model] = [memoryStore(), memoryStore(), memoryStore()];
  await writeData(data);
  await partitionData({ device, data, clusters: 1 });

  const run = folderStore(runs, expertRunName(0));
  const showLoss = async () => onLoss((await readMetrics(run)).map(({ loss }) => loss));
  await trainExpert({
    device,
    data,
    runs,
    cluster: 0,
    architecture: dit,
    config: ditConfig({ patch: 4, width: 64, depth: 2, heads: 4 }),
    training: { steps, batchSize: 16, learningRate: 0.01, emaDecay: 0.98 },
    signal,
    onEvent: ({ type }) => {
      if (type === 'progress') void showLoss();
    },
  });
  await showLoss();

  await assemble({ runs, out: model, licence: 'CC0-1.0' });
  const pipeline = await loadPipeline(model, { device });
  const { images } = await pipeline.generate({ prompts: PROMPTS, count: 4, steps: 20, signal });
  await pipeline.close(); // the weights; the device is ours
  return images;
}

/** What `paris prepare` writes. */
async function writeData(data: ReturnType<typeof memoryStore>): Promise<void> {
  const { images, captions } = drawPictures();
  const vocabulary = buildVocabulary(captions, 100);
  const pixels = new Uint8Array(images.length * 3 * SIZE * SIZE); // [N, 3, S, S]: colours apart
  for (const [i, image] of images.entries()) {
    for (let place = 0; place < SIZE * SIZE; place++) {
      for (let c = 0; c < 3; c++) pixels[(3 * i + c) * SIZE * SIZE + place] = image.data[3 * place + c]!;
    }
  }
  const manifest = {
    version: 1,
    size: SIZE,
    channels: 3,
    maxTokens: MAX_TOKENS,
    normalization: { scale: 127.5, offset: -1 },
    vocabulary,
    count: images.length,
    holdout: { fraction: 0, seed: 0, by: 'group' },
    items: captions.map((caption, i) => ({ id: `${i}`, caption, group: `${i}`, split: 'train' as const })),
    skipped: [],
  } as const;
  await writeManifestFolder(
    data,
    { ...manifest, items: [...manifest.items], skipped: [] },
    {
      images: pixels,
      tokens: encodeCaptions(captions, vocabulary),
    },
  );
}
