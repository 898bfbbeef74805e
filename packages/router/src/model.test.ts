// The whole network against PyTorch, with every parameter random: forward and every parameter's gradient.
import { readFileSync } from 'node:fs';
import { type Device, flattenTree, key, openDevice, type Tensor, unflattenTree, valueAndGrad } from '@paris/tensor';
import { countParameters } from '@paris/tensor/nn';
import { hostTensor, relativeError, type StoredTensor } from '@paris/tensor/testing';
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

  it('has the parameters of the reference', () => {
    const shapes = Object.fromEntries(Object.entries(fixture.params).map(([path, { shape }]) => [path, shape]));
    expect(routerParameterShapes(config)).toEqual(shapes);
  });

  // A software adapter compiles about a hundred shaders for this.
  it('forward and gradients', { timeout: 300_000 }, async (context) => {
    requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter');
    const upload = (stored: StoredTensor) => device!.tensor(hostTensor(stored).data, stored);
    const params = unflattenTree(
      Object.entries(fixture.params).map(([path, stored]) => ({ path, value: upload(stored) })),
    ) as unknown as RouterParams;
    const input = { latents: upload(fixture.latents), time: upload(fixture.time) };
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
