// The built-in text side: a list of words that is frozen from the training captions. No download and no model: each
// expert embeds the ids itself. Id 0 is padding, and a caption of nothing but padding is the unconditional one.

const padding = '<pad>';
const unknown = '<unk>';
export const unknownId = 1;

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

/** Keyboards and word processors disagree on which apostrophe is one. */
function straight(text: string): string {
  return text.replace(/[‘’ʼ]/g, "'");
}

/** Vocabularies of earlier versions may hold a word with either apostrophe: the more frequent counts. */
export function idsOf(vocabulary: readonly string[]): Map<string, number> {
  const ids = new Map<string, number>();
  for (const [id, listed] of vocabulary.entries()) {
    const word = straight(listed);
    if (!ids.has(word)) ids.set(word, id);
  }
  return ids;
}

/** The two special entries and the `limit` most frequent words, the more frequent first, equals in code-unit order. */
export function buildVocabulary(captions: Iterable<string>, limit: number): string[] {
  const words = new WordCounts();
  for (const caption of captions) words.add(caption);
  return words.vocabulary(limit);
}

/** How often words occur in captions that are passed through one at a time; what is held are the different words. */
export class WordCounts {
  readonly #counts = new Map<string, number>();

  /** Counts the words of a caption. */
  add(caption: string): void {
    for (const word of captionWords(caption)) this.#counts.set(word, (this.#counts.get(word) ?? 0) + 1);
  }

  /** As {@link buildVocabulary} of all captions. */
  vocabulary(limit: number): string[] {
    const ranked = [...this.#counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
    return [padding, unknown, ...ranked.slice(0, limit).map(([word]) => word)];
  }
}
