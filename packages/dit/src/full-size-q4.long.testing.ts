// The released expert at full size in 4 bits, and eight of them on one device:
//
//   npm run test:long -- full-size-q4
//
// The weights are those of full-depth.long.testing.ts. Not part of `npm test`: twice 289 GFLOP, and 4 GB.
import { readFileSync } from 'node:fs';
import { type Params, packedExpert, toTree, weightBytes, writtenTensors } from '@paris/model';
import { type Device, openDevice, type Tensor, uploadTensor } from '@paris/tensor';
import { dequantize } from '@paris/tensor/nn';
import { drawnExponent, drawnNumbers, relativeError, type StoredTensor } from '@paris/tensor/testing';
import { requireCapability } from '@paris/test-tools';
import { expect, it } from 'vitest';
import { dit, ditParameterShapes, ditPresets } from './index.js';

const MOST_BYTES = 4 * 2 ** 30;
const config = ditPresets['dit-xl-2'];

it('eight experts of dit-xl-2 in q4 fit into 4 GiB, and one gives what its unpacked weights give', {
  timeout: 3_600_000,
}, async (context) => {
  const device = await openDevice();
  requireCapability(context, 'f16', device.hasFeature('shader-f16'), 'the adapter has no shader-f16');
  const path = new URL('../fixtures/dit-xl-2.forward.json', import.meta.url);
  const fixture = JSON.parse(readFileSync(path, 'utf8')) as { time: number; output: StoredTensor };
  const host = Object.entries(ditParameterShapes(config)).flatMap(([name, shape]) => {
    const data = drawnNumbers(name, shape, drawnExponent(name, shape));
    return writtenTensors(name, { data, shape, dtype: 'f32' }, 'q4');
  });
  const load = (): Params => Object.fromEntries(host.map(([name, tensor]) => [name, uploadTensor(device, tensor)]));
  const expert = packedExpert(dit.fromConfig(config));
  const input = {
    latents: given(device, 'latents', [1, 4, 32, 32]),
    time: device.tensor([fixture.time]) as Tensor,
    condition: { kind: 'embeddings', tokens: given(device, 'tokens', [1, 77, 768]) } as const,
  };

  const packed = load();
  const before = device.counters.bytesAllocated;
  const cpu = process.cpuUsage();
  const prediction = expert.apply(toTree(packed), input);
  const found = (await prediction.read()) as Float32Array;
  const { user, system } = process.cpuUsage(cpu);
  const temporaries = device.counters.bytesAllocated - before;

  const eight = [packed, ...Array.from({ length: 7 }, load)];
  const held = eight
    .flatMap((params) => Object.values(params))
    .reduce((sum, { size, dtype }) => sum + size * (dtype === 'f16' ? 2 : 4), 0);
  expect(held).toBe(8 * weightBytes(ditParameterShapes(config), 'q4'));
  expect(held + temporaries).toBeLessThan(MOST_BYTES);
  for (const params of eight.slice(1)) for (const tensor of Object.values(params)) tensor.dispose();

  const unpacked: Params = {};
  for (const [name, value] of Object.entries(packed)) {
    if (name.endsWith('.scale')) continue;
    const base = name.replace(/\.q4$/, '');
    unpacked[base] =
      base === name ? value : await device.run(dequantize({ q4: value, scale: packed[`${base}.scale`]! }));
  }
  const plain = (await expert.apply(toTree(unpacked), input).read()) as Float32Array;
  console.log(
    `${device.info.fingerprint}: ${((user + system) / 1e6).toFixed(1)} processor-seconds with compiling; eight experts ` +
      `${(held / 2 ** 30).toFixed(3)} GiB, temporaries ${(temporaries / 2 ** 30).toFixed(3)} GiB; against f32 ` +
      `${relativeError(found, fixture.output).toExponential(2)} of the largest value, with random weights`,
  );
  expect([...found]).toEqual([...plain]);
  await device.close();
});

function given(device: Device, name: string, shape: readonly number[]): Tensor {
  return device.tensor(drawnNumbers(name, shape, 1), { shape }) as Tensor;
}
