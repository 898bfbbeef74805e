// What a newcomer gets wrong first with an expert, and the sentence that comes back. Read them aloud.

import { fromStateDict } from '@paris/model';
import { key, type Tensor, zeros } from '@paris/tensor';
import { saidBy } from '@paris/test-tools/said';
import { expect, it } from 'vitest';
import { createDiT, type DiTConfig, ditParameterShapes, ditPresets, facebookLayout, parseDiTConfig } from './index.js';

const config: DiTConfig = parseDiTConfig({
  inputSize: 8,
  channels: 3,
  patchSize: 4,
  hiddenSize: 16,
  depth: 1,
  heads: 2,
  condition: { kind: 'tokens', vocabulary: 5, maxTokens: 8, width: 8 },
});

it('configs', () => {
  const parse = (change: object) => saidBy(() => parseDiTConfig({ ...config, ...change }));
  expect(saidBy(() => parseDiTConfig(undefined))).toMatchInlineSnapshot(
    `"ConfigError: [dit] the config does not describe a DiT: there is nothing."`,
  );
  expect(saidBy(() => parseDiTConfig({}))).toMatchInlineSnapshot(
    `"ConfigError: [dit] the config does not describe a DiT: inputSize is missing; channels is missing; patchSize is missing; hiddenSize is missing; depth is missing; heads is missing; condition is missing."`,
  );
  expect(parse({ patchSize: 3 })).toMatchInlineSnapshot(
    `"ConfigError: [dit] the config does not describe a DiT: inputSize 8 is not a multiple of patchSize 3."`,
  );
  expect(parse({ heads: 3 })).toMatchInlineSnapshot(
    `"ConfigError: [dit] the config does not describe a DiT: hiddenSize 16 is not a multiple of heads 3."`,
  );
  expect(parse({ hiddenSize: 18, heads: 2 })).toMatchInlineSnapshot(
    `"ConfigError: [dit] the config does not describe a DiT: hiddenSize 18 is not a multiple of 4, which positions need."`,
  );
  expect(parse({ depth: 0 })).toMatchInlineSnapshot(
    `"ConfigError: [dit] the config does not describe a DiT: depth must be 1 or more, got 0."`,
  );
  expect(parse({ depth: '2' })).toMatchInlineSnapshot(
    `"ConfigError: [dit] the config does not describe a DiT: depth must be a number, got "2"."`,
  );
  expect(parse({ mlpRatio: 0.03 })).toMatchInlineSnapshot(
    `"ConfigError: [dit] the config does not describe a DiT: hiddenSize 16 times mlpRatio 0.03 is not a whole number."`,
  );
  expect(parse({ hiddensize: 32 })).toMatchInlineSnapshot(
    `"ConfigError: [dit] the config does not describe a DiT: hiddensize is not known."`,
  );
  expect(parse({ condition: { kind: 'text' } })).toMatchInlineSnapshot(
    `"ConfigError: [dit] the config does not describe a DiT: condition.kind must be "tokens" or "embeddings" or "label" or "none", got "text"."`,
  );
  expect(parse({ condition: { kind: 'label' } })).toMatchInlineSnapshot(
    `"ConfigError: [dit] the config does not describe a DiT: condition.classes is missing."`,
  );
  expect(parse({ objective: { prediction: 'noise', path: 'linear' } })).toMatchInlineSnapshot(
    `"ConfigError: [dit] the config does not describe a DiT: objective.prediction must be "velocity" or "epsilon" or "sample" or "v", got "noise"."`,
  );
  expect(parse({ modulation: 'adaLN' })).toMatchInlineSnapshot(
    `"ConfigError: [dit] the config does not describe a DiT: modulation must be "single" or "zero", got "adaLN"."`,
  );
  expect(parse({ architecture: 'unet' })).toMatchInlineSnapshot(
    `"ConfigError: [dit] the config does not describe a DiT: architecture must be "dit", got "unet"."`,
  );
});

it('calls', () => {
  const expert = createDiT(config);
  const params = expert.init(key(0));
  const ids = zeros([2, 8], 'u32');
  const apply = (change: { latents?: Tensor; time?: Tensor; condition?: object }) =>
    saidBy(() =>
      expert.apply(params, {
        latents: zeros([2, 3, 8, 8]),
        time: zeros([2]),
        condition: { kind: 'tokens', ids },
        ...change,
      } as Parameters<typeof expert.apply>[1]),
    );
  expect(apply({ condition: undefined as never })).toMatchInlineSnapshot(
    `"ValueError: [dit] this expert's condition is of kind 'tokens', got none. Encode the prompts with the model's vocabulary; the unconditional is encode([''])."`,
  );
  expect(apply({ condition: { kind: 'label', label: zeros([2], 'u32') } })).toMatchInlineSnapshot(
    `"ValueError: [dit] this expert's condition is of kind 'tokens', got one of kind 'label'. Encode the prompts with the model's vocabulary; the unconditional is encode([''])."`,
  );
  expect(apply({ condition: { kind: 'tokens', ids: zeros([2, 8]) } })).toMatchInlineSnapshot(
    `"DTypeError: [embedding] ids have dtype f32, not u32. Use cast('u32')."`,
  );
  expect(apply({ latents: zeros([2, 4, 8, 8]) })).toMatchInlineSnapshot(
    `"ShapeError: [dit] latents must be [B, 3, 8, 8], got [2, 4, 8, 8]. Resize, or fix the config."`,
  );
  expect(apply({ latents: zeros([2, 3, 16, 16]) })).toMatchInlineSnapshot(
    `"ShapeError: [dit] latents must be [B, 3, 8, 8], got [2, 3, 16, 16]. Resize, or fix the config."`,
  );
  expect(apply({ latents: zeros([3, 8, 8]) })).toMatchInlineSnapshot(
    `"ShapeError: [dit] latents must be [B, 3, 8, 8], got [3, 8, 8]. Resize, or fix the config."`,
  );
  expect(apply({ time: zeros([3]) })).toMatchInlineSnapshot(
    `"ShapeError: [dit] time must be [B], here [2], got [3]. Give each picture its own."`,
  );
  expect(apply({ time: zeros([2, 1]) })).toMatchInlineSnapshot(
    `"ShapeError: [dit] time must be [B], here [2], got [2, 1]. Give each picture its own."`,
  );
});

it('another kind of condition', () => {
  const { apply, init } = createDiT({ ...ditPresets['dit-s-2'], depth: 1 });
  const input = { latents: zeros([1, 4, 32, 32]), time: zeros([1]) };
  expect(saidBy(() => apply(init(key(0)), input))).toMatchInlineSnapshot(
    `"ValueError: [dit] this expert's condition is of kind 'embeddings', got none. Pass the text encoder's output; the unconditional is encode([''])."`,
  );
  const condition = { kind: 'label', label: zeros([1], 'u32') } as const;
  expect(saidBy(() => apply(init(key(0)), { ...input, condition }))).toMatchInlineSnapshot(
    `"ValueError: [dit] this expert's condition is of kind 'embeddings', got one of kind 'label'. Pass the text encoder's output; the unconditional is encode([''])."`,
  );
});

it('other people’s weights', () => {
  const shapes = ditParameterShapes({ ...config, depth: 1 });
  const load = () =>
    fromStateDict(facebookLayout, shapes, { 'x.weight': { data: new Float32Array(1), shape: [1], dtype: 'f32' } });
  expect(saidBy(load)).toMatchInlineSnapshot(
    `"CheckpointError: [fromStateDict] the state dict is not facebookresearch/DiT's of this config: missing final_layer.linear.bias, final_layer.linear.weight, final_layer.scale_shift_table, blocks.0.attn.qkv.bias, blocks.0.attn.qkv.weight, blocks.0.attn.proj.bias, blocks.0.attn.proj.weight, blocks.0.cross_attn.in_proj_bias and 20 more; unexpected x.weight."`,
  );
});
