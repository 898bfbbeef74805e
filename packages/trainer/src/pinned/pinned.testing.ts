// A whole small life of a model, from pictures to pictures, made the same way every time: what changes a byte of it
// changes the bytes of everybody's runs and models. The folder fixtures/pinned holds what it was when it was recorded.
import { dit } from '@paris/dit';
import type { FileStore } from '@paris/files';
import { folderStore } from '@paris/files';
import { buildVocabulary, encodeCaptions } from '@paris/model';
import { routerTransformer } from '@paris/router';
import { encodePng, loadPipeline, tileImages } from '@paris/sampler';
import { type Device, hostUniform, key } from '@paris/tensor';
import { assemble } from '../assemble/assemble.js';
import { writeManifestFolder } from '../data/files.js';
import type { Manifest } from '../data/formats.js';
import { partitionData } from '../partition/partition.js';
import { ditConfig, routerConfig } from '../train/configs.js';
import { type TrainExpertOptions, trainExpert } from '../train/expert.js';
import { minSnr } from '../train/loss-weight.js';
import type { TrainingOptions } from '../train/options.js';
import { type TrainRouterOptions, trainRouter } from '../train/router.js';
import { logitNormalDensity } from '../train/time-density.js';

const size = { patch: 4, width: 8, depth: 1, heads: 2 };
const training: Partial<TrainingOptions> = { steps: 6, batchSize: 4, learningRate: 3e-3, warmupSteps: 2 };
/** After this step the run in `stopped` was stopped. */
export const STOPPED_AFTER = 3;

/** Everything: `data`, `runs`, `stopped`, `model`, and the pictures that the model draws. */
export async function makePinned(device: Device, store: FileStore): Promise<void> {
  const [data, runs, model] = ['data', 'runs', 'model'].map((name) => folderStore(store, name)) as FileStore[];
  await writePictures(data!);
  await partitionData({ device, data: data!, clusters: 2 });
  for (const cluster of [0, 1] as const) await trainPinned({ device, data: data!, runs: runs!, cluster });
  await trainPinnedRouter({ device, data: data!, runs: runs! });
  await stopPinned(device, data!, folderStore(store, 'stopped'));
  await assemble({ runs: runs!, data: data!, out: model!, licence: 'MIT' });
  await store.write('pictures.png', await drawPinned(device, model!));
}

/** The first expert predicts the velocity on the linear path, the second one the picture on the cosine path. */
export async function trainPinned(
  options: Pick<TrainExpertOptions, 'device' | 'data' | 'runs' | 'signal' | 'onEvent'> & { cluster: 0 | 1 },
): Promise<void> {
  const common = { ...options, architecture: dit, training, checkpointEvery: STOPPED_AFTER };
  if (options.cluster === 0) {
    await trainExpert({ ...common, config: ditConfig(size) });
  } else {
    const config = ditConfig(size, { prediction: 'sample', path: 'cosine' });
    await trainExpert({ ...common, config, lossWeight: minSnr(), times: logitNormalDensity() });
  }
}

export async function trainPinnedRouter(
  options: Pick<TrainRouterOptions, 'device' | 'data' | 'runs' | 'onEvent'>,
): Promise<void> {
  await trainRouter({ ...options, architecture: routerTransformer, config: routerConfig(size), training });
}

/** Two prompts, two samplers, guided, each picture by both experts. */
export async function drawPinned(device: Device, model: FileStore): Promise<Uint8Array> {
  const pipeline = await loadPipeline(model, { device });
  const how = { prompts: ['red square', 'blue square'], steps: 4, guidance: 2, seed: 5, routing: 'full' };
  const images = [];
  for (const sampler of ['euler', 'heun']) images.push(...(await pipeline.generate({ ...how, sampler })).images);
  await pipeline.close();
  return encodePng(tileImages(images, 2));
}

async function stopPinned(device: Device, data: FileStore, runs: FileStore): Promise<void> {
  const stop = new AbortController();
  const onEvent: TrainExpertOptions['onEvent'] = (event) => {
    if (event.type === 'checkpoint') stop.abort();
  };
  await trainPinned({ device, data, runs, cluster: 0, signal: stop.signal, onEvent }).catch((error) => {
    if (!stop.signal.aborted) throw error;
  });
}

/** Twenty pictures at 8 px, ten reddish and ten bluish, with a bright square somewhere; the last two are held out. */
async function writePictures(store: FileStore): Promise<void> {
  const [count, pixelsPerPlane] = [20, 64];
  const draws = hostUniform(key(7), 3 * count);
  const pixels = new Uint8Array(count * 3 * pixelsPerPlane).fill(20);
  const captions = Array.from({ length: count }, (_, i) => (i % 2 === 0 ? 'red square' : 'blue square'));
  for (let i = 0; i < count; i++) {
    const [x, y, level] = [0, 1, 2].map((j) => draws[3 * i + j]!) as [number, number, number];
    const start = (3 * i + (i % 2 === 0 ? 0 : 2)) * pixelsPerPlane;
    const plane = pixels.subarray(start, start + pixelsPerPlane).fill(100 + Math.floor(100 * level));
    const corner = Math.floor(6 * y) * 8 + Math.floor(6 * x);
    for (const at of [0, 1, 8, 9]) plane[corner + at] = 255;
  }
  const vocabulary = buildVocabulary(captions, 100);
  const manifest: Manifest = {
    version: 1,
    ...{ size: 8, channels: 3, maxTokens: 8, vocabulary, normalization: { scale: 127.5, offset: -1 } },
    count,
    holdout: { fraction: 0.1, seed: 0, by: 'group' },
    items: captions.map((caption, i) => {
      const split = i < count - 2 ? ('train' as const) : ('test' as const);
      return { id: `${i}.png`, caption, group: `${i}`, licence: 'MIT', split };
    }),
    skipped: [],
  };
  await writeManifestFolder(store, manifest, { images: pixels, tokens: encodeCaptions(captions, vocabulary, 8) });
}
