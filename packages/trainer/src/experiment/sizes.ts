// The two sizes that every experiment has: a smoke test of seconds, and the one whose results are recorded.
import type { Objective } from '@paris/model';
import { defaultObjective, type TransformerSize } from '../train/defaults.js';
import type { Design, Measuring, RouterPlan, Variant } from './design.js';

/** What a size fixes; a design makes its variants of it. */
export interface ExperimentSize {
  readonly seeds: readonly number[];
  readonly size: TransformerSize;
  readonly learningRate: number;
  readonly routerLearningRate: number;
  /** Experts where a design does not vary them. */
  readonly clusters: number;
  /** Numbers of experts where it does. */
  readonly counts: readonly number[];
  /** Steps of each network. */
  readonly steps: number;
  /** Pictures a step, of all experts together. */
  readonly batchSize: number;
  /** A router sees this share of the pictures that all experts together see: DDM spends 4 % of the FLOPs on it (§4). */
  readonly routerShare: number;
  readonly measuring: Omit<Measuring, 'refine'>;
}

/** The names of the sizes. */
export type SizeName = 'smoke' | 'recorded';

/** Few features, since Fréchet distances take the third power of their number. */
const coarse = { grid: 2, bins: 2, edgeGrid: 2, orientations: 4 } as const;

/** What the sizes are. */
export const experimentSizes: Readonly<Record<SizeName, ExperimentSize>> = {
  smoke: {
    seeds: [0, 1],
    size: { patch: 4, width: 16, depth: 1, heads: 2 },
    learningRate: 0.01,
    routerLearningRate: 0.01,
    clusters: 4,
    counts: [2, 4],
    steps: 24,
    batchSize: 16,
    routerShare: 0.25,
    measuring: { times: 4, pictures: 16, sampleSteps: 4, guidance: 1, features: coarse },
  },
  recorded: {
    seeds: [0, 1, 2, 3, 4],
    size: { patch: 4, width: 64, depth: 3, heads: 4 },
    learningRate: 0.01,
    routerLearningRate: 0.003,
    clusters: 8,
    counts: [2, 4, 8, 16],
    steps: 3200,
    batchSize: 128,
    routerShare: 0.06,
    measuring: { times: 20, pictures: 256, sampleSteps: 24, guidance: 2, features: {} },
  },
};

/** What every design takes of a size. Pictures of twice the steps are drawn as well where `refine` asks for it. */
export function settingsOf(
  { seeds, size, learningRate, measuring }: ExperimentSize,
  { refine = false }: { refine?: boolean } = {},
): Pick<Design, 'seeds' | 'size' | 'learningRate' | 'conditionDropout' | 'measuring'> {
  return { seeds, size, learningRate, conditionDropout: 0.1, measuring: { ...measuring, refine } };
}

/** The router of a size: batches as large as an expert's of the default number, and steps for its share of the pictures. */
export function routerPlan(size: ExperimentSize, change: Partial<RouterPlan> = {}): RouterPlan {
  const batchSize = Math.max(1, Math.round(size.batchSize / size.clusters));
  const steps = Math.max(1, Math.round((size.routerShare * size.steps * size.batchSize) / batchSize));
  return {
    ...{ size: size.size, steps, batchSize, learningRate: size.routerLearningRate, share: 1, reads: 'words' },
    ...change,
  };
}

/**
 * K experts for the price of one: each takes as many steps with a K-th of the batch, so all together see as many pictures and
 * spend as many FLOPs as a single one (DDM, arXiv 2501.05450, §4.1).
 */
export function shared(size: ExperimentSize, clusters: number, change: Partial<Variant> = {}): Variant {
  return {
    name: `k${clusters}`,
    clusters,
    clustering: 'semantic',
    steps: size.steps,
    batchSize: Math.max(1, Math.round(size.batchSize / clusters)),
    objectives: [defaultObjective],
    ...(clusters > 1 && { router: routerPlan(size) }),
    arms: [{ name: 'top1', routing: 'top1' }],
    ...change,
  };
}

/** Student batches are this share of the model's (DDM, arXiv 2501.05450, §4.6). */
const STUDENT_SHARE = 4;

/**
 * A student of a variant's mixture, as large as one expert: as many steps as it took, at a quarter of all experts' batch. With the
 * teacher's forward, which costs a third of a training step, that is a third of the model's FLOPs, as in DDM (§4.6).
 */
export function student(size: ExperimentSize, of: string, change: Partial<Variant> = {}): Variant {
  return shared(size, 1, {
    name: 'student',
    batchSize: Math.max(1, Math.round(size.batchSize / STUDENT_SHARE)),
    taughtBy: { variant: of, routing: 'oracle' },
    arms: [{ name: 'distilled', routing: 'full' }],
    ...change,
  });
}

/** Noise prediction on the cosine path, as the heterogeneous experts of arXiv 2603.06741 have it. */
export const epsilonCosine: Objective = { prediction: 'epsilon', path: 'cosine' };
