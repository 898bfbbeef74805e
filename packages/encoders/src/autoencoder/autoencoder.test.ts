// The autoencoders against PyTorch, with every parameter random: both ways, and the gradient of every parameter and input.
import { readFileSync } from 'node:fs';
import type { Codec } from '@paris/model';
import { type Device, flattenTree, key, openDevice, type Tensor, unflattenTree, valueAndGrad } from '@paris/tensor';
import type { ParameterShapes } from '@paris/tensor/nn';
import { halfWeightError, hostTensor, relativeError, type StoredTensor } from '@paris/tensor/testing';
import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  autoencoderKLParameterShapes,
  createAutoencoderKL,
  createTinyAutoencoder,
  parseAutoencoderKLConfig,
  parseTinyAutoencoderConfig,
  type Slicing,
  tinyAutoencoderParameterShapes,
} from './index.js';

type Field =
  | 'pictures'
  | 'noise'
  | 'latents'
  | 'mean'
  | 'draw'
  | 'decoded'
  | 'latentsCotangent'
  | 'picturesCotangent'
  | 'picturesGradient'
  | 'latentsGradient';
type Fixture = Record<Field, StoredTensor> & {
  readonly config: unknown;
  readonly params: Record<string, StoredTensor>;
  readonly gradients: Record<string, StoredTensor>;
};
type Make = (json: unknown) => { shapes: ParameterShapes; create(slicing?: Partial<Slicing>): Codec };

const kl: Make = (json) => {
  const config = parseAutoencoderKLConfig(json);
  const create = (slicing?: Partial<Slicing>) => createAutoencoderKL(config, slicing) as unknown as Codec;
  return { shapes: autoencoderKLParameterShapes(config), create };
};
const tiny: Make = (json) => {
  const config = parseTinyAutoencoderConfig(json);
  const create = (slicing?: Partial<Slicing>) => createTinyAutoencoder(config, slicing) as unknown as Codec;
  return { shapes: tinyAutoencoderParameterShapes(config), create };
};

let device: Device | undefined;
beforeAll(async () => {
  device = await openDevice().catch(() => undefined);
});
afterAll(() => device?.close());

describe.each<[string, Make]>([
  ['kl', kl],
  ['kl-plain', kl],
  ['kl-statistics', kl],
  ['tiny', tiny],
  ['tiny-pooled', tiny],
])('%s.json: equals PyTorch', (name, make) => {
  const fixture = JSON.parse(readFileSync(new URL(`../../fixtures/${name}.json`, import.meta.url), 'utf8')) as Fixture;
  const { shapes, create } = make(fixture.config);
  const upload = (stored: StoredTensor): Tensor => device!.tensor(hostTensor(stored).data, stored);
  const uploadParams = () =>
    unflattenTree<Tensor>(
      Object.entries(fixture.params).map(([path, stored]) => ({ path, value: upload(stored) })),
    ) as Record<string, Tensor>;

  it('has the parameters of the reference, fresh ones too', () => {
    const found = Object.fromEntries(Object.entries(fixture.params).map(([path, { shape }]) => [path, shape]));
    expect(found).toEqual(shapes);
    const fresh = flattenTree<Tensor>(create().init(key(0))).map(({ path, value }) => [path, value.shape]);
    expect(Object.fromEntries(fresh)).toEqual(shapes);
    const [, channels, height, width] = fixture.pictures.shape as [number, number, number, number];
    const { channels: c, height: h, width: w } = create().latentShape({ channels, height, width });
    expect([c, h, w]).toEqual(fixture.latents.shape.slice(1));
  });

  it('both ways, with gradients', async (context) => {
    requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter');
    const codec = create();
    const input = { params: uploadParams(), pictures: upload(fixture.pictures), latents: upload(fixture.latents) };
    const [noise, toLatents, toPictures] = (['noise', 'latentsCotangent', 'picturesCotangent'] as const).map((field) =>
      upload(fixture[field]),
    ) as [Tensor, Tensor, Tensor];
    const loss = ({ params, pictures, latents }: typeof input) => {
      const draw = codec.encode(params, pictures, noise);
      return draw.mul(toLatents).sum().add(codec.decode(params, latents).mul(toPictures).sum());
    };
    const step = device!.compile((of: typeof input) => ({
      mean: codec.encode(of.params, of.pictures),
      draw: codec.encode(of.params, of.pictures, noise),
      decoded: codec.decode(of.params, of.latents),
      gradients: valueAndGrad(loss)(of)[1],
    }));
    const { gradients, ...outputs } = await step(input);
    for (const [field, tensor] of Object.entries(outputs)) {
      const expected = fixture[field as 'mean' | 'draw' | 'decoded'];
      expect(tensor.shape, field).toEqual(expected.shape);
      expect(relativeError(await tensor.read(), expected), field).toBeLessThan(1e-4);
    }
    const wanted: Record<string, StoredTensor> = {
      ...Object.fromEntries(Object.entries(fixture.gradients).map(([path, each]) => [`params.${path}`, each])),
      pictures: fixture.picturesGradient,
      latents: fixture.latentsGradient,
    };
    const found = flattenTree<Tensor>(gradients);
    expect(found.map(({ path }) => path).sort()).toEqual(Object.keys(wanted).sort());
    for (const { path, value } of found) {
      // A gradient that is zero by symmetry (a key's bias) is noise on both sides.
      const scale = Math.max(...wanted[path]!.data.map(Math.abs));
      if (scale < 1e-6) expect(Math.max(...(await value.read()).map(Math.abs)), path).toBeLessThan(1e-3);
      else expect(relativeError(await value.read(), wanted[path]!), path).toBeLessThan(1e-3);
    }
  });

  it('computes in f32, also with weights in f16', async (context) => {
    requireCapability(context, 'f16', device?.hasFeature('shader-f16') === true, 'the adapter has no f16');
    const [codec, pictures, latents] = [create(), upload(fixture.pictures), upload(fixture.latents)];
    const params = uploadParams();
    expect(await halfWeightError(device!, params, (params) => codec.encode(params, pictures))).toBeLessThan(2e-6);
    expect(await halfWeightError(device!, params, (params) => codec.decode(params, latents))).toBeLessThan(2e-6);
  });

  it('in slices of a picture and a few rows, the same values', async (context) => {
    requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter');
    const run = device!.compile(
      ({ params, pictures, latents }: Record<'pictures' | 'latents', Tensor> & { params: Record<string, Tensor> }) => {
        const codec = create({ sliceBytes: 1200, memoryBudgetBytes: 1 });
        return { mean: codec.encode(params, pictures), decoded: codec.decode(params, latents) };
      },
    );
    const input = { params: uploadParams(), pictures: upload(fixture.pictures), latents: upload(fixture.latents) };
    const { mean, decoded } = await run(input);
    expect(relativeError(await mean.read(), fixture.mean)).toBeLessThan(1e-4);
    expect(relativeError(await decoded.read(), fixture.decoded)).toBeLessThan(1e-4);
  });
});
