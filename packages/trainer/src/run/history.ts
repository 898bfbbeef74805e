// All that a run says of itself, for reports: its record and its files of lines. Reading it disturbs no training.
import type { FileSource } from '@paris/files';
import * as z from 'zod/mini';
import type { StepMetrics } from './events.js';
import { linesOf } from './lines.js';
import { LOG_FILE, type LogLine } from './log.js';
import { METRICS_FILE, metricsSchema } from './metrics.js';
import { SAMPLES_FILE, VALIDATION_FILE } from './observer.js';
import { type RunRecord, readRun } from './record.js';

/** The loss on held-out pictures at one noise level. */
export interface ValidationLine {
  step: number;
  /** Noise level, from 0 (a picture) to 1 (noise). */
  time: number;
  loss: number;
  accuracy?: number | undefined;
}

/** A file of sample pictures, one for each prompt, side by side. */
export interface SampleLine {
  step: number;
  /** In the run's folder. */
  file: string;
  prompts: string[];
  seed: number;
  guidance: number;
}

/** What a run has written, each list in the order of its file. */
export interface RunHistory {
  record: RunRecord;
  metrics: StepMetrics[];
  validation: ValidationLine[];
  samples: SampleLine[];
  log: LogLine[];
}

const number = z.optional(z.number());
const validationSchema = z.object({ step: z.int(), time: z.number(), loss: z.number(), accuracy: number });
const samplesSchema = z.object({
  step: z.int(),
  file: z.string().check(z.regex(/^samples\/\d{8}\.png$/)),
  prompts: z.array(z.string()),
  ...{ seed: z.number(), guidance: z.number() },
});
const logSchema = z.object({
  step: z.int(),
  time: z.string(),
  adapter: z.optional(z.string()),
  ...{ imagesPerSecond: number, waiting: number, deviceBytes: number, hostBytes: number },
  ...{ checkpointBytes: number, checkpointSeconds: number },
});

/**
 * The history of the run in a folder; undefined where there is none. Lines that are damaged are left out.
 * @throws CheckpointError if its run.json is unsound
 */
export async function readHistory(store: FileSource): Promise<RunHistory | undefined> {
  const record = await readRun(store);
  if (!record) return undefined;
  return {
    record,
    metrics: await linesOf(store, METRICS_FILE, metricsSchema),
    validation: await linesOf(store, VALIDATION_FILE, validationSchema),
    samples: await linesOf(store, SAMPLES_FILE, samplesSchema),
    log: await linesOf(store, LOG_FILE, logSchema),
  };
}
