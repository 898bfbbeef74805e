// The end of a device: pending work is finished, later calls throw, and the process can end.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DeviceLostError, type Tensor } from '../index.js';
import { type ChildProgram, childProgram } from '../testing/child-program.testing.js';
import { useDevice } from '../testing/use-device.testing.js';
import { findAdapter } from './adapter.js';
import { openDevice } from './open.js';
import { storageOf } from './storage.js';

const device = useDevice();

describe('close()', () => {
  it('finishes the reads that were asked for, and refuses what comes later', async (context) => {
    device(context);
    const on = await openDevice();
    const step = on.compile((x: Tensor) => x.add(1));
    const x = await step(on.tensor([1, 2]));
    const reading = x.read();
    const closing = on.close();
    const later = [step(x), x.read(), on.run(x.mul(2))].map((call) => call.catch((error: unknown) => error));
    expect(await reading).toEqual(new Float32Array([2, 3]));
    await closing;
    for (const error of await Promise.all(later)) {
      expect(error).toBeInstanceOf(DeviceLostError);
      expect((error as Error).message).toBe('[device] the device was closed. Open a new one with openDevice().');
    }
    x.dispose();
    x.dispose();
    await on.close();
  });

  it('leaves a device of the caller alive, without our buffers', async (context) => {
    device(context);
    const gpu = await (await findAdapter()).adapter.requestDevice();
    const on = await openDevice({ device: gpu });
    const x = on.tensor([1, 2]);
    await x.add(1).read();
    const { buffer } = storageOf(x)!;
    await on.close();
    gpu.pushErrorScope('validation');
    gpu.queue.writeBuffer(buffer.gpu, 0, new Uint32Array(1));
    const encoder = gpu.createCommandEncoder();
    encoder.clearBuffer(buffer.gpu);
    gpu.queue.submit([encoder.finish()]);
    expect((await gpu.popErrorScope())?.message).toMatch(/destroyed/);
    const again = await openDevice({ device: gpu });
    expect(await again.tensor([1]).add(1).read()).toEqual(new Float32Array([2]));
    await again.close();
  });

  it('is what `await using` does', async (context) => {
    device(context);
    let kept: Tensor;
    {
      await using on = await openDevice();
      kept = on.tensor([1]);
    }
    await expect(kept.read()).rejects.toThrow('closed');
  });
});

describe('a process', () => {
  let child: ChildProgram;
  beforeAll(async () => {
    child = await childProgram(`
      import { openDevice } from '@paris/tensor';
      const device = await openDevice();
      const step = device.compile((x) => x.add(1), { donate: [0] });
      let x = device.tensor([1, 2]);
      for (let i = 0; i < 20; i++) x = await step(x);
      console.log(await x.sum().item());
      await device.close();
      console.log('closed');
    `);
  });
  afterAll(() => child.remove());

  it('ends by itself after close()', async (context) => {
    device(context);
    expect(await child.run()).toBe('43\nclosed\n');
  });
});
