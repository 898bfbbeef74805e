// The trace that `paris sample --trace` writes.

import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { DemoError } from '../errors.js';
import type { Samples } from '../report/types.js';

const png = z.base64();
const traceSchema = z.object({
  version: z.literal(1),
  size: z.int(),
  routing: z.string(),
  sampler: z.string(),
  guidance: z.number(),
  steps: z.int(),
  seed: z.int(),
  pictures: z.array(
    z.object({
      prompt: z.string(),
      png,
      weights: z.array(z.array(z.number())),
      film: z.array(z.object({ step: z.int(), png })),
    }),
  ),
});

/** Reads the trace; pictures of one prompt become a row, in the order of the prompts. */
export async function readSamples(path: string): Promise<Samples> {
  const parsed = traceSchema.safeParse(JSON.parse(await readFile(path, 'utf8')));
  if (!parsed.success) throw new DemoError(`${path} is not a trace of this version: ${z.prettifyError(parsed.error)}`);
  const { pictures, version: _, ...rest } = parsed.data;
  const prompts = [...new Set(pictures.map((picture) => picture.prompt))];
  const src = (base64: string) => `data:image/png;base64,${base64}`;
  return {
    ...rest,
    rows: prompts.map((prompt) => ({
      prompt,
      pictures: pictures
        .filter((picture) => picture.prompt === prompt)
        .map(({ png, weights, film }) => ({
          src: src(png),
          weights,
          film: film.map((frame) => ({ step: frame.step, src: src(frame.png) })),
        })),
    })),
  };
}
