// What the configs of transformers over pictures have in common: their fields, their defaults, and how they are checked.

import { ConfigError, describeIssue, type Schema } from '@paris/files';
import * as z from 'zod/mini';
import { count, limits } from '../limits.js';
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

const ratio = z.number().check(z.positive(), z.lte(64));

/** The fields of a {@link TransformerConfig}, for an object schema of zod/mini. */
export const transformerFields: {
  readonly [name in keyof TransformerConfig]: z.ZodMiniType<TransformerConfig[name]>;
} = {
  inputSize: count(limits.pixels),
  channels: count(limits.pixels),
  patchSize: count(limits.pixels),
  hiddenSize: count(limits.width),
  depth: count(limits.depth),
  heads: count(limits.heads),
  mlpRatio: z._default(ratio, 4),
  // Sines of larger angles would be noise in f32.
  timeScale: z._default(z.number().check(z.positive(), z.lte(100_000)), 1000),
  timeRounding: z._default(z.enum(['none', 'nearest']), 'none'),
  layerNormEps: z._default(z.number().check(z.positive(), z.lte(1)), 1e-5),
};

/**
 * A function that checks a config.json and fills in its defaults. It throws a ConfigError that lists every problem.
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
      throw new ConfigError(tag, `the config does not describe ${what}: ${problems.join('; ')}.`);
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
