import { toTree } from '@paris/model';
import { type Device, flattenTree, key, openDevice, softmax, type Tensor } from '@paris/tensor';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseRouterConfig } from './config.js';
import { growRouter, type RouterWeights, trainablePart } from './grow.js';
import type { RouterParams } from './parameters.js';
import { createRouter } from './transformer.js';

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());

const config = { clusters: 3, inputSize: 8, channels: 3, patchSize: 4, hiddenSize: 16, depth: 1, heads: 2 };

/** A router of three clusters whose head is surer than a fresh one's. */
async function weights(): Promise<RouterWeights> {
  const found: { [path: string]: { data: Float32Array; shape: readonly number[] } } = {};
  for (const { path, value } of flattenTree<Tensor>(createRouter(parseRouterConfig(config)).init(key(3)))) {
    const tensor = await device.compile(() => value.mul(path.startsWith('head.4') ? 4 : 1))();
    found[path] = { data: (await tensor.read()) as Float32Array, shape: tensor.shape };
    tensor.dispose();
  }
  return found;
}

async function probabilities(of: RouterWeights, clusters: number): Promise<number[]> {
  const router = createRouter(parseRouterConfig({ ...config, clusters }));
  const params = Object.fromEntries(
    Object.entries(of).map(([path, { data, shape }]) => [path, device.tensor(data, { shape })]),
  );
  const latents = device.tensor(
    Float32Array.from({ length: 192 }, (_, i) => Math.sin(i)),
    { shape: [1, 3, 8, 8] },
  );
  const time = device.tensor(Float32Array.of(0.4), { shape: [1] });
  const answer = await device.compile(() =>
    softmax(router.logits(toTree(params) as unknown as RouterParams, { latents, time }), 1),
  )();
  return [...((await answer.read()) as Float32Array)];
}

it('leaves the relations of the old clusters, and every weight that was there', async () => {
  const old = await weights();
  const grown = growRouter(old, [0.2, 0.1]);
  for (const [path, { data }] of Object.entries(old)) {
    expect([...grown[path]!.data.subarray(0, data.length)], path).toEqual([...data]);
  }
  expect(grown['head.4.weight']!.shape).toEqual([5, 16]);
  const [before, after] = [await probabilities(old, 3), await probabilities(grown, 5)];
  for (const k of [1, 2]) expect(after[k]! / after[0]!).toBeCloseTo(before[k]! / before[0]!, 4);
});

it('begins with the share of the new clusters where the old router knows nothing, and below it where it knows', async () => {
  const old = await weights();
  const flat = { data: new Float32Array(48), shape: [3, 16] };
  const nothing = { ...old, 'head.4.weight': flat, 'head.4.bias': { data: new Float32Array(3).fill(7), shape: [3] } };
  const after = await probabilities(growRouter(nothing, [0.2, 0.1]), 5);
  const wanted = [0.7 / 3, 0.7 / 3, 0.7 / 3, 0.2, 0.1];
  for (const [k, value] of wanted.entries()) expect(after[k]).toBeCloseTo(value, 5);
  const sure = { ...old, 'head.4.weight': flat, 'head.4.bias': { data: Float32Array.of(12, 0, 0), shape: [3] } };
  expect((await probabilities(growRouter(sure, [0.2]), 4))[3]).toBeLessThan(0.001);
});

it('refuses what it cannot let grow', async () => {
  const old = await weights();
  expect(() => growRouter(old, [0])).toThrow('[growRouter] the shares are [0]. Give numbers above 0');
  expect(() => growRouter(old, [0.6, 0.4])).toThrow('a sum below 1');
  const { 'head.4.weight': _, ...other } = old;
  expect(() => growRouter(other, [0.5])).toThrow('there is no head.4.weight with two axes. Train a router of more');
  expect(() => trainablePart({}, 'rows' as 'row', 3)).toThrow(
    '[trainablePart] the part is "rows". Give "row" or "head" or "all".',
  );
});
