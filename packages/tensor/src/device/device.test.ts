import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  concat,
  type Device,
  exp,
  gelu,
  key,
  layerNorm,
  mse,
  normal,
  openDevice,
  softmax,
  type Tensor,
  valueAndGrad,
  zeros,
} from '../index.js';

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());

describe('a device', () => {
  it('adds', async () => {
    const a = device.tensor([
      [1, 2],
      [3, 4],
    ]);
    const y = a.add(10).mul(a);
    expect([...(await y.read())]).toEqual([11, 24, 39, 56]);
  });
  it('reduces and multiplies', async () => {
    const a = device.tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect([...(await a.sum(0).read())]).toEqual([5, 7, 9]);
    expect([...(await a.sum(1).read())]).toEqual([6, 15]);
    expect(await a.mean().item()).toBeCloseTo(3.5);
    expect([...(await a.matmul(a.transpose()).read())]).toEqual([14, 32, 32, 77]);
    expect([...(await softmax(a).sum(1).read())].map((x) => +x.toFixed(5))).toEqual([1, 1]);
    const ln = layerNorm(a);
    console.log(await ln.read(), await gelu(a).read());
    console.log(await normal(key(3), [5]).add(a.mean()).sub(a.mean()).read());
    console.log(
      await concat([a, a.flip(1)], 1)
        .pad([
          [1, 0],
          [0, 1],
        ])
        .read(),
    );
  });
  it('differentiates', async () => {
    const w = device.tensor([
      [0.5, -1],
      [2, 0.3],
      [1, 1],
    ]);
    const x = device.tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    const y = device.tensor([
      [1, 0],
      [0, 1],
    ]);
    const step = device.compile(
      (p: { w: Tensor }, x: Tensor, y: Tensor) => {
        const [loss, g] = valueAndGrad((p: { w: Tensor }) => mse(gelu(layerNorm(x).matmul(p.w)), y))(p);
        return { loss, p: { w: p.w.sub(g.w.mul(0.1)) } };
      },
      { donate: [0] },
    );
    let p = { w };
    for (let i = 0; i < 5; i++) {
      const before = device.counters;
      const r = await step(p, x, y);
      p = r.p;
      console.log(
        await r.loss.item(),
        device.counters.buffersCreated - before.buffersCreated,
        device.counters.bindGroupsCreated - before.bindGroupsCreated,
        device.counters.dispatches - before.dispatches,
      );
      r.loss.dispose();
    }
  });
});
