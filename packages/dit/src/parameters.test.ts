import { countParameters } from '@paris/tensor/nn';
import { expect, it } from 'vitest';
import { ditParameterShapes } from './parameters.js';
import { ditPresets } from './presets.js';

it('DiT-XL/2 has the tensors and parameters of a released expert', () => {
  const shapes = ditParameterShapes(ditPresets['dit-xl-2']);
  expect(Object.keys(shapes)).toHaveLength(378);
  expect(countParameters(shapes)).toBe(605_970_448);
  expect(shapes['patch_embed.weight']).toEqual([1152, 4, 2, 2]);
  expect(shapes.pos_embed).toEqual([1, 256, 1152]);
  expect(shapes['time_embed.mlp.0.weight']).toEqual([1152, 256]);
  expect(shapes['t_block.1.weight']).toEqual([6912, 1152]);
  expect(shapes['text_proj.weight']).toEqual([1152, 768]);
  expect(shapes['layers.27.cross_attn.in_proj_weight']).toEqual([3456, 1152]);
  expect(shapes['layers.27.mlp.2.weight']).toEqual([1152, 4608]);
  expect(shapes['final_layer.linear.weight']).toEqual([16, 1152]);
});

it('counts the other sizes', () => {
  const d = 768; // a block: table, two attentions, MLP; then patches, positions, time, t_block, text, final layer
  const block = 6 * d + 2 * (4 * d * d + 4 * d) + (8 * d * d + 5 * d);
  const rest = 17 * d + 256 * d + (257 * d + d * d + d) + (6 * d * d + 6 * d) + (768 * d + d) + (16 * d + 16 + 2 * d);
  expect(countParameters(ditParameterShapes(ditPresets['dit-b-2']))).toBe(12 * block + rest);
  const blocks = (name: keyof typeof ditPresets) => ditPresets[name].depth;
  expect([blocks('dit-s-2'), blocks('dit-l-2')]).toEqual([12, 24]);
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
