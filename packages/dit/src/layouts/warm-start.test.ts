import { readFileSync } from 'node:fs';
import type { HostTensor } from '@paris/files/safetensors';
import { fromStateDict, toStateDict } from '@paris/model';
import { CheckpointError, ValueError } from '@paris/tensor';
import { hostTensor, type StoredTensor } from '@paris/tensor/testing';
import { describe, expect, it } from 'vitest';
import {
  diffusersDiTLayout,
  diffusersPixArtLayout,
  ditParameterShapes,
  facebookLayout,
  parseDiTConfig,
  pixartLayout,
  recogniseDiT,
  warmStart,
} from '../index.js';

function fixture(name: string) {
  const text = readFileSync(new URL(`../../fixtures/${name}.json`, import.meta.url), 'utf8');
  const { config, params } = JSON.parse(text) as { config: object; params: Record<string, StoredTensor> };
  const theirs = Object.entries(params).map(([key, stored]) => [key, hostTensor(stored) as HostTensor] as const);
  return { config, theirs: Object.fromEntries(theirs) };
}

/** The network to start: conditioned on words, without a learned sigma. */
const words = { condition: { kind: 'tokens', vocabulary: 7, maxTokens: 8, width: 6 }, learnSigma: false };
const shapesOf = (config: object) =>
  ditParameterShapes(parseDiTConfig({ ...config, ...words, textProjection: 'linear' }));
const without = (shapes: object, ...patterns: RegExp[]) =>
  Object.keys(shapes).filter((name) => !patterns.some((pattern) => pattern.test(name)));

describe('warmStart', () => {
  it('takes all of a DiT but its head and its classes; it had no cross-attention', () => {
    const { config, theirs } = fixture('facebook');
    const shapes = shapesOf(config);
    const ours = warmStart(shapes, theirs, { layout: facebookLayout });
    expect(Object.keys(ours)).toEqual(without(shapes, /^final_layer/, /^text_/, /cross_attn/));
    expect(ours['layers.1.attn.in_proj_weight']!.data).toEqual(theirs['blocks.1.attn.qkv.weight']!.data);
    expect(ours['layers.0.adaLN_modulation.1.bias']!.data).toEqual(theirs['blocks.0.adaLN_modulation.1.bias']!.data);
  });

  it('takes a DiT into a network whose blocks share their modulation, which is then reinitialised', () => {
    const { config, theirs } = fixture('facebook');
    const shapes = shapesOf({ ...config, modulation: 'single' });
    const load = (remake: string[]) => warmStart(shapes, theirs, { layout: facebookLayout, remake });
    expect(() => load(['head', 'text', 'cross-attention'])).toThrow(
      'missing blocks.0.scale_shift_table, blocks.1.scale_shift_table, t_block.1.bias',
    );
    const ours = load(['head', 'text', 'cross-attention', 'modulation']);
    expect(Object.keys(ours)).toEqual(without(shapes, /^final_layer/, /^text_/, /cross_attn/, /^t_block/, /table$/));
  });

  it('takes all of PixArt-α but its head and its projection of text', () => {
    const { config, theirs } = fixture('pixart');
    const shapes = shapesOf(config);
    const ours = warmStart(shapes, theirs, { layout: pixartLayout });
    expect(Object.keys(ours)).toEqual(without(shapes, /^final_layer/, /^text_/));
    const rows = ['q_linear', 'kv_linear'].flatMap((part) => [...theirs[`blocks.0.cross_attn.${part}.bias`]!.data]);
    expect([...ours['layers.0.cross_attn.in_proj_bias']!.data]).toEqual(rows);
  });

  it.each([
    ['facebook', facebookLayout, diffusersDiTLayout],
    ['pixart', pixartLayout, diffusersPixArtLayout],
  ] as const)(
    "takes the same of %s under diffusers' names, with positions that are computed",
    (name, layout, diffusers) => {
      const { config, theirs } = fixture(name);
      const { heads, inputSize } = parseDiTConfig(config);
      const { pos_embed: _, ...stored } = fromStateDict(layout, ditParameterShapes(parseDiTConfig(config)), theirs);
      const renamed = toStateDict(diffusers, stored);
      const found = Object.fromEntries(Object.entries(renamed).map(([key, { shape }]) => [key, shape]));
      const { layout: recognised } = recogniseDiT(found, { heads, inputSize })!;
      const { pos_embed: positions, ...ours } = warmStart(shapesOf(config), renamed, { layout: recognised });
      const { pos_embed: __, ...same } = warmStart(shapesOf(config), theirs, { layout });
      expect(ours).toEqual(same);
      expect(positions!.data).toEqual(recognised.computed!.pos_embed!.compute([]));
    },
  );

  it('leaves out all that a parameter is computed from', () => {
    const { config, theirs } = fixture('pixart');
    const bias = 'time_embed.mlp.2.bias';
    const computed = { [bias]: { from: { 'size.bias': [8] }, compute: () => new Float32Array(8) } };
    const remake = ['head', 'text', 'time_embed'];
    const options = { layout: { ...pixartLayout, computed }, remake };
    const ours = warmStart(shapesOf(config), { ...theirs, 'size.bias': tensor([8]) }, options);
    expect(ours[bias]).toBeUndefined();
  });

  it('takes everything if nothing is reinitialised, and leaves out what is named', () => {
    const shapes = { 'body.weight': [2], 'body.bias': [1], 'decoder.weight': [3] };
    const own = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, tensor(shape)]));
    expect(warmStart(shapes, own, { remake: [] })).toEqual(own);
    const other = { ...own, 'decoder.weight': tensor([5]), 'decoder.bias': tensor([5]) };
    expect(Object.keys(warmStart(shapes, other, { remake: ['decoder'] }))).toEqual(['body.weight', 'body.bias']);
  });

  it('leaves out what is named by our name in a foreign layout, too', () => {
    const { config, theirs } = fixture('facebook');
    const remake = ['head', 'text', 'cross-attention', 'patch_embed'];
    const ours = warmStart(shapesOf(config), theirs, { layout: facebookLayout, remake });
    expect(Object.keys(ours).filter((name) => name.startsWith('patch_embed'))).toEqual([]);
  });

  it('lists all that is missing, left over and of another shape in one error', () => {
    const { config, theirs } = fixture('pixart');
    const { 'blocks.0.attn.qkv.bias': _, ...rest } = theirs;
    const broken = { ...rest, 'blocks.2.mlp.fc1.bias': tensor([8]), pos_embed: tensor([1, 9, 8]) };
    const load = () => warmStart(shapesOf(config), broken, { layout: pixartLayout });
    expect(load).toThrow(CheckpointError);
    expect(load).toThrow(
      "[fromStateDict] the state dict is not PixArt-α's of this config: missing blocks.0.attn.qkv.bias; " +
        'unexpected blocks.2.mlp.fc1.bias; unfit pos_embed is [1, 9, 8], not [1, 4, 8]. ' +
        'Give another layout or config, or reinitialise more (head, text, cross-attention, modulation).',
    );
  });

  it('refuses values that are not finite, and groups that there are not', () => {
    const shapes = { weight: [2] };
    const nan: HostTensor = { dtype: 'f32', shape: [2], data: Float32Array.of(1, Number.NaN) };
    expect(() => warmStart(shapes, { weight: nan }, { remake: [] })).toThrow(
      '[dit] the state dict holds values that are not finite: weight. Take another one.',
    );
    const misspelt = () => warmStart(shapes, { weight: tensor([2]) }, { remake: ['haed'] });
    expect(misspelt).toThrow(ValueError);
    expect(misspelt).toThrow('"haed" is no group of parameters and begins no parameter\'s name. Groups: head, text,');
  });
});

function tensor(shape: number[]): HostTensor {
  return { dtype: 'f32', shape, data: new Float32Array(shape.reduce((size, n) => size * n, 1)) };
}
