// What numbers in other people's files may be.
import * as z from 'zod/mini';

/**
 * A whole number from 1 to `most`. Configs come with other people's models, and networks are built from them before any
 * weight is looked at: without limits a number of a few digits takes minutes and gigabytes.
 */
export function count(most: number): z.ZodMiniType<number> {
  return z.int().check(z.gte(1), z.lte(most));
}

/** The largest numbers that configs may hold: far above what anybody has trained, and fast to build networks from. */
export const limits: {
  /** Edge lengths in pixels or latents, and their channels. */
  readonly pixels: number;
  /** Channels of a network, a text encoder's output or a word's vector. */
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  /** Words of a vocabulary, and classes: rows of a table, which are looked up by f32 (exact below 2²⁴). */
  readonly rows: number;
  /** Token ids a prompt. */
  readonly tokens: number;
  /** Experts of a model. */
  readonly clusters: number;
  /** Bytes of `model_index.json`, with the hashes of every 16 MiB of a model. */
  readonly indexBytes: number;
  /** Bytes of a `config.json`. */
  readonly configBytes: number;
  /** Bytes of a file that a network is made with: a tokenizer, a vocabulary. */
  readonly companionBytes: number;
} = {
  pixels: 8192,
  width: 65_536,
  depth: 512,
  heads: 1024,
  rows: 2 ** 24,
  tokens: 4096,
  clusters: 4096,
  indexBytes: 2 ** 26,
  configBytes: 2 ** 20,
  companionBytes: 2 ** 26,
};
