// The whole network against PyTorch, with every parameter random: forward and every parameter's gradient.
import { readFileSync } from 'node:fs';
import type { Condition, Router } from '@paris/model';
import { tokenCondition } from '@paris/model';
import {
  type Device,
  flattenTree,
  key,
  normal,
  openDevice,
  type Tensor,
  unflattenTree,
  valueAndGrad,
} from '@paris/tensor';
import { countParameters } from '@paris/tensor/nn';
import { halfWeightError, hostTensor, relativeError, type StoredTensor } from '@paris/tensor/testing';
import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRouter, parseRouterConfig, type RouterParams, routerParameterShapes, routerPresets } from './index.js';

interface Fixture {
  readonly config: unknown;
  readonly params: Record<string, StoredTensor>;
  readonly latents: StoredTensor;
  readonly time: StoredTensor;
  readonly output: StoredTensor;
  readonly cotangent: StoredTensor;
  readonly gradients: Record<string, StoredTensor>;
}

let device: Device | undefined;
beforeAll(async () => {
  device = await openDevice().catch(() => undefined);
});
afterAll(() => device?.close());

describe.each(['router', 'options'])('%s.json: equals PyTorch', (name) => {
  const path = new URL(`../fixtures/${name}.json`, import.meta.url);
  const fixture = JSON.parse(readFileSync(path, 'utf8')) as Fixture;
  const config = parseRouterConfig(fixture.config);
  const router = createRouter(config);

  const upload = (stored: StoredTensor) => device!.tensor(hostTensor(stored).data, stored);
  const uploaded = () => {
    const params = unflattenTree(
      Object.entries(fixture.params).map(([path, stored]) => ({ path, value: upload(stored) })),
    ) as unknown as RouterParams;
    return { params, input: { latents: upload(fixture.latents), time: upload(fixture.time) } };
  };

  it('has the parameters of the reference', () => {
    const shapes = Object.fromEntries(Object.entries(fixture.params).map(([path, { shape }]) => [path, shape]));
    expect(routerParameterShapes(config)).toEqual(shapes);
  });

  // A software adapter compiles about a hundred shaders for this.
  it('forward and gradients', { timeout: 900_000 }, async (context) => {
    requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter');
    const { params, input } = uploaded();
    const logits = router.logits(params, input);
    expect(logits.shape).toEqual(fixture.output.shape);
    expect(relativeError(await logits.read(), fixture.output)).toBeLessThan(1e-4);

    const cotangent = upload(fixture.cotangent);
    const [, gradients] = valueAndGrad((params: RouterParams) => router.logits(params, input).mul(cotangent).sum())(
      params,
    );
    await device!.run(gradients);
    const found = new Map(flattenTree<Tensor>(gradients).map(({ path, value }) => [path, value]));
    expect([...found.keys()].sort()).toEqual(Object.keys(fixture.gradients).sort());
    for (const [path, expected] of Object.entries(fixture.gradients)) {
      expect(relativeError(await found.get(path)!.read(), expected), path).toBeLessThan(1e-3);
    }
  });

  it('computes in f32, also with weights in f16', async (context) => {
    requireCapability(context, 'f16', device?.hasFeature('shader-f16') === true, 'the adapter has no f16');
    const { params, input } = uploaded();
    expect(await halfWeightError(device!, params, (params) => router.logits(params, input))).toBeLessThan(2e-6);
  });
});

it('router-b-2 has the keys and shapes of the released router: 129,136,904 parameters', () => {
  const listing = readFileSync(new URL('../fixtures/router-b-2.keys.txt', import.meta.url), 'utf8');
  const shapes = routerParameterShapes(routerPresets['router-b-2']);
  const lines = Object.entries(shapes).map(([key, shape]) => `${key} ${shape.join('x')}`);
  expect(lines.sort()).toEqual(listing.trimEnd().split('\n').sort());
  expect(countParameters(shapes)).toBe(129_136_904);
});

it('a fresh router’s blocks are the identity: its class token has seen no picture', async (context) => {
  requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter');
  const config = { inputSize: 4, channels: 1, patchSize: 2, hiddenSize: 8, depth: 2, heads: 2, clusters: 3 };
  const router = createRouter(parseRouterConfig(config));
  const latents = device!.tensor(
    Float32Array.from({ length: 32 }, (_, i) => Math.sin(i)),
    { shape: [2, 1, 4, 4] },
  );
  const time = device!.tensor(Float32Array.of(0.2, 0.9), { shape: [2] });
  const logits = await router.logits(router.init(key(0)), { latents, time }).read();
  expect(logits.slice(0, 3)).toEqual(logits.slice(3));
  expect(new Set(logits).size).toBe(3);
});

type Numbers = ArrayLike<number>;

describe('a router that reads prompts', () => {
  const sizes = { inputSize: 4, channels: 1, patchSize: 2, hiddenSize: 8, depth: 1, heads: 2, clusters: 3 };
  const condition = { kind: 'tokens', vocabulary: 5, width: 4 };
  const upload = (data: Float32Array | Uint32Array, shape: number[]) => device!.tensor(data, { shape });
  const input = () => ({
    latents: upload(new Float32Array(32), [2, 1, 4, 4]),
    time: upload(Float32Array.of(1, 1), [2]),
  });
  const ids = (...rows: number[]) => tokenCondition(upload(Uint32Array.from(rows), [2, rows.length / 2]));
  const difference = (a: Numbers, b: Numbers) => Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i]!)));
  /** The first block's modulation is drawn: a fresh one is the identity, whatever the prompt. */
  function opened(router: Router<RouterParams>): RouterParams {
    const params = router.init(key(0));
    const { shape } = params.layers[0]!.adaLN_modulation[1].weight;
    const weight = normal(key(1), shape).mul(0.5);
    const bias = params.layers[0]!.adaLN_modulation[1].bias!;
    return { ...params, layers: [{ ...params.layers[0]!, adaLN_modulation: { 1: { weight, bias } } }] };
  }

  it('answers by the words and not by their order or padding', async (context) => {
    requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter');
    const router = createRouter(parseRouterConfig({ ...sizes, condition }));
    const params = opened(router);
    const ask = (condition: Condition) => router.logits(params, { ...input(), condition }).read();
    const order = await ask(ids(1, 2, 0, 2, 1, 0));
    expect(difference(order.slice(3), order.slice(0, 3))).toBeLessThan(1e-6);
    const padded = await ask(ids(1, 2, 2, 1));
    expect(difference(padded, order)).toBeLessThan(1e-6);
    const others = await ask(ids(1, 2, 3, 4));
    expect(difference(others.slice(3), others.slice(0, 3))).toBeGreaterThan(1e-2);
    expect([...(await ask(ids(0, 0)))].every(Number.isFinite)).toBe(true);
  });

  it('has an embedding and a projection more, and reads embeddings where the config says so', async (context) => {
    const names = (config: object) =>
      Object.keys(routerParameterShapes(parseRouterConfig({ ...sizes, ...config }))).sort();
    const more = (config: object) => names(config).filter((name) => !names({}).includes(name));
    expect(more({ condition })).toEqual(['text_embed.weight', 'text_proj.bias', 'text_proj.weight']);
    expect(more({ condition: { kind: 'embeddings', width: 4 } })).toEqual(['text_proj.bias', 'text_proj.weight']);
    requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter');
    const router = createRouter(parseRouterConfig({ ...sizes, condition: { kind: 'embeddings', width: 4 } }));
    const tokens = upload(
      Float32Array.from({ length: 16 }, (_, i) => Math.sin(i)),
      [2, 2, 4],
    );
    const mask = upload(Uint32Array.of(1, 0, 1, 0), [2, 2]).notEqual(0);
    const params = opened(router);
    const ask = (condition: Condition) => router.logits(params, { ...input(), condition }).read();
    const masked = await ask({ kind: 'embeddings', tokens, mask });
    const first = await ask({ kind: 'embeddings', tokens: tokens.slice([null, [0, 1], null]) });
    expect(difference(masked, first)).toBeLessThan(1e-6);
  });

  it('answers by the class, which has a row of its own, and so has "anything"', async (context) => {
    const label = { kind: 'label', classes: 3 } as const;
    const shapes = routerParameterShapes(parseRouterConfig({ ...sizes, condition: label }));
    expect(shapes['label_embed.weight']).toEqual([4, 8]);
    requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter');
    const router = createRouter(parseRouterConfig({ ...sizes, condition: label }));
    const params = opened(router);
    const ask = (...classes: number[]) =>
      router
        .logits(params, { ...input(), condition: { kind: 'label', label: upload(Uint32Array.from(classes), [2]) } })
        .read();
    const [same, other] = [await ask(1, 1), await ask(0, 3)];
    expect(difference(same.slice(3), same.slice(0, 3))).toBe(0);
    expect(difference(other.slice(3), other.slice(0, 3))).toBeGreaterThan(1e-4);
  });

  it.for([condition, { kind: 'label', classes: 4 }])(
    'in f32, also with weights in f16: $kind',
    async (condition, context) => {
      requireCapability(context, 'f16', device?.hasFeature('shader-f16') === true, 'the adapter has no f16');
      const router = createRouter(parseRouterConfig({ ...sizes, condition }));
      const given =
        condition.kind === 'label' ? { kind: 'label', label: upload(Uint32Array.of(1, 3), [2]) } : ids(1, 2, 3, 4);
      const ask = (params: RouterParams) => router.logits(params, { ...input(), condition: given as Condition });
      expect(await halfWeightError(device!, opened(router), ask)).toBeLessThan(2e-6);
    },
  );

  it('asks for the prompt that its config names', () => {
    const router = createRouter(parseRouterConfig({ ...sizes, condition }));
    expect(() => router.logits(router.init(key(0)), input())).toThrow(
      `[router] this router reads a condition of kind 'tokens', got none.`,
    );
  });
});

describe('parseRouterConfig', () => {
  it('lists every problem in one error', () => {
    const parse = () => parseRouterConfig({ clusters: 0, inputSize: 4, channels: 1, patchSize: 2, heads: 2, depth: 1 });
    for (const word of ['clusters', 'hiddenSize']) expect(parse).toThrow(word);
    const misfit = () => parseRouterConfig({ ...routerPresets['router-b-2'], patchSize: 5, heads: 7 });
    for (const word of ['patchSize 5', 'heads 7']) expect(misfit).toThrow(word);
  });
  it('reads the preset back from JSON', () => {
    const config = routerPresets['router-b-2'];
    expect(parseRouterConfig(JSON.parse(JSON.stringify({ architecture: 'router-transformer', ...config })))).toEqual(
      config,
    );
  });
});
