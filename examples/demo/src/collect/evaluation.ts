// What `paris evaluate` writes, as far as the page shows it.

import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { DemoError } from '../errors.js';

const estimate = z.object({ mean: z.number(), standardError: z.number() });
const score = { accuracy: z.number(), balancedAccuracy: z.number() };
const semantics = z.object({
  nats: z.number(),
  threshold: z.number(),
  partitions: z.int(),
  semantic: z.boolean(),
});
const evaluationSchema = z.object({
  version: z.literal(1),
  router: z.object({
    ...score,
    majorityShare: z.number(),
    byTime: z.array(z.object({ ...score, time: z.number() })),
  }),
  losses: z.object({
    experts: z.array(estimate),
    policies: z.record(z.string(), estimate),
    permuted: estimate,
    oracle: estimate,
  }),
  semantics: z.object({ heldOut: semantics }),
  controls: z.array(z.object({ name: z.string(), passed: z.boolean(), detail: z.string() })),
});
export type Evaluation = z.infer<typeof evaluationSchema>;
export type Estimate = z.infer<typeof estimate>;

/** @throws DemoError if the file is not an evaluation with controls */
export async function readEvaluation(path: string): Promise<Evaluation> {
  const parsed = evaluationSchema.safeParse(JSON.parse(await readFile(path, 'utf8')));
  if (parsed.success) return parsed.data;
  throw new DemoError(`${path} is not an evaluation of this version: ${z.prettifyError(parsed.error)}`);
}
