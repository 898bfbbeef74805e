// The tokenizer against transformers' own, on prompts of every kind: with a cut vocabulary always, with CLIP's where it is at hand.
import { existsSync, readFileSync } from 'node:fs';
import { encodeJson } from '@paris/files';
import type { Companions } from '@paris/model';
import { requireCapability } from '@paris/test-tools';
import { saidBy } from '@paris/test-tools/said';
import { describe, expect, it } from 'vitest';
import { clipTokenizer, createClipText, parseClipTextConfig } from './index.js';
import { tokenizerJson } from './vocabulary.js';

type Case = readonly [prompt: string | readonly [text: string, times: number], count: number, first: readonly number[]];
interface Fixture {
  readonly whole: readonly Case[];
  readonly tokens: readonly string[];
  readonly merges: readonly string[];
  readonly cut: readonly Case[];
}
const fixture = JSON.parse(readFileSync(new URL('../../fixtures/tokens.json', import.meta.url), 'utf8')) as Fixture;
const shared = new URL('../../../../../shared/data/clip/', import.meta.url);
const text = (value: string) => new TextEncoder().encode(value);

const cut: Companions = {
  'vocab.json': encodeJson(Object.fromEntries(fixture.tokens.map((token, i) => [token, i]))),
  'merges.txt': text(['#version: 0.2', ...fixture.merges, ''].join('\n')),
};
const whole = (): Companions => ({
  'vocab.json': readFileSync(new URL('vocab.json', shared)),
  'merges.txt': readFileSync(new URL('merges.txt', shared)),
});

function sameIds(files: Companions, cases: readonly Case[]): void {
  const tokenizer = clipTokenizer(files);
  expect(cases.length).toBeGreaterThan(80);
  for (const [given, count, first] of cases) {
    const prompt = typeof given === 'string' ? given : given[0].repeat(given[1]);
    const ids = tokenizer.encode(prompt);
    expect([ids.length, ids.slice(0, 77)], JSON.stringify(given)).toEqual([count, first]);
    const { ids: row } = tokenizer.tokenize([prompt], 77);
    const end = tokenizer.encode('')[1]!;
    expect([...row]).toEqual(count > 77 ? [...first.slice(0, 76), end] : [...first, ...Array(77 - count).fill(end)]);
  }
}

describe('ids', () => {
  it('of a cut vocabulary are those of transformers, from both forms of its files', () => {
    sameIds(cut, fixture.cut);
    sameIds({ 'tokenizer.json': encodeJson(tokenizerJson(cut)) }, fixture.cut);
  });

  it('of CLIP’s vocabulary are those of transformers and of OpenAI’s examples', (context) => {
    requireCapability(context, 'data', existsSync(shared), 'CLIP’s vocabulary is not there');
    sameIds(whole(), fixture.whole);
    const tokenizer = clipTokenizer(whole());
    const { cases } = JSON.parse(readFileSync(new URL('examples.json', shared), 'utf8')) as {
      cases: { prompt: string; length: number; ids: number[] }[];
    };
    for (const { prompt, length, ids } of cases) expect(tokenizer.encode(prompt)).toEqual(ids.slice(0, length));
    expect(cases.length).toBe(10);
  });
});

describe('padding', () => {
  const ids = (config: object) =>
    clipTokenizer({ ...cut, 'tokenizer_config.json': encodeJson(config) }).tokenize(['a', ''], 5).ids;
  it('is by the end mark, or what tokenizer_config.json names', () => {
    expect([...ids({})]).toEqual([810, 320, 811, 811, 811, 810, 811, 811, 811, 811]);
    expect([...ids({ pad_token: '!' })]).toEqual([810, 320, 811, 0, 0, 810, 811, 0, 0, 0]);
    expect([...ids({ pad_token: { content: '!' } })]).toEqual([...ids({ pad_token: '!' })]);
    expect(saidBy(() => ids({ pad_token: '[PAD]' }))).toMatchInlineSnapshot(
      `"CheckpointError: [clip] tokenizer_config.json pads with "[PAD]", which the vocabulary does not have."`,
    );
  });
});

describe('refuses', () => {
  it('files that are missing or are no tokenizer', () => {
    expect(saidBy(() => clipTokenizer({ 'vocab.json': cut['vocab.json']! }))).toMatchInlineSnapshot(
      `"CheckpointError: [clip] the tokenizer is missing: give tokenizer.json, or vocab.json and merges.txt."`,
    );
    expect(saidBy(() => clipTokenizer({ 'tokenizer.json': text('[') }))).toMatchInlineSnapshot(
      `"CheckpointError: [clip] tokenizer.json is not JSON: Unexpected end of JSON input."`,
    );
    expect(saidBy(() => clipTokenizer({ 'tokenizer.json': encodeJson({ model: {} }) }))).toMatchInlineSnapshot(
      `"CheckpointError: [clip] tokenizer.json is not what this version reads: model.vocab is missing. Give the tokenizer files of the CLIP model."`,
    );
    const other = { ...tokenizerJson(cut), normalizer: { type: 'Magic' } };
    expect(saidBy(() => clipTokenizer({ 'tokenizer.json': encodeJson(other) }))).toMatchInlineSnapshot(
      `"CheckpointError: [clip] the files do not describe a tokenizer: Unknown Normalizer type: Magic."`,
    );
    const bare = { ...tokenizerJson(cut), post_processor: null };
    expect(saidBy(() => clipTokenizer({ 'tokenizer.json': encodeJson(bare) }))).toMatchInlineSnapshot(
      `"CheckpointError: [clip] the tokenizer does not put a mark at both ends of a prompt. Give that of CLIP."`,
    );
    expect(saidBy(() => clipTokenizer({ ...cut, 'vocab.json': encodeJson({ a: -1 }) }))).toMatchInlineSnapshot(
      `"CheckpointError: [clip] vocab.json is not what this version reads: a must be 0 or more, got -1. Give the tokenizer files of the CLIP model."`,
    );
    expect(saidBy(() => clipTokenizer({ ...cut, 'vocab.json': encodeJson({ a: 1 }) }))).toMatchInlineSnapshot(
      `"CheckpointError: [clip] vocab.json lacks <|startoftext|>. Give the vocabulary of CLIP."`,
    );
    expect(saidBy(() => clipTokenizer({ ...cut, 'merges.txt': text('#version: 0.2\ni n x\n') }))).toMatchInlineSnapshot(
      `"CheckpointError: [clip] merges.txt is not what this version reads: "i n x"."`,
    );
  });

  it('a tokenizer of another vocabulary', () => {
    const fits = { vocab_size: 812, eos_token_id: 811 };
    const made = (config: object) => () => createClipText(parseClipTextConfig(config), clipTokenizer(cut));
    expect(made(fits)().tokenize(['', 'in']).length).toBe(77);
    expect(made({ ...fits, eos_token_id: 2 })).not.toThrow();
    expect(saidBy(made({ vocab_size: 700, eos_token_id: 2 }))).toMatchInlineSnapshot(
      `"ValueError: [clip] the tokenizer is of another vocabulary: the tokenizer has ids up to 811, the text encoder 700 tokens. Give the tokenizer that the text encoder was trained with."`,
    );
    expect(saidBy(made({}))).toMatchInlineSnapshot(
      `"ValueError: [clip] the tokenizer is of another vocabulary: its end mark is 811, the text encoder's eos_token_id 49407. Give the tokenizer that the text encoder was trained with."`,
    );
  });
});
