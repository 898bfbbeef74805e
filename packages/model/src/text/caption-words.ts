// A caption, or a prompt, as the built-in text side sees it: its first words, as ids of a list.
import { captionWords, idsOf, unknownId, type Vocabulary } from './vocabulary.js';

/** How many token ids a caption has. */
export const MAX_TOKENS = 8;

/** What a model reads of a prompt. */
export interface PromptWords {
  /** In the vocabulary. */
  readonly known: readonly string[];
  /** Not in it: they all look the same to the model. */
  readonly unknown: readonly string[];
  /** Beyond the text length: the model does not see them. */
  readonly cut: readonly string[];
}

/** The words of a prompt, each as often as it occurs, by what a model with this vocabulary makes of them. */
export function promptWords(prompt: string, { words, maxTokens }: Vocabulary): PromptWords {
  const ids = idsOf(words);
  const all = captionWords(prompt);
  const seen = all.slice(0, maxTokens);
  return {
    known: seen.filter((word) => ids.has(word)),
    unknown: seen.filter((word) => !ids.has(word)),
    cut: all.slice(maxTokens),
  };
}

/** Captions → token ids, u32 [captions.length, maxTokens], cut and padded with 0. The empty caption is all zeros. */
export function encodeCaptions(
  captions: readonly string[],
  vocabulary: readonly string[],
  maxTokens: number = MAX_TOKENS,
): Uint32Array {
  const ids = idsOf(vocabulary);
  const out = new Uint32Array(captions.length * maxTokens);
  for (const [row, caption] of captions.entries()) {
    const tokens = captionWords(caption).slice(0, maxTokens);
    for (const [column, word] of tokens.entries()) out[row * maxTokens + column] = ids.get(word) ?? unknownId;
  }
  return out;
}
