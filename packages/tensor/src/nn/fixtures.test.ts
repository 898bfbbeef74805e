// Every stored layer is compared: read from the text of the suite, which runs elsewhere.
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import * as nn from './index.js';

it('every fixture is used by a test', () => {
  const suite = readFileSync(new URL('./nn.test.ts', import.meta.url), 'utf8');
  const stored = readdirSync(new URL('../../fixtures/nn/', import.meta.url)).map((file) => file.replace('.json', ''));
  expect(stored.filter((name) => !suite.includes(`\n  ${name}: {`))).toEqual([]);
  expect(stored.length).toBeGreaterThan(5);
});

it('norms and embeddings have parameters of PyTorch names and shapes', () => {
  expect(nn.shapesOf(nn.rmsNormParameters('norm', 6))).toEqual({ 'norm.weight': [6] });
  expect(nn.shapesOf(nn.groupNormParameters('norm', 6))).toEqual({ 'norm.bias': [6], 'norm.weight': [6] });
  expect(nn.shapesOf(nn.embeddingParameters('words', 9, 6))).toEqual({ 'words.weight': [9, 6] });
});
