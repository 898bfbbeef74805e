// The costs that a config promises, against the nodes of the real graph. Graphs are lazy: even XL/2's costs nothing.

import type { Condition } from '@paris/model';
import { key, zeros } from '@paris/tensor';
import { initialiseParameters } from '@paris/tensor/nn';
import { graphCost } from '@paris/test-tools/graph-cost';
import { expect, it } from 'vitest';
import { type DiTConfig, ditCost, ditForward, ditPresets, parseDiTConfig } from './index.js';
import { type DiTParams, ditParameters } from './parameters.js';

function conditionFor({ condition }: DiTConfig, batch: number, words: number): { condition?: Condition } {
  switch (condition.kind) {
    case 'tokens':
      return { condition: { kind: 'tokens', ids: zeros([batch, words], 'u32') } };
    case 'embeddings':
      return { condition: { kind: 'embeddings', tokens: zeros([batch, words, condition.width]) } };
    case 'label':
      return { condition: { kind: 'label', label: zeros([batch], 'u32') } };
    case 'none':
      return {};
  }
}

const small = { inputSize: 8, channels: 3, patchSize: 2, hiddenSize: 16, depth: 3, heads: 2 };
const configs: [string, DiTConfig][] = [
  ['dit-xl-2', ditPresets['dit-xl-2']],
  ['dit-b-2', ditPresets['dit-b-2']],
  [
    'AdaLN-zero, classes, sigma',
    parseDiTConfig({ ...small, modulation: 'zero', learnSigma: true, condition: { kind: 'label', classes: 4 } }),
  ],
  ['no condition', parseDiTConfig({ ...small, condition: { kind: 'none' } })],
  ['words', parseDiTConfig({ ...small, condition: { kind: 'tokens', vocabulary: 9, maxTokens: 5, width: 8 } })],
  [
    'MLP',
    parseDiTConfig({ ...small, mlpRatio: 2, textProjection: 'mlp', condition: { kind: 'embeddings', width: 8 } }),
  ],
];

it.each(configs)('%s costs what its graph has', (_, config) => {
  for (const [batch, textTokens] of [
    [1, 77],
    [3, 5],
  ] as const) {
    const latents = zeros([batch, config.channels, config.inputSize, config.inputSize]);
    const params = initialiseParameters<DiTParams>(ditParameters(config), key(0));
    const input = { latents, time: zeros([batch]), ...conditionFor(config, batch, textTokens) };
    expect(ditCost(config, { batch, textTokens })).toEqual(graphCost(ditForward(config, params, input)));
  }
});

it('a released expert costs 144 G multiply-accumulates for one picture and 77 words', () => {
  expect(ditCost(ditPresets['dit-xl-2']).macs / 1e9).toBeCloseTo(144.49, 2);
});
