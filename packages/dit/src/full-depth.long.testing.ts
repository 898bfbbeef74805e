// The released expert at its full depth, once, with weights in f16, against PyTorch:
//
//   PARIS_ADAPTER=lavapipe npm run test:long -- full-depth
//
// 605,970,448 parameters drawn from a counter-based generator, as tools/fixtures/full_depth.py draws them. Not part of
// `npm test`: 289 GFLOP and 1.2 GB.
import { readFileSync } from 'node:fs';
import { openDevice, type Tensor, unflattenTree } from '@paris/tensor';
import { drawnExponent, drawnNumbers, relativeError, type StoredTensor } from '@paris/tensor/testing';
import { requireCapability } from '@paris/test-tools';
import { expect, it } from 'vitest';
import { type DiTParams, ditForward, ditParameterShapes, ditPresets } from './index.js';

const MOST_BYTES = 4 * 2 ** 30;

it('dit-xl-2 in f16 equals PyTorch to 5e-3 in less than 4 GiB', { timeout: 3_600_000 }, async (context) => {
  const path = new URL('../fixtures/dit-xl-2.forward.json', import.meta.url);
  const fixture = JSON.parse(readFileSync(path, 'utf8')) as {
    time: number;
    sums: Record<string, number>;
    output: StoredTensor;
  };
  const device = await openDevice();
  requireCapability(context, 'f16', device.hasFeature('shader-f16'), 'the adapter has no shader-f16');

  const config = ditPresets['dit-xl-2'];
  const upload = (name: string, shape: readonly number[], exponent: number, dtype: 'f16' | 'f32'): Tensor => {
    const data = drawnNumbers(name, shape, exponent);
    const sum = fixture.sums[name];
    if (sum !== undefined)
      expect(
        data.reduce((total, value) => total + value, 0),
        name,
      ).toBe(sum);
    return device.tensor(data, { shape, dtype }) as Tensor;
  };
  const params = unflattenTree(
    Object.entries(ditParameterShapes(config)).map(([path, shape]) => ({
      path,
      value: upload(path, shape, drawnExponent(path, shape), 'f16'),
    })),
  ) as unknown as DiTParams;
  const weightBytes = device.counters.bytesAllocated;
  const latents = upload('latents', [1, 4, 32, 32], 1, 'f32');
  const tokens = upload('tokens', [1, 77, 768], 1, 'f32');
  const time = device.tensor([fixture.time]) as Tensor;

  const start = performance.now();
  const prediction = ditForward(config, params, { latents, time, condition: { kind: 'embeddings', tokens } });
  const found = (await prediction.read()) as Float32Array;
  const seconds = (performance.now() - start) / 1000;
  const error = relativeError(found, fixture.output);
  // Counted since the device was opened: nothing freed is taken off.
  const { bytesAllocated } = device.counters;
  console.log(
    `${device.info.fingerprint}: ${seconds.toFixed(1)} s with compiling, ${(bytesAllocated / 2 ** 30).toFixed(3)} GiB ` +
      `(weights ${(weightBytes / 2 ** 30).toFixed(3)}), error ${error.toExponential(2)} of the largest value`,
  );
  expect(prediction.shape).toEqual(fixture.output.shape);
  expect(error).toBeLessThan(5e-3);
  expect(weightBytes).toBeGreaterThanOrEqual(2 * 605_970_448);
  expect(bytesAllocated).toBeLessThan(MOST_BYTES);
  await device.close();
});
