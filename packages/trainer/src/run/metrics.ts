// metrics.jsonl: one line a step. Lines reach the file before the checkpoint of their step does; on continuing,
// whatever lies after the checkpoint is cut off. So there is never a step twice, nor one missing.

import type { FileSource, FileStore } from '@paris/files';
import { CheckpointError } from '@paris/tensor';
import * as z from 'zod/mini';
import type { StepMetrics } from './events.js';

export const METRICS_FILE = 'metrics.jsonl';

const lineSchema: z.ZodMiniType<StepMetrics> = z.object({
  step: z.int(),
  loss: z.number(),
  accuracy: z.optional(z.number()),
});

export async function appendMetrics(store: FileStore, metrics: readonly StepMetrics[]): Promise<void> {
  if (metrics.length > 0) await store.append(METRICS_FILE, metrics.map(toLine).join(''));
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
      const result = lineSchema.safeParse(JSON.parse(line));
      if (result.success) return result.data;
    } catch {}
    throw new CheckpointError('metrics', `${METRICS_FILE}, line ${index + 1} is not a step's metrics.`);
  });
}

/** Cuts the file after `step` lines. @throws CheckpointError if it does not hold the steps 1 to `step`. */
export async function truncateMetrics(store: FileStore, step: number): Promise<void> {
  const kept = (await readMetrics(store)).filter((line) => line.step <= step);
  if (kept.length !== step || kept.some((line, index) => line.step !== index + 1)) {
    throw new CheckpointError(
      'metrics',
      `${METRICS_FILE} does not hold the steps 1 to ${step}. Start anew with --fresh.`,
    );
  }
  await store.write(METRICS_FILE, new TextEncoder().encode(kept.map(toLine).join('')));
}

function toLine(metrics: StepMetrics): string {
  return `${JSON.stringify(metrics)}\n`;
}
