// Damaged files of a tokenizer and of a text encoder's config: read, or refused in a sentence.
import { readFileSync } from 'node:fs';
import { encodeJson, ParisError } from '@paris/files';
import type { Companions } from '@paris/model';
import { expect, it } from 'vitest';
import { mutantCount, mutantsOf } from '../../../files/src/checkpoint/mutants.testing.js';
import { clip, clipTokenizer } from './index.js';
import { tokenizerJson } from './vocabulary.js';

const fixture = JSON.parse(readFileSync(new URL('../../fixtures/tokens.json', import.meta.url), 'utf8')) as {
  tokens: readonly string[];
  merges: readonly string[];
};
// A few of its tokens: what is damaged is more often structure than a name.
const tokens = [...fixture.tokens.slice(0, 40), ...fixture.tokens.slice(-2)];
const files: Companions = {
  'vocab.json': encodeJson(Object.fromEntries(tokens.map((token, i) => [token, i]))),
  'merges.txt': new TextEncoder().encode('#version: 0.2\n'),
};
const whole: Companions = { 'tokenizer.json': encodeJson(tokenizerJson(files)) };
const padded: Companions = { ...files, 'tokenizer_config.json': encodeJson({ pad_token: { content: '!' } }) };
const config = {
  ...{ architecture: 'clip', vocab_size: 42, hidden_size: 8, intermediate_size: 12, num_hidden_layers: 1 },
  ...{ num_attention_heads: 2, max_position_embeddings: 7, layer_norm_eps: 1e-5, hidden_act: 'quick_gelu' },
  ...{ bos_token_id: 40, eos_token_id: 41, pad_token_id: 41 },
};

const readTokenizer = (companions: Companions): void => {
  const tokenizer = clipTokenizer(companions);
  const { ids } = tokenizer.tokenize(['', "a cat's 4 \u{1f600} <|endoftext|> é", ' \t'], 7);
  expect(ids).toHaveLength(21);
  expect([...ids].every((id) => Number.isInteger(id) && id >= 0)).toBe(true);
  for (const id of tokenizer.encode('photo of 7 dogs!')) expect(Number.isInteger(id) && id >= 0, `id ${id}`).toBe(true);
};

it.each([
  ['vocab.json', files],
  ['merges.txt', { ...files, 'merges.txt': new TextEncoder().encode('#version: 0.2\na b\nc d</w>\n') }],
  ['tokenizer.json', whole],
  ['tokenizer_config.json', padded],
] as const)('%s', { timeout: 3_600_000 }, (name, companions: Companions) => {
  check(companions[name]!, (bytes) => readTokenizer({ ...companions, [name]: bytes }));
});

it('config.json', { timeout: 3_600_000 }, () => {
  check(encodeJson(config), (bytes) => {
    let json: unknown;
    try {
      json = JSON.parse(new TextDecoder().decode(bytes));
    } catch {
      json = {};
    }
    clip.fromConfig(json, files);
  });
});

function check(original: Uint8Array, read: (bytes: Uint8Array) => void): void {
  const outcome = { accepted: 0, refused: 0 };
  for (const [seed, bytes] of mutantsOf(original, mutantCount).entries()) {
    try {
      read(bytes);
      outcome.accepted++;
    } catch (cause) {
      if (!(cause instanceof ParisError)) throw new Error(`mutant ${seed} was not refused in a sentence`, { cause });
      outcome.refused++;
    }
  }
  expect(outcome.accepted).toBeGreaterThan(0);
  expect(outcome.refused).toBeGreaterThan(0);
}
