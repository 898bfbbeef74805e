import { describe, expect, it } from 'vitest';
import { buildVocabulary, captionWords, encodeCaptions, MAX_TOKENS } from './vocabulary.js';

describe('words', () => {
  it.each([
    ['Smiling CAT-face!', ['smiling', 'cat', 'face']],
    ["the child's kite", ['the', "child's", 'kite']],
    ['ﬁve 5★ Éclair', ['five', '5', 'éclair']],
    ['  …  ', []],
  ])('%j', (text, expected) => expect(captionWords(text)).toEqual(expected));
});

describe('buildVocabulary', () => {
  it('puts the special entries first, then words by frequency, equals in code-unit order', () => {
    expect(buildVocabulary(['cat face', 'dog face', 'ant'], 3)).toEqual(['<pad>', '<unk>', 'face', 'ant', 'cat']);
  });
});

describe('encodeCaptions', () => {
  const vocabulary = buildVocabulary(['cat face', 'cat'], 10);

  it('gives ids, padded with zeros', () => {
    expect([...encodeCaptions(['Face cat', 'cat'], vocabulary)]).toEqual([3, 2, 0, 0, 0, 0, 0, 0, 2, ...zeros(7)]);
  });

  it('gives the empty prompt nothing but zeros: the unconditional', () => {
    expect([...encodeCaptions([''], vocabulary)]).toEqual(zeros(MAX_TOKENS));
  });

  it('gives unknown words one id, the special entries included', () => {
    expect([...encodeCaptions(['zebra <pad> cat'], vocabulary, 4)]).toEqual([1, 1, 2, 0]);
  });

  it('cuts what is too long', () => {
    expect([...encodeCaptions(['cat cat cat'], vocabulary, 2)]).toEqual([2, 2]);
  });
});

const zeros = (count: number) => new Array<number>(count).fill(0);
