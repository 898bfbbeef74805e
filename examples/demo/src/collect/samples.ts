// The trace that `paris sample --trace` writes.

import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { DemoError } from '../errors.js';
import type { Sample, Samples } from '../report/types.js';

const png = z.base64();
const traceSchema = z.object({
  version: z.literal(1),
  width: z.int(),
  routing: z.string(),
  sampler: z.string(),
  guidance: z.number(),
  steps: z.int(),
  seed: z.int(),
  pictures: z.array(
    z.object({
      prompt: z.string(),
      png,
      evaluations: z.array(z.object({ weights: z.array(z.number()) })),
      film: z.array(z.object({ step: z.int(), png })),
    }),
  ),
});

/** Reads the trace; pictures of one prompt become a row, in the order of the prompts. */
export async function readSamples(path: string): Promise<Samples> {
  const parsed = traceSchema.safeParse(JSON.parse(await readFile(path, 'utf8')));
  if (!parsed.success) throw new DemoError(`${path} is not a trace of this version: ${z.prettifyError(parsed.error)}`);
  const { pictures, version: _, width, ...rest } = parsed.data;
  const prompts = [...new Set(pictures.map((picture) => picture.prompt))];
  return {
    ...rest,
    size: width,
    rows: prompts.map((prompt) => ({
      prompt,
      pictures: pictures.filter((picture) => picture.prompt === prompt).map(sampleOf),
    })),
  };
}

function sampleOf({ png, evaluations, film }: z.infer<typeof traceSchema>['pictures'][number]): Sample {
  const src = (base64: string) => `data:image/png;base64,${base64}`;
  return {
    src: src(png),
    weights: evaluations.map(({ weights }) => weights),
    film: film.map((frame) => ({ step: frame.step + 1, src: src(frame.png) })), // steps count from 0 there
  };
}
