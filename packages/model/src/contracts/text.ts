// The two sides of a prompt: a network that makes conditions of words, and what a pipeline asks.
import type { Tensor, TreeOf } from '@paris/tensor';
import type { Network } from './architecture.js';
import type { Condition } from './condition.js';

/** What a tokenizer gives: numbers on the host, a row for each prompt. */
export interface HostTokens {
  /** Row-major [B, L]. */
  readonly ids: Uint32Array;
  /** How many a prompt is cut or padded to: L. */
  readonly length: number;
  /** Row-major [B, L]: 1 where there is a word, 0 for padding that networks must not look at. Default: all are seen. */
  readonly mask?: Uint8Array;
}

/** The same on the device. */
export interface Tokens {
  /** u32 [B, L] */
  readonly ids: Tensor;
  /** bool [B, L] */
  readonly mask?: Tensor;
}

/** A network from words to what experts take: CLIP, T5, or a word list, which has no parameters. */
export interface TextEncoder<P = TreeOf<Tensor>> extends Network<P> {
  /** Prompts → ids. The empty prompt is the unconditional one. */
  tokenize(prompts: readonly string[]): HostTokens;
  /** Traced. A row of each tensor for each prompt. */
  encode(params: P, tokens: Tokens): Condition;
}

/**
 * From prompts to what experts take, as a pipeline holds it: a {@link TextEncoder} with its weights (`promptEncoderOf`), or
 * anything else that answers.
 */
export interface PromptEncoder {
  /** One row for each prompt; `encode([''])` is the unconditional. The caller disposes of the condition's tensors. */
  encode(prompts: readonly string[]): Promise<Condition>;
  /** Gives back what it keeps between calls. A pipeline that was given one leaves it alone. */
  dispose?(): void;
}
