import { readFileSync } from 'node:fs';
import type { HostTensor } from '@paris/files/safetensors';
import { fromStateDict, toStateDict } from '@paris/model';
import { CheckpointError } from '@paris/tensor';
import { hostTensor, type StoredTensor } from '@paris/tensor/testing';
import { describe, expect, it } from 'vitest';
import { ditParameterShapes, facebookLayout, parseDiTConfig, pixartLayout } from '../index.js';

describe.each([
  ['facebook', facebookLayout],
  ['pixart', pixartLayout],
])('the layout of %s', (name, layout) => {
  const path = new URL(`../../fixtures/${name}.json`, import.meta.url);
  const fixture = JSON.parse(readFileSync(path, 'utf8')) as { config: unknown; params: Record<string, StoredTensor> };
  const shapes = ditParameterShapes(parseDiTConfig(fixture.config));
  const theirs = Object.fromEntries(
    Object.entries(fixture.params).map(([key, stored]) => [key, hostTensor(stored) as HostTensor]),
  );

  it('goes there and back', () => {
    const ours = fromStateDict(layout, shapes, theirs);
    expect(Object.keys(ours)).toEqual(Object.keys(shapes));
    const kept = Object.entries(theirs).filter(([key]) => !layout.ignored?.includes(key));
    expect(toStateDict(layout, ours)).toEqual(Object.fromEntries(kept));
    expect(fromStateDict(layout, shapes, toStateDict(layout, ours))).toEqual(ours);
  });

  it('lists everything that does not fit in one error', () => {
    const { 'blocks.1.attn.qkv.weight': _, ...rest } = theirs;
    const broken = {
      ...rest,
      'blocks.2.attn.qkv.weight': theirs['blocks.1.attn.qkv.weight']!,
      'blocks.0.mlp.fc1.bias': { dtype: 'f32', shape: [31], data: new Float32Array(31) } as HostTensor,
      pos_embed: { dtype: 'u8', shape: [1, 4, 8], data: new Uint8Array(32) } as HostTensor,
    };
    const load = () => fromStateDict(layout, shapes, broken);
    expect(load).toThrow(CheckpointError);
    expect(load).toThrow(
      `[fromStateDict] the state dict is not ${layout.name}'s of this config: missing blocks.1.attn.qkv.weight; ` +
        'unexpected blocks.2.attn.qkv.weight; unfit blocks.0.mlp.fc1.bias is [31], not [32], pos_embed is u8, not a float.',
    );
  });
});

it('the rows of a parameter that are two tensors elsewhere keep their order', () => {
  const name = 'layers.3.cross_attn.in_proj_bias';
  const [q, kv] = ['blocks.3.cross_attn.q_linear.bias', 'blocks.3.cross_attn.kv_linear.bias'];
  const row = (...data: number[]): HostTensor => ({
    dtype: 'f32',
    shape: [data.length],
    data: Float32Array.from(data),
  });
  const ours = fromStateDict(pixartLayout, { [name]: [6] }, { [q!]: row(1, 2), [kv!]: row(3, 4, 5, 6) });
  expect([...ours[name]!.data]).toEqual([1, 2, 3, 4, 5, 6]);
});
