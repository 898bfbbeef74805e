import { describe, expect, it } from 'vitest';
import { encodeCaptions, MAX_TOKENS, promptWords } from './caption-words.js';
import { buildVocabulary, captionWords } from './vocabulary.js';

describe('words', () => {
  it.each([
    ['Smiling CAT-face!', ['smiling', 'cat', 'face']],
    ["the child's kite", ['the', "child's", 'kite']],
    ['the child’s kite', ['the', "child's", 'kite']],
    ['the childʼs ‘kite’', ['the', "child's", 'kite']],
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

describe('apostrophes', () => {
  it('are one, straight or curly, also in vocabularies of earlier versions', () => {
    expect(buildVocabulary(["child's", 'child’s'], 10)).toEqual(['<pad>', '<unk>', "child's"]);
    const earlier = ['<pad>', '<unk>', 'child’s', 'kite', "child's"];
    expect([...encodeCaptions(["child's kite", 'child’s kite'], earlier, 2)]).toEqual([2, 3, 2, 3]);
  });
});

describe('promptWords', () => {
  const vocabulary = { version: 1 as const, maxTokens: 3, words: ['<pad>', '<unk>', 'cat', "child's"] };

  it.each([
    ['Cat, child’s!', { known: ['cat', "child's"], unknown: [], cut: [] }],
    ['zebra cat zebra cat <unk>', { known: ['cat'], unknown: ['zebra', 'zebra'], cut: ['cat', 'unk'] }],
    [' … ', { known: [], unknown: [], cut: [] }],
  ])('%j', (prompt, expected) => expect(promptWords(prompt, vocabulary)).toEqual(expected));
});

const zeros = (count: number) => new Array<number>(count).fill(0);
