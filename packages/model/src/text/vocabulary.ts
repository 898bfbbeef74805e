/**
 * The built-in text side: a list of words that is frozen from the training captions. No download and no model: each
 * expert embeds the ids itself. Id 0 is padding, and a caption of nothing but padding is the unconditional one.
 */
import type { FileSource, FileStore } from '@paris/files';
import { CheckpointError, checkJson, parseJson } from '@paris/files';
import * as z from 'zod/mini';

/** How many token ids a caption has. */
export const MAX_TOKENS = 8;

const padding = '<pad>';
const unknown = '<unk>';
const unknownId = 1;
const fileName = 'text/vocabulary.json';

/** `text/vocabulary.json`: entry i of `words` is the word with id i; 0 is padding, 1 any word that is not listed. */
export interface Vocabulary {
  readonly version: 1;
  readonly maxTokens: number;
  readonly words: readonly string[];
}

/** The words of a text: lower case, letters and digits with their inner apostrophes, which are straight. */
export function captionWords(text: string): string[] {
  return (
    straight(text.normalize('NFKC'))
      .toLowerCase()
      .match(/[\p{L}\p{M}\p{N}]+(?:'[\p{L}\p{M}]+)*/gu) ?? []
  );
}

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

/** Keyboards and word processors disagree on which apostrophe is one. */
function straight(text: string): string {
  return text.replace(/[‘’ʼ]/g, "'");
}

/** Vocabularies of earlier versions may hold a word with either apostrophe: the more frequent counts. */
function idsOf(vocabulary: readonly string[]): Map<string, number> {
  const ids = new Map<string, number>();
  for (const [id, listed] of vocabulary.entries()) {
    const word = straight(listed);
    if (!ids.has(word)) ids.set(word, id);
  }
  return ids;
}

/** The two special entries and the `limit` most frequent words, the more frequent first, equals in code-unit order. */
export function buildVocabulary(captions: Iterable<string>, limit: number): string[] {
  const counts = new Map<string, number>();
  for (const caption of captions) {
    for (const word of captionWords(caption)) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const ranked = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return [padding, unknown, ...ranked.slice(0, limit).map(([word]) => word)];
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

/** Writes `text/vocabulary.json` into a model folder. */
export async function writeVocabulary(
  store: FileStore,
  list: readonly string[],
  maxTokens: number = MAX_TOKENS,
): Promise<void> {
  const vocabulary: Vocabulary = { version: 1, maxTokens, words: list };
  await store.write(fileName, new TextEncoder().encode(`${JSON.stringify(vocabulary, null, 1)}\n`));
}

const schema: z.ZodMiniType<Vocabulary> = z.object({
  version: z.literal(1),
  maxTokens: z.int().check(z.gte(1)),
  words: z.array(z.string()).check(z.minLength(2)),
});

/**
 * A vocabulary from the bytes of `text/vocabulary.json`.
 * @throws CheckpointError if they are none
 */
export function parseVocabulary(bytes: Uint8Array | undefined): Vocabulary {
  const origin = { tag: 'readVocabulary', path: fileName };
  if (!bytes) throw new CheckpointError(origin.tag, `${fileName} is missing.`);
  return checkJson(parseJson(bytes, origin), schema, origin);
}

/**
 * Reads `text/vocabulary.json` of a model folder.
 * @throws CheckpointError if it is no vocabulary
 */
export async function readVocabulary(store: FileSource): Promise<Vocabulary> {
  return parseVocabulary(await store.read(fileName));
}
