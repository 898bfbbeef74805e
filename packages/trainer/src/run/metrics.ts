// metrics.jsonl: one line per step. Lines reach the file before the checkpoint of their step does; when a run is resumed,
// lines after its checkpoint are cut off. So no step is there twice, and none is missing
// unless the disk lost a line.

import type { FileSource, FileStore } from '@paris/files';
import { CheckpointError } from '@paris/tensor';
import * as z from 'zod/mini';
import { mean } from '../mean.js';
import type { StepMetrics } from './events.js';
import { appendLines, lastLinesOf, linesOf, writeLines } from './lines.js';

export const METRICS_FILE = 'metrics.jsonl';
/** The loss that a finished run gives is the mean of so many steps: one batch says little. */
const LAST_STEPS = 64;

/** A line of metrics.jsonl. */
export const metricsSchema: z.ZodMiniType<StepMetrics> = z.object({
  step: z.int(),
  loss: z.number(),
  accuracy: z.optional(z.number()),
  gradientNorm: z.optional(z.number()),
  learningRate: z.optional(z.number()),
  replaced: z.optional(z.int()),
});

export async function appendMetrics(store: FileStore, metrics: readonly StepMetrics[]): Promise<void> {
  await appendLines(store, METRICS_FILE, metrics);
}

/** All complete lines, in order. A line that a kill cut short is left out. */
export async function readMetrics(store: FileSource): Promise<StepMetrics[]> {
  if (!(await store.exists(METRICS_FILE))) return [];
  const lines = new TextDecoder()
    .decode(await store.read(METRICS_FILE))
    .split('\n')
    .slice(0, -1);
  return lines.map((line, index) => {
    try {
      const result = metricsSchema.safeParse(JSON.parse(line));
      if (result.success) return result.data;
    } catch {}
    throw new CheckpointError('metrics', `${METRICS_FILE}, line ${index + 1} is not a step's metrics.`);
  });
}

/** The mean loss of the last steps, whichever processes made them. */
export async function lastLoss(store: FileSource): Promise<number> {
  const last = await lastLinesOf(store, METRICS_FILE, metricsSchema, LAST_STEPS);
  return last.length > 0 ? mean(last.map((line) => line.loss)) : 0;
}

/**
 * Cuts off the lines of later steps. Lines that a power cut took or damaged are left out: a run is worth more than they are.
 * @returns how many of the steps 1 to `step` have no line
 */
export async function truncateMetrics(store: FileStore, step: number): Promise<number> {
  const kept: StepMetrics[] = [];
  for (const line of await linesOf(store, METRICS_FILE, metricsSchema)) {
    if (line.step <= step && line.step > (kept.at(-1)?.step ?? 0)) kept.push(line);
  }
  await writeLines(store, METRICS_FILE, kept);
  return step - kept.length;
}
