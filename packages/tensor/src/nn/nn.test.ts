// Every layer against PyTorch's own: forward, and the gradient of every input and every parameter.
import { readdirSync, readFileSync } from 'node:fs';
import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Device, flattenTree, openDevice, type Tensor, unflattenTree, valueAndGrad } from '../index.js';
import { hostTensor, relativeError, type StoredTensor } from '../testing/parity.js';
import * as nn from './index.js';

interface Sample {
  readonly attrs: Record<string, number>;
  readonly inputs: StoredTensor[];
  readonly outputs: [StoredTensor];
  readonly cotangents?: [StoredTensor];
  readonly gradients?: (StoredTensor | null)[];
  readonly params?: Record<string, StoredTensor>;
  readonly parameterGradients?: Record<string, StoredTensor>;
}
// A layer's parameters come from JSON: their type is what the layer says it is.
type Params = nn.LinearParams & nn.LayerNormParams & nn.MlpParams & nn.MultiHeadAttentionParams & nn.PatchEmbedParams;
type Layer = (params: Params, inputs: Tensor[], attrs: Sample['attrs']) => Tensor;

const layers: Record<string, Layer> = {
  linear: (params, [x]) => nn.linear(params, x!),
  layerNorm: (params, [x], { eps }) => nn.layerNorm(params, x!, { eps: eps! }),
  mlp: (params, [x]) => nn.mlp(params, x!),
  multiHeadAttention: (params, [x, context, mask], { heads }) =>
    nn.multiHeadAttention(params, x!, {
      heads: heads!,
      ...(context ? { context } : {}),
      ...(mask ? { mask } : {}),
    }),
  patchEmbed: (params, [x]) => nn.patchEmbed(params, x!),
  unpatchify: (_, [x], attrs) =>
    nn.unpatchify(x!, attrs as { patchSize: number; channels: number; height: number; width: number }),
  timestepEmbedding: (_, [t], { dimension }) => nn.timestepEmbedding(t!, { dimension: dimension! }),
  sinCosPositions2d: (_, __, { dimension, height, width }) => nn.sinCosPositions2d(dimension!, height!, width!),
};

const folder = new URL('../../fixtures/nn/', import.meta.url);
let device: Device | undefined;
beforeAll(async () => {
  device = await openDevice().catch(() => undefined);
});
afterAll(() => device?.close());

it('has a fixture for each of these layers', () => {
  const stored = readdirSync(folder).map((file) => file.replace('.json', ''));
  expect(stored.sort()).toEqual(Object.keys(layers).sort());
});

describe.each(Object.entries(layers))('%s equals PyTorch', (name, layer) => {
  const { samples } = JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as { samples: Sample[] };
  for (const [i, sample] of samples.entries()) {
    it(`sample ${i}`, async (context) => {
      requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter');
      await compare(device!, layer, sample);
    });
  }
});

async function compare(device: Device, layer: Layer, sample: Sample): Promise<void> {
  const { attrs, params = {}, parameterGradients = {}, gradients = [] } = sample;
  const upload = (stored: StoredTensor) => device.tensor(hostTensor(stored).data, stored);
  const inputs = sample.inputs.map(upload);
  const tree = unflattenTree(Object.entries(params).map(([path, stored]) => ({ path, value: upload(stored) })));
  const output = layer(tree as unknown as Params, inputs, attrs);
  await device.run(output);
  expect(output.shape).toEqual(sample.outputs[0].shape);
  // An f32 angle of 1000 is itself only good to 6e-5, PyTorch's as well.
  const tolerance = layer === layers.timestepEmbedding ? 2e-4 : 1e-5;
  expect(relativeError(await output.read(), sample.outputs[0])).toBeLessThan(tolerance);
  if (!sample.cotangents) return;

  const cotangent = upload(sample.cotangents[0]);
  const wanted = gradients.flatMap((gradient, i) => (gradient ? [i] : []));
  const [, found] = valueAndGrad(({ inputs: differentiated, params }: { inputs: Tensor[]; params: Params }) => {
    const all = inputs.map((input, i) => differentiated[wanted.indexOf(i)] ?? input);
    return layer(params, all, attrs).mul(cotangent).sum();
  })({ inputs: wanted.map((i) => inputs[i]!), params: tree as unknown as Params });
  await device.run(found);

  for (const [place, i] of wanted.entries()) {
    expect(relativeError(await found.inputs[place]!.read(), gradients[i]!), `input ${i}`).toBeLessThan(1e-4);
  }
  const byPath = new Map(flattenTree<Tensor>(found.params).map(({ path, value }) => [path, value]));
  expect([...byPath.keys()].sort()).toEqual(Object.keys(parameterGradients).sort());
  for (const [path, expected] of Object.entries(parameterGradients)) {
    expect(relativeError(await byPath.get(path)!.read(), expected), path).toBeLessThan(1e-4);
  }
}
