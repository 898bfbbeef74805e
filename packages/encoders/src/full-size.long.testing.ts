// The frozen parts of Paris at their full size, once, with random weights, against PyTorch:
//
//   PARIS_ADAPTER=cpu npm run test:long -- full-size
//
// Decoding 32 × 32 latents to 256 px takes 620 GFLOP, CLIP's 77 tokens 13. Weights are drawn as tools/fixtures/encoders_full.py
// draws them.
import { readFileSync } from 'node:fs';
import { type Device, openDevice, type Tensor, unflattenTree } from '@paris/tensor';
import type { ParameterShapes } from '@paris/tensor/nn';
import { drawnExponent, drawnNumbers, relativeError, type StoredTensor } from '@paris/tensor/testing';
import { expect, it } from 'vitest';
import {
  type AutoencoderKLParams,
  autoencoderKLParameterShapes,
  createAutoencoderKL,
  parseAutoencoderKLConfig,
} from './autoencoder/index.js';
import { type ClipTextParams, clipTextForward, clipTextParameterShapes, parseClipTextConfig } from './clip/index.js';

const fixtureOf = <F>(name: string): F =>
  JSON.parse(readFileSync(new URL(`../fixtures/full/${name}.json`, import.meta.url), 'utf8')) as F;

function drawnWeights(
  device: Device,
  shapes: ParameterShapes,
  wanted: (path: string) => boolean = () => true,
): unknown {
  const entries = Object.entries(shapes).filter(([path]) => wanted(path));
  return unflattenTree(
    entries.map(([path, shape]) => {
      const value = device.tensor(drawnNumbers(path, shape, drawnExponent(path, shape)), { shape }) as Tensor;
      return { path, value };
    }),
  );
}

/** Runs something twice: the first time compiles. */
async function timed(device: Device, what: string, run: () => Promise<Tensor>): Promise<Tensor> {
  const weights = device.counters.bytesAllocated;
  const results: Tensor[] = [];
  for (const time of ['first', 'second']) {
    const [start, before] = [performance.now(), process.cpuUsage()];
    const result = await run();
    await result.read();
    const { user, system } = process.cpuUsage(before);
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    const { bytesAllocated } = device.counters;
    console.log(
      `${what}, ${time} time: ${seconds} s, ${((user + system) / 1e6).toFixed(1)} processor-seconds; weights ` +
        `${(weights / 2 ** 20).toFixed(0)} MiB, in addition ${((bytesAllocated - weights) / 2 ** 20).toFixed(0)} MiB; process ` +
        `${(process.resourceUsage().maxRSS / 2 ** 10).toFixed(0)} MiB (${device.info.fingerprint})`,
    );
    results.push(result);
  }
  results[0]!.dispose();
  return results[1]!;
}

it('the decoder of sd-vae-ft-mse, 32 × 32 × 4 → 256 px', { timeout: 3_600_000 }, async () => {
  const { config: json, decoded } = fixtureOf<{ config: unknown; decoded: StoredTensor }>('kl');
  const device = await openDevice();
  const config = parseAutoencoderKLConfig(json);
  const codec = createAutoencoderKL(config);
  const shapes = autoencoderKLParameterShapes(config);
  const ofDecoder = (path: string) => /^(decoder|post_quant_conv)\./.test(path);
  const params = drawnWeights(device, shapes, ofDecoder) as AutoencoderKLParams;
  const latents = device.tensor(drawnNumbers('latents', [1, 4, 32, 32], 1), { shape: [1, 4, 32, 32] }) as Tensor;
  const decode = device.compile((params: AutoencoderKLParams, latents: Tensor) => codec.decode(params, latents));
  const before = device.counters.bytesAllocated;
  const pictures = await timed(device, 'decode', () => decode(params, latents));
  expect(pictures.shape).toEqual([1, 3, 256, 256]);
  const all = (await pictures.read()) as Float32Array;
  const kept = Array.from({ length: 3 * 16 * 16 }, (_, i) => {
    const [channel, row, column] = [i >> 8, (i >> 4) & 15, i & 15];
    return all[channel * 65536 + row * 16 * 256 + column * 16]!;
  });
  const error = relativeError(kept, decoded);
  console.log(`error ${error.toExponential(2)} of the largest value`);
  expect(error).toBeLessThan(1e-4);
  expect(device.counters.bytesAllocated - before).toBeLessThan(512 * 2 ** 20);
  await device.close();
});

it('the text encoder of CLIP ViT-L/14, 77 tokens', { timeout: 3_600_000 }, async () => {
  const fixture = fixtureOf<{ config: unknown; hidden: StoredTensor; pooled: StoredTensor }>('clip');
  const device = await openDevice();
  const config = parseClipTextConfig(fixture.config);
  const params = drawnWeights(device, clipTextParameterShapes(config)) as ClipTextParams;
  const tokens = [49406, ...Array.from({ length: 20 }, (_, i) => (i * 7919 + 320) % 49000), ...Array(56).fill(49407)];
  const ids = device.tensor(Uint32Array.from(tokens), { shape: [1, 77], dtype: 'u32' }) as Tensor;
  const encode = device.compile((params: ClipTextParams, ids: Tensor) => clipTextForward(config, params, ids));
  const { pooled } = await encode(params, ids);
  expect(relativeError(await pooled.read(), fixture.pooled)).toBeLessThan(1e-4);
  const hidden = await timed(device, 'CLIP', async () => (await encode(params, ids)).hidden);
  const all = (await hidden.read()) as Float32Array;
  const kept = [0, 38, 76].flatMap((token) => [...all.subarray(token * 768, (token + 1) * 768)]);
  const error = relativeError(kept, fixture.hidden);
  console.log(`error ${error.toExponential(2)} of the largest value`);
  expect(error).toBeLessThan(1e-4);
  await device.close();
});
