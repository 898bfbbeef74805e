import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Device } from '../device/device.js';
import {
  argmax,
  attention,
  hostNormal,
  key,
  layerNorm,
  logSumExp,
  openDevice,
  softmax,
  type Tensor,
  valueAndGrad,
} from '../index.js';

// Kernels for GPUs and kernels for software adapters must agree. Both run on whatever adapter there is.
let ours: Device;
let gpuLike: Device;
let softwareLike: Device;
beforeAll(async () => {
  ours = await openDevice();
  gpuLike = new Device(ours.gpu, { ...ours.info, software: false }, false);
  softwareLike = new Device(ours.gpu, { ...ours.info, software: true }, false);
});
afterAll(async () => {
  await gpuLike.close();
  await softwareLike.close();
  await ours.close();
});

async function expectAgreement(shape: number[], fn: (x: Tensor) => Tensor, tolerance = 1e-5): Promise<void> {
  const data = hostNormal(
    key(7),
    shape.reduce((a, b) => a * b, 1),
  );
  const results = await Promise.all([gpuLike, softwareLike].map((device) => fn(device.tensor(data, { shape })).read()));
  const [a, b] = [results[0]!, results[1]!];
  expect(a.length).toBe(b.length);
  for (let i = 0; i < a.length; i++)
    expect(Math.abs(a[i]! - b[i]!)).toBeLessThanOrEqual(tolerance * (1 + Math.abs(b[i]!)));
}

describe('kernels for GPUs and for software adapters agree', () => {
  const rows: [string, (x: Tensor) => Tensor][] = [
    ['layerNorm', (x) => layerNorm(x)],
    ['softmax', (x) => softmax(x)],
    ['logSumExp', (x) => logSumExp(x)],
    ['argmax', (x) => argmax(x, 1)],
    ['column sums', (x) => x.sum(0)],
    ['maximum of all', (x) => x.max()],
  ];
  for (const [name, fn] of rows) {
    it(`${name} of short and long rows`, async () => {
      for (const shape of [
        [3, 65],
        [40, 257],
        [1, 1000],
      ]) {
        await expectAgreement(shape, fn);
      }
    });
  }

  it('matrix products of odd sizes', async () => {
    for (const shape of [
      [1, 17],
      [65, 17],
      [70, 130],
    ]) {
      await expectAgreement(shape, (x) => x.matmul(x.transpose()));
    }
  });

  it('attention, forward and backward', async () => {
    const loss = (x: Tensor) => {
      const [q, k, v] = [0, 1, 2].map((i) => x.slice([null, null, [i, i + 1], null, null]).reshape([2, 19, 2, 8]));
      return attention(q!, k!, v!).square().mean();
    };
    await expectAgreement([2, 19, 3, 2, 8], (x) => valueAndGrad(loss)(x)[1]);
  });
});
