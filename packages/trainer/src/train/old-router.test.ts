// What an old router reads has to be what the data has.
import { parseRouterConfig } from '@paris/router';
import { expect, it } from 'vitest';
import { grownFrom, type OldRouter, type RouterFormat } from './old-router.js';

const format = { size: 8, channels: 3, vocabulary: ['', '?', 'cat', 'dog'], classes: { classes: 3 } };

/** Grows a router of two clusters, which learned words or classes, on data of two clusters. */
const grown = (condition: object, change: Partial<RouterFormat>, words?: readonly string[]) => {
  const sizes = { inputSize: 8, channels: 3, patchSize: 2, hiddenSize: 8, depth: 1, heads: 2 };
  const config = parseRouterConfig({ clusters: 2, ...sizes, condition });
  const old: OldRouter = { config, path: 'linear', weights: {}, words, sha256: '' };
  return grownFrom(old, 2, Uint32Array.of(0, 1), { ...format, ...change });
};
const words = { kind: 'tokens', vocabulary: 4, width: 8 };
const label = { kind: 'label', classes: 3 };

it.each([
  [['', '?', 'cat', 'plane'], 'the old router reads 4 words, the data has others.'],
  [['', '?', 'dog', 'cat'], 'the old router reads 4 words, the data has others.'],
  [['', '?', 'cat'], 'the old router reads 4 words, the data has 3.'],
])('words: %j', (vocabulary, message) => {
  expect(() => grown(words, { vocabulary }, format.vocabulary)).toThrow(`[train] ${message} Prepare the data like`);
  expect(grown(words, {}, format.vocabulary).config).toMatchObject({ clusters: 2 });
  expect(grown(label, { vocabulary }).config).toMatchObject({ clusters: 2 }); // reads no words
});

it('classes', () => {
  expect(() => grown(label, { classes: { classes: 9 } })).toThrow(
    '[train] the old router reads 3 classes, the data has 9. Prepare the data with the list of classes of the old: --labels.',
  );
  expect(grown(words, { classes: { classes: 9 } }, format.vocabulary).config).toMatchObject({ clusters: 2 });
});

it('pictures', () => {
  expect(() => grown(label, { size: 16 })).toThrow('the old router reads 3 × 8 × 8, the data has 3 × 16 × 16. Prepare');
});
