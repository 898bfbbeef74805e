// The built-in text side as an architecture: a list of words, which each expert embeds itself.
import type { Tensor } from '@paris/tensor';
import { type DefinedArchitecture, defineArchitecture } from '../contracts/architecture.js';
import { tokenCondition } from '../contracts/condition.js';
import type { TextEncoder } from '../contracts/text.js';
import { encodeCaptions } from './caption-words.js';
import type { Vocabulary } from './vocabulary.js';
import { parseVocabulary } from './vocabulary-file.js';

/** A text encoder that looks words up; unknown ones share an id, and everything beyond `maxTokens` is cut. */
export interface WordList extends TextEncoder<Record<string, Tensor>> {
  readonly vocabulary: Vocabulary;
}

/** The words of a vocabulary as a text encoder without parameters. */
export function wordListOf(vocabulary: Vocabulary): WordList {
  const { words, maxTokens } = vocabulary;
  return {
    vocabulary,
    init: () => ({}),
    tokenize: (prompts) => ({ ids: encodeCaptions(prompts, words, maxTokens), length: maxTokens }),
    encode: (_, { ids }) => tokenCondition(ids),
  };
}

/** The architecture named `word-list`; a `text` folder without config.json is one. Its words are in vocabulary.json. */
export const wordList: DefinedArchitecture<
  object,
  TextEncoder<Record<string, Tensor>>,
  TextEncoder
> = defineArchitecture({
  architecture: 'word-list',
  companions: ['vocabulary.json'],
  parseConfig: () => ({}),
  create: (_, companions): TextEncoder<Record<string, Tensor>> =>
    wordListOf(parseVocabulary(companions['vocabulary.json'])),
});

/** The words, where a text encoder is a word list. */
export function vocabularyOf(encoder: object): Vocabulary | undefined {
  return 'vocabulary' in encoder ? (encoder as WordList).vocabulary : undefined;
}
