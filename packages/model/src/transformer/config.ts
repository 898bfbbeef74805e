// What the configs of transformers over pictures have in common: their fields, their defaults, and how they are checked.

import { describeIssue, type Schema } from '@paris/files';
import { ValueError } from '@paris/tensor';
import * as z from 'zod/mini';
import type { TimeScaling } from './time.js';

/** The sizes that {@link misfits} checks against each other, in pixels (or latents) and channels. */
export interface TransformerSizes {
  /** Height and width of the latents (or of the pictures, in pixel space). */
  readonly inputSize: number;
  readonly patchSize: number;
  readonly hiddenSize: number;
  readonly heads: number;
  /** Width of a block's MLP, in units of hiddenSize. Default 4. */
  readonly mlpRatio: number;
}

/** What every transformer over noisy pictures is made from. */
export interface TransformerConfig extends TransformerSizes, TimeScaling {
  readonly channels: number;
  /** Blocks. */
  readonly depth: number;
  /** Default 1e-5, PyTorch's; DiT and PixArt use 1e-6. */
  readonly layerNormEps: number;
}

/** A whole number from 1 on. */
export const count: z.ZodMiniType<number> = z.int().check(z.positive());
const positive = z.number().check(z.positive());

/** The fields of a {@link TransformerConfig}, for an object schema of zod/mini. */
export const transformerFields: {
  readonly [name in keyof TransformerConfig]: z.ZodMiniType<TransformerConfig[name]>;
} = {
  inputSize: count,
  channels: count,
  patchSize: count,
  hiddenSize: count,
  depth: count,
  heads: count,
  mlpRatio: z._default(positive, 4),
  timeScale: z._default(positive, 1000),
  timeRounding: z._default(z.enum(['none', 'nearest']), 'none'),
  layerNormEps: z._default(positive, 1e-5),
};

/**
 * A function that checks a config.json and fills in its defaults. It throws a ValueError that lists every problem.
 * @param tag - starts the message
 * @param what - what the config should describe: `a DiT`
 */
export function configParser<C extends TransformerSizes & { readonly architecture?: string | undefined }>(
  tag: string,
  what: string,
  schema: Schema<C>,
): (json: unknown) => Omit<C, 'architecture'> {
  return (json) => {
    const parsed = schema.safeParse(json);
    const problems = parsed.success
      ? misfits(parsed.data)
      : parsed.error.issues.map((issue) => describeIssue(issue, json));
    if (!parsed.success || problems.length > 0) {
      throw new ValueError(tag, `the config does not describe ${what}: ${problems.join('; ')}.`);
    }
    const { architecture: _, ...config } = parsed.data;
    return config;
  };
}

/** Sizes that are fine alone but not together, a phrase for each; none where all fit. */
export function misfits({ inputSize, patchSize, hiddenSize, heads, mlpRatio }: TransformerSizes): string[] {
  const problems: string[] = [];
  if (inputSize % patchSize !== 0) problems.push(`inputSize ${inputSize} is not a multiple of patchSize ${patchSize}`);
  if (hiddenSize % heads !== 0) problems.push(`hiddenSize ${hiddenSize} is not a multiple of heads ${heads}`);
  if (hiddenSize % 4 !== 0) problems.push(`hiddenSize ${hiddenSize} is not a multiple of 4, which positions need`);
  if (!Number.isInteger(hiddenSize * mlpRatio)) {
    problems.push(`hiddenSize ${hiddenSize} times mlpRatio ${mlpRatio} is not a whole number`);
  }
  return problems;
}
