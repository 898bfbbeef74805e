// Measures what a model draws: how far its pictures are from real ones, and whether they are copies of what it learned.
import { type CopyingTest, copyingTest, type Encoder, statisticsEncoder } from '@paris/clustering';
import type { FileSource } from '@paris/files';
import { readModelIndex } from '@paris/model';
import { DEFAULT_GUIDANCE, type RgbImage } from '@paris/sampler';
import { type Device, type Key, key, ValueError } from '@paris/tensor';
import { type Items, listItems, pickItems } from '../data/items.js';
import { type ConditionAccuracy, conditionAccuracy } from './condition.js';
import { modelCost, type PictureCost, pictureCost } from './cost.js';
import { type DistanceIntervals, distanceIntervals, type PictureDistances, pictureDistances } from './distances.js';
import { type Drawn, draw, openPipeline } from './draw.js';
import type { Architectures } from './evaluate.js';
import { bootstrapMean, type Interval } from './intervals.js';
import { drawnRows, featuresOf, type RealPictures, readRealPictures, someRows } from './real-pictures.js';
import { subjectsOf } from './subjects.js';
import { untrainedModel } from './untrained.js';

/** Which pictures are drawn, and by which features they are compared. */
export interface EvaluatePicturesOptions {
  device: Device;
  model: FileSource;
  /** The data folder; `test` and `router` of it are opened. */
  data: FileSource;
  /** How many pictures are drawn, for captions of held-out pictures, in an order that the seed decides. Default 64. */
  count?: number;
  seed?: number;
  /** Default 30. */
  steps?: number;
  guidance?: number;
  /** Default: the built-in statistics of colour, layout and edges. */
  encoder?: Encoder;
  architectures?: Architectures;
  /** Called as steps of single pictures are taken. */
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal | undefined;
}

/** A drawn picture and the training picture that is nearest to it. */
export interface PicturePair {
  /** Which of the drawn pictures. */
  drawn: number;
  caption: string;
  /** The training picture, by its id and its row in `router/`. */
  nearest: string;
  row: number;
  distance: number;
}

/** What {@link evaluatePictures} finds: `pictures` of evaluation.json. */
export interface PicturesEvaluation {
  /** Pictures drawn, and as many training pictures for the floor. */
  count: number;
  /** Held-out pictures that both are compared with. */
  heldOut: number;
  encoder: string;
  seed: number;
  steps: number;
  guidance: number;
  model: PictureDistances;
  /** Of the model's distances. */
  intervals: DistanceIntervals;
  /** As many training pictures against held-out ones: no model can be expected to be nearer. */
  floor: PictureDistances;
  /** As many pictures of the same model before any training: what it began from. */
  ceiling: PictureDistances;
  /** Whether pictures show what was asked for. Absent where pictures have no category. */
  condition?: ConditionAccuracy | undefined;
  /** What a picture takes. Absent where an architecture is not one of ours. */
  cost?: PictureCost | undefined;
  /** Of one picture, by the clock: different each time. */
  secondsPerPicture: number;
  copying: {
    /** P(a drawn picture is nearer to a training picture than a held-out one is): ½ without copying. */
    nearer: number;
    /** Of `nearer`: the 95 % bootstrap interval over the drawn pictures. */
    interval: Interval;
    pValue: number;
    /** The sixteen drawn pictures that are nearest to a training picture. */
    closest: PicturePair[];
  };
}

/**
 * Draws pictures for captions of held-out pictures, and measures them against these and the training pictures; and the same of
 * the model without training. Pictures of clusters whose expert is absent are left out.
 * @returns what was measured, and the pictures
 * @throws DataError with fewer than 7 held-out or 3 training pictures, or of another size than are drawn; ValueError for fewer than 3 pictures to draw; what
 *   `loadPipeline` throws
 */
export async function evaluatePictures(
  options: EvaluatePicturesOptions,
): Promise<{ evaluation: PicturesEvaluation; images: readonly RgbImage[] }> {
  const { count = 64, seed = 0, steps = 30, guidance = DEFAULT_GUIDANCE, encoder = statisticsEncoder() } = options;
  const { device, model, onProgress, signal } = options;
  if (!Number.isInteger(count) || count < 3) {
    throw new ValueError('evaluate', `${count} pictures are too few to measure. Draw 3 or more.`);
  }
  const { absent } = await readModelIndex(model, 'the model');
  const real = await readRealPictures(options.data, encoder, absent);
  const rows = drawnRows(real.test, count, key(seed).foldIn(5));
  const asked = await subjectsOf(model, await listItems(pickItems(real.test.items, rows)));
  const settings = { seed, steps, guidance: asked.guided ? guidance : 1 };
  const drawOf = async (source: FileSource, before: number): Promise<Drawn & { cost: PictureCost | undefined }> => {
    const pipeline = await openPipeline(source, real.drawnSize, options);
    try {
      const shown = (done: number, total: number) => onProgress?.(before * total + done, 2 * total);
      const drawn = await draw(pipeline, asked, { ...settings, signal, onProgress: shown });
      const cost = await modelCost(source, pipeline.index);
      return { ...drawn, cost: cost && pictureCost(cost, drawn.weights, settings.guidance === 1 ? 1 : 2) };
    } finally {
      await pipeline.close();
    }
  };
  const trained = await drawOf(model, 0);
  const untrained = await drawOf(await untrainedModel(model, { ...options, device, seed }), 1);
  const [drawn, before] = [await featuresOf(real, trained.images), await featuresOf(real, untrained.images)];
  const { dimensions } = encoder;
  const distances = (features: Float32Array) => pictureDistances(real.heldOut, features, dimensions, seed);
  const ofModel = distances(drawn);
  const condition = await conditionAccuracy(real, drawn, rows, key(seed).foldIn(2));
  return {
    evaluation: {
      ...{ count, heldOut: real.test.manifest.count, encoder: encoder.name, ...settings },
      model: ofModel,
      intervals: distanceIntervals(real.heldOut, drawn, dimensions, { distances: ofModel, key: key(seed).foldIn(4) }),
      floor: distances(someRows(real.learned, dimensions, count, key(seed).foldIn(1))),
      ceiling: distances(before),
      ...(condition && { condition }),
      ...(trained.cost && { cost: trained.cost }),
      secondsPerPicture: trained.seconds,
      copying: await copyingOf(real, drawn, asked.texts, key(seed).foldIn(3)),
    },
    images: trained.images,
  };
}

async function copyingOf(
  { learned, heldOut, encoder, train, places }: RealPictures,
  drawn: Float32Array,
  captions: readonly string[],
  key: Key,
): Promise<PicturesEvaluation['copying']> {
  const found = copyingTest(learned, drawn, heldOut, encoder.dimensions);
  // The share of held-out pictures that are farther from the training pictures than this one; its mean is `nearer`.
  const shares = found.drawn.map(({ distance }) => {
    const farther = found.heldOut.map((other) =>
      other.distance > distance ? 1 : other.distance === distance ? 0.5 : 0,
    );
    return farther.reduce((sum: number, share) => sum + share, 0) / farther.length;
  });
  return {
    nearer: found.nearer,
    interval: bootstrapMean(shares, key),
    pValue: found.pValue,
    closest: await closestOf(found, captions, train.items, places),
  };
}

const CLOSEST = 16;

async function closestOf(
  { drawn }: CopyingTest,
  captions: readonly string[],
  items: Items,
  places: readonly number[],
): Promise<PicturePair[]> {
  const pairs = drawn.map(({ row, distance }, i) => ({ drawn: i, row, distance }));
  const closest = pairs.sort((a, b) => a.distance - b.distance || a.drawn - b.drawn).slice(0, CLOSEST);
  const nearest = await pickItems(
    items,
    closest.map(({ row }) => row),
  ).read(0, closest.length);
  return closest.map(({ drawn: i, row, distance }, at) => {
    return { drawn: i, caption: captions[i]!, nearest: nearest[at]!.id, row: places[row]!, distance };
  });
}
