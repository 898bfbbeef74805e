// What a newcomer gets wrong first with a router and its policies, and the sentence that comes back. Read them aloud.

import { key, type Tensor, zeros } from '@paris/tensor';
import { saidBy } from '@paris/test-tools/said';
import { expect, it } from 'vitest';
import {
  createRouter,
  every,
  nucleus,
  oracle,
  parseRouterConfig,
  parseRoutingPolicy,
  type RoutingStep,
  sample,
  threshold,
  top,
} from './index.js';

const config = parseRouterConfig({
  clusters: 3,
  inputSize: 8,
  channels: 3,
  patchSize: 4,
  hiddenSize: 16,
  depth: 1,
  heads: 2,
});
const at: RoutingStep = { imageIndex: 5, step: 0, evaluation: 0, time: 1, key: key(0) };

it('configs', () => {
  const parse = (change: object) => saidBy(() => parseRouterConfig({ ...config, ...change }));
  expect(saidBy(() => parseRouterConfig('router-b-2'))).toMatchInlineSnapshot(
    `"ConfigError: [router] the config does not describe a router: it must be an object, got "router-b-2"."`,
  );
  expect(saidBy(() => parseRouterConfig({ clusters: 8 }))).toMatchInlineSnapshot(
    `"ConfigError: [router] the config does not describe a router: inputSize is missing; channels is missing; patchSize is missing; hiddenSize is missing; depth is missing; heads is missing."`,
  );
  expect(parse({ clusters: 0 })).toMatchInlineSnapshot(
    `"ConfigError: [router] the config does not describe a router: clusters must be 1 or more, got 0."`,
  );
  expect(parse({ patchSize: 3 })).toMatchInlineSnapshot(
    `"ConfigError: [router] the config does not describe a router: inputSize 8 is not a multiple of patchSize 3."`,
  );
  expect(parse({ heads: 5 })).toMatchInlineSnapshot(
    `"ConfigError: [router] the config does not describe a router: hiddenSize 16 is not a multiple of heads 5."`,
  );
  expect(parse({ headActivations: ['gelu'] })).toMatchInlineSnapshot(
    `"ConfigError: [router] the config does not describe a router: headActivations must be a list of at least 2, got ["gelu"]."`,
  );
  expect(parse({ headActivations: ['gelu', 'swish'] })).toMatchInlineSnapshot(
    `"ConfigError: [router] the config does not describe a router: headActivations.1 must be "gelu" or "silu" or "relu" or "none", got "swish"."`,
  );
  expect(parse({ experts: 3 })).toMatchInlineSnapshot(
    `"ConfigError: [router] the config does not describe a router: experts is not known."`,
  );
  expect(parse({ architecture: 'dit' })).toMatchInlineSnapshot(
    `"ConfigError: [router] the config does not describe a router: architecture must be "router-transformer", got "dit"."`,
  );
});

it('policies by name', () => {
  const parse = (name: string) => saidBy(() => parseRoutingPolicy(name));
  expect(parse('top')).toMatchInlineSnapshot(
    `"ValueError: [routing] there is no policy "top". Write full, top2, threshold0.05, nucleus0.9 or sample1 with your own number, and @0.5 after it for a temperature, resident- before it for the experts that are loaded."`,
  );
  expect(parse('top-2')).toMatchInlineSnapshot(
    `"ValueError: [routing] there is no policy "top-2". Write full, top2, threshold0.05, nucleus0.9 or sample1 with your own number, and @0.5 after it for a temperature, resident- before it for the experts that are loaded."`,
  );
  expect(parse('Top2')).toMatchInlineSnapshot(
    `"ValueError: [routing] there is no policy "Top2". Write full, top2, threshold0.05, nucleus0.9 or sample1 with your own number, and @0.5 after it for a temperature, resident- before it for the experts that are loaded."`,
  );
  expect(parse('top0')).toMatchInlineSnapshot(
    `"ValueError: [top] the number must be a whole number from 1 on, got 0."`,
  );
  expect(parse('nucleus90')).toMatchInlineSnapshot(
    `"ValueError: [nucleus] the probability must lie above 0 and not above 1, got 90. Write 0.9 for 90 %."`,
  );
});

it('policies', () => {
  const probabilities = Float32Array.of(0.5, 0.3, 0.2);
  expect(saidBy(() => top(1.5))).toMatchInlineSnapshot(
    `"ValueError: [top] the number must be a whole number from 1 on, got 1.5."`,
  );
  expect(saidBy(() => top(4)(probabilities, at))).toMatchInlineSnapshot(
    `"ValueError: [top] asked for 4 experts of 3. Ask for no more than there are."`,
  );
  expect(saidBy(() => threshold(5))).toMatchInlineSnapshot(
    `"ValueError: [threshold] the probability must lie above 0 and not above 1, got 5. Write 0.9 for 90 %."`,
  );
  expect(saidBy(() => nucleus(-1))).toMatchInlineSnapshot(
    `"ValueError: [nucleus] the probability must lie above 0 and not above 1, got -1. Write 0.9 for 90 %."`,
  );
  expect(saidBy(() => sample(0))).toMatchInlineSnapshot(
    `"ValueError: [sample] the number must be a whole number from 1 on, got 0."`,
  );
  expect(saidBy(() => every(0, top(1)))).toMatchInlineSnapshot(
    `"ValueError: [every] the number must be a whole number from 1 on, got 0."`,
  );
  expect(saidBy(() => oracle([0, 1])(probabilities, at))).toMatchInlineSnapshot(
    `"ValueError: [oracle] picture 5 needs a label from 0 to 2, got undefined. Give one for each picture."`,
  );
  expect(saidBy(() => top(2)(Float32Array.of(3, -1, 0.5), at))).toMatchInlineSnapshot(
    `"ValueError: [top] a probability must be a number from 0 to 1, got -1. Apply softmax first."`,
  );
  expect(saidBy(() => top(2)(Float32Array.of(Number.NaN, 1, 0), at))).toMatchInlineSnapshot(
    `"ValueError: [top] a probability must be a number from 0 to 1, got NaN. Apply softmax first."`,
  );
});

it('calls', () => {
  const router = createRouter(config);
  const params = router.init(key(0));
  const logits = (latents: Tensor, time: Tensor) => saidBy(() => router.logits(params, { latents, time }));
  expect(logits(zeros([2, 4, 8, 8]), zeros([2]))).toMatchInlineSnapshot(
    `"ShapeError: [router] latents must be [B, 3, 8, 8], got [2, 4, 8, 8]. Resize, or fix the config."`,
  );
  expect(logits(zeros([2, 3, 16, 16]), zeros([2]))).toMatchInlineSnapshot(
    `"ShapeError: [router] latents must be [B, 3, 8, 8], got [2, 3, 16, 16]. Resize, or fix the config."`,
  );
  expect(logits(zeros([2, 3, 8, 8]), zeros([3]))).toMatchInlineSnapshot(
    `"ShapeError: [router] time must be [B], here [2], got [3]. Give each picture its own."`,
  );
});
