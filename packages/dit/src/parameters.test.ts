import { readFileSync } from 'node:fs';
import { countParameters } from '@paris/tensor/nn';
import { expect, it } from 'vitest';
import { ditParameterShapes } from './parameters.js';
import { ditPresets } from './presets.js';

/** `key 6x1152` a line, written down from what is known of the released checkpoints. */
function listing(preset: string): Record<string, number[]> {
  const text = readFileSync(new URL(`../fixtures/${preset}.keys.txt`, import.meta.url), 'utf8');
  return Object.fromEntries(
    text
      .trimEnd()
      .split('\n')
      .map((line) => line.split(' ') as [string, string])
      .map(([key, shape]) => [key, shape.split('x').map(Number)]),
  );
}

it.each([
  ['dit-xl-2', 378, 605_970_448], // a released expert
  ['dit-l-2', 326, 411_815_952],
  ['dit-b-2', 170, 118_566_928],
  ['dit-s-2', 170, 29_939_728],
] as const)('%s has the keys and shapes of the released layout: %i tensors, %i parameters', (name, tensors, count) => {
  const shapes = ditParameterShapes(ditPresets[name]);
  expect(shapes).toEqual(listing(name));
  expect([Object.keys(shapes).length, countParameters(shapes)]).toEqual([tensors, count]);
});

it('AdaLN-zero with classes and a learned sigma has the sizes of DiT’s table 1', () => {
  // https://arxiv.org/abs/2212.09748, table 1: 33, 130, 458 and 675 million parameters.
  const millions = (['dit-s-2', 'dit-b-2', 'dit-l-2', 'dit-xl-2'] as const).map((name) => {
    const config = { ...ditPresets[name], modulation: 'zero', learnSigma: true } as const;
    const shapes = ditParameterShapes({ ...config, condition: { kind: 'label', classes: 1000 } });
    return countParameters(shapes) / 1e6;
  });
  for (const [i, published] of [33, 130, 458, 675].entries())
    expect(Math.abs(millions[i]! - published)).toBeLessThan(1);
});

it('lists keys in file order: numbers by value', () => {
  const keys = Object.keys(ditParameterShapes(ditPresets['dit-b-2']));
  expect(keys.indexOf('layers.2.scale_shift_table')).toBeLessThan(keys.indexOf('layers.10.scale_shift_table'));
});

it('has what its condition needs and nothing else', () => {
  const keys = (condition: Parameters<typeof ditParameterShapes>[0]['condition']) =>
    Object.keys(ditParameterShapes({ ...ditPresets['dit-s-2'], condition }));
  const none = keys({ kind: 'none' });
  const added = (all: string[]) => [
    ...new Set(all.filter((key) => !none.includes(key)).map((key) => key.replace(/\d+/, '#'))),
  ];
  expect(added(keys({ kind: 'label', classes: 10 }))).toEqual(['label_embed.weight']);
  const cross = ['in_proj_bias', 'in_proj_weight', 'out_proj.bias', 'out_proj.weight'].map(
    (k) => `layers.#.cross_attn.${k}`,
  );
  expect(added(keys({ kind: 'embeddings', width: 5 }))).toEqual([...cross, 'text_proj.bias', 'text_proj.weight']);
  const tokens = ['text_embed.weight', 'text_proj.bias', 'text_proj.weight'];
  expect(added(keys({ kind: 'tokens', vocabulary: 7, maxTokens: 8, width: 5 }))).toEqual([...cross, ...tokens]);
});
