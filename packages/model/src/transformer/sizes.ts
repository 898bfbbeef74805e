// What the sizes of a transformer over patches must satisfy together, and its input with them.

import type { Tensor } from '@paris/tensor';
import { ShapeError } from '@paris/tensor';

/** The sizes that {@link misfits} checks against each other, in pixels (or latents) and channels. */
export interface TransformerSizes {
  /** Height and width of the input. */
  readonly inputSize: number;
  readonly patchSize: number;
  readonly hiddenSize: number;
  readonly heads: number;
  /** Width of the MLP, in units of hiddenSize. */
  readonly mlpRatio: number;
}

/**
 * Checks what a network over patches is given: latents [B, C, S, S] and a time for each picture.
 * @throws ShapeError if they do not fit the config
 */
export function checkInput(
  tag: string,
  { inputSize: s, channels }: { readonly inputSize: number; readonly channels: number },
  { latents, time }: { readonly latents: Tensor; readonly time: Tensor },
): void {
  const [batch] = latents.shape;
  if (latents.shape.join() !== [batch, channels, s, s].join()) {
    const got = `[${latents.shape.join(', ')}]`;
    throw new ShapeError(tag, `latents must be [B, ${channels}, ${s}, ${s}], got ${got}. Resize, or mend the config.`);
  }
  if (time.shape.join() === String(batch)) return;
  const got = `[${time.shape.join(', ')}]`;
  throw new ShapeError(tag, `time must be [B], here [${batch}], got ${got}. Give each picture its own.`);
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
