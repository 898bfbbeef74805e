import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bareDevice, mapOnDevice } from '../testing/map-on-device.js';
import { cosAccurate, sinAccurate } from './trigonometry.js';

let device: GPUDevice | undefined;
beforeAll(async () => {
  device = (await bareDevice())?.device;
});
afterAll(() => device?.destroy());

const count = 1 << 18;

// i / 2^k − offset is exact in f32, so the argument is the same number here and there.
it.for([
  ['[−1, 1]', 2 ** -17, 1],
  ['[−1024, 1024]', 2 ** -7, 1024],
  ['[8976, 10000]', 2 ** -8, -8976],
] as const)('sine and cosine on %s within 2e-7 of double precision', async ([_, step, offset], context) => {
  requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter');
  const x = `(f32(i) * ${step} - ${offset.toFixed(1)})`;
  for (const [name, fn, want] of [
    ['sinAccurate', sinAccurate, Math.sin],
    ['cosAccurate', cosAccurate, Math.cos],
  ] as const) {
    const got = new Float32Array(
      (await mapOnDevice(device!, count, `bitcast<u32>(${name}(${x}))`, { [name]: fn })).buffer,
    );
    let worst = 0;
    got.forEach((value, i) => {
      worst = Math.max(worst, Math.abs(value - want(i * step - offset))); // stays NaN if one is
    });
    expect(worst).toBeLessThan(2e-7);
  }
});
