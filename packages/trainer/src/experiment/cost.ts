// What trainings cost by their networks' shapes, and what that means on several machines, on paper.
import { type FileStore, readJson } from '@paris/files';
import { expertFolder } from '@paris/model';
import * as z from 'zod/mini';
import { forwardFlops } from '../evaluate/cost.js';
import type { Variant } from './design.js';
import type { Values } from './measure-variant.js';

const configSchema = z.looseObject({ architecture: z.string() });

/** FLOPs of a training: 3 × the forward for each picture, as a backward costs about two of it. */
const TRAINING = 3;

/**
 * What the experts of a variant took together, and its router: pictures seen, teraFLOP, and megabytes of weights of one expert
 * in f32; of a student those of the forwards that taught it as well.
 * @param model - the assembled folder, whose configs say the shapes
 */
export async function trainingCost(variant: Variant, model: FileStore): Promise<Values> {
  const { clusters, steps, batchSize, router, taughtBy } = variant;
  const flopsOf = async (folder: string) =>
    TRAINING * (forwardFlops(await readJson(model, `${folder}/config.json`, configSchema, 'experiment')) ?? 0);
  let flops = 0;
  for (let k = 0; k < clusters; k++) flops += steps * batchSize * (await flopsOf(expertFolder(k)));
  const bytes = await model.size(`${expertFolder(0)}/model.safetensors`);
  return {
    expertPictures: clusters * steps * batchSize,
    expertTeraflops: flops / 1e12,
    expertMegabytes: bytes / 1e6,
    ...(taughtBy && { teacherTeraflops: flops / TRAINING / 1e12 }), // one expert as large, forward alone
    ...(router && {
      routerPictures: router.steps * router.batchSize,
      routerTeraflops: (router.steps * router.batchSize * (await flopsOf('router'))) / 1e12,
    }),
  };
}

/** A training on n machines, on paper. */
export interface PaperRow {
  machines: number;
  /** Hours of experts that each run on one machine at a time. */
  isolated: number;
  /** Hours of one model whose gradients all machines exchange at each step, by the speed of the network. */
  parallel: { megabitsPerSecond: number; hours: number }[];
}

/** What a training on paper is computed from. */
export interface PaperFigures {
  experts: number;
  /** Steps of each, at a K-th of the batch; the model takes as many at the whole of it. */
  steps: number;
  /** FLOPs of all experts together, and so of the model. */
  flops: number;
  /** Of the weights of one network in f32: its gradients are as large. */
  bytes: number;
  /** What one machine computes in a second. */
  flopsPerSecond: number;
}

/** Networks between machines: a home's uplink, an office, a data centre. */
const NETWORKS = [20, 1000, 100_000] as const;

/**
 * Wall times on n equal machines. Experts need nothing of each other: ⌈K / n⌉ of them one after another on the busiest
 * machine. One model on n machines divides each batch, and exchanges gradients by a ring all-reduce, in which each machine
 * sends 2 (n − 1) / n times their size (Patarasuk and Yuan 2009, doi 10.1016/j.jpdc.2008.09.002); computing and sending do not
 * overlap, and latency is left out.
 */
export function paperRows({ experts, steps, flops, bytes, flopsPerSecond }: PaperFigures): PaperRow[] {
  const hours = (seconds: number) => seconds / 3600;
  return [1, 2, 4, 8].map((machines) => ({
    machines,
    isolated: hours((Math.ceil(experts / machines) * (flops / experts)) / flopsPerSecond),
    parallel: NETWORKS.map((megabitsPerSecond) => {
      const sent = ((2 * (machines - 1)) / machines) * bytes * 8 * steps;
      return { megabitsPerSecond, hours: hours(flops / machines / flopsPerSecond + sent / (megabitsPerSecond * 1e6)) };
    }),
  }));
}
