// `text/vocabulary.json` of a model folder. Apart from what reads prompts: pages that only do that need no schemas.
import type { FileSource, FileStore } from '@paris/files';
import { CheckpointError, checkJson, parseJson } from '@paris/files';
import * as z from 'zod/mini';
import { count, limits } from '../limits.js';
import { MAX_TOKENS } from './caption-words.js';
import type { Vocabulary } from './vocabulary.js';

const fileName = 'text/vocabulary.json';

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
  maxTokens: count(limits.tokens),
  words: z.array(z.string()).check(z.minLength(2), z.maxLength(limits.rows)),
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
