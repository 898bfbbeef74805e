// The one autoencoder whose real weights may be at hand: FLUX.2's tiny one, with a photograph and what the original makes of it.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { nodeStore } from '@paris/files/node';
import { type HostTensor, readSafetensors } from '@paris/files/safetensors';
import { fromStateDict } from '@paris/model';
import { type Device, openDevice, type Tensor, unflattenTree } from '@paris/tensor';
import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, expect, it, type TestContext } from 'vitest';
import {
  createTinyAutoencoder,
  parseTinyAutoencoderConfig,
  type TinyAutoencoderParams,
  taesdLayout,
  tinyAutoencoderParameterShapes,
} from './index.js';

const folder = fileURLToPath(new URL('../../../../../shared/data/taef2/', import.meta.url));
const config = parseTinyAutoencoderConfig({ latent_channels: 32, pooled_middle: true });

let device: Device | undefined;
beforeAll(async () => {
  device = await openDevice().catch(() => undefined);
});
afterAll(() => device?.close());

async function load(context: TestContext) {
  requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter');
  requireCapability(context, 'data', existsSync(folder), 'the weights of TAEF2 are not there');
  const store = nodeStore(folder);
  const theirs: Record<string, HostTensor> = {};
  for (const half of ['encoder', 'decoder']) {
    const read = await readSafetensors(store, `${half}.safetensors`);
    for (const [key, tensor] of Object.entries(read)) theirs[`${half}.${key}`] = tensor;
  }
  const ours = fromStateDict(taesdLayout, tinyAutoencoderParameterShapes(config), theirs);
  const upload = ({ data, shape }: HostTensor): Tensor => device!.tensor(data, { shape, dtype: 'f32' });
  const params = unflattenTree(
    Object.entries(ours).map(([path, tensor]) => ({ path, value: upload(tensor) })),
  ) as unknown as TinyAutoencoderParams;
  const io = await readSafetensors(store, 'photo_io.safetensors');
  return { params, upload, io: io as Record<string, HostTensor> };
}

const largestDifference = (a: ArrayLike<number>, { data }: HostTensor) => {
  expect(a.length).toBe(data.length);
  return Array.from(data).reduce((most, x, i) => Math.max(most, Math.abs(a[i]! - x)), 0);
};

it('latents and reconstructions are the original’s to 1e-3', async (context) => {
  const { params, upload, io } = await load(context);
  const codec = createTinyAutoencoder(config);
  const encode = device!.compile((params: TinyAutoencoderParams, x: Tensor) => codec.encode(params, x.mul(2).sub(1)));
  const decode = device!.compile((params: TinyAutoencoderParams, x: Tensor) => codec.decode(params, x).add(1).div(2));

  const latents = await encode(params, upload(io.image!));
  expect(latents.shape).toEqual([1, 32, 10, 12]);
  expect(largestDifference(await latents.read(), io.latents!)).toBeLessThan(1e-3);

  for (const [from, to] of [
    ['latents', 'decoded'],
    ['latents_wide', 'decoded_wide'],
  ] as const) {
    const whole = await decode(params, upload(io[from]!));
    expect(whole.shape).toEqual([1, 3, 80, 96]);
    expect(largestDifference(await whole.read(), io[to]!), to).toBeLessThan(1e-3);
  }
});
