// The costs that a config promises, against the nodes of the real graph. Graphs are lazy: they cost nothing.
import { key, zeros } from '@paris/tensor';
import { graphCost } from '@paris/test-tools/graph-cost';
import { expect, it } from 'vitest';
import { createRouter, parseRouterConfig, routerCost, routerPresets } from './index.js';

it.each([
  routerPresets['router-b-2'],
  parseRouterConfig({
    clusters: 3,
    inputSize: 6,
    channels: 2,
    patchSize: 2,
    hiddenSize: 8,
    depth: 2,
    heads: 2,
    mlpRatio: 3,
  }),
])('costs what its graph has (%#)', (config) => {
  for (const batch of [1, 3]) {
    const router = createRouter(config);
    const latents = zeros([batch, config.channels, config.inputSize, config.inputSize]);
    const logits = router.logits(router.init(key(0)), { latents, time: zeros([batch]) });
    expect(routerCost(config, { batch })).toEqual(graphCost(logits));
  }
});

it('the released router costs 23 G multiply-accumulates', () => {
  expect(routerCost(routerPresets['router-b-2']).macs / 1e9).toBeCloseTo(23.09, 2);
});
