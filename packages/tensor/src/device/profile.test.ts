// Profiles: what ran, how often, in which order, and for how long at most.
import { requireCapability } from '@paris/test-tools';
import { describe, expect, it } from 'vitest';
import { attention, LimitError } from '../index.js';
import { useDevice } from '../testing/use-device.testing.js';
import { Device } from './device.js';

const device = useDevice();

describe('profile', () => {
  it('names the kernels of a function with their runs, work and times', async (context) => {
    const on = device(context);
    requireCapability(context, 'timestamps', on.hasFeature('timestamp-query'), 'this adapter tells no times');
    const n = 96;
    const x = on.tensor(new Float32Array(n * n).fill(0.5), { shape: [n, n] });
    const run = on.compile(() => x.matmul(x).mul(2));
    const heads = x.reshape([2, n / 2, 2, n / 2]);
    (await run()).dispose(); // compiled before
    const dispatches = on.counters.dispatches;
    const profile = await on.profile(async () => {
      for (let i = 0; i < 3; i++) (await run()).dispose();
      (await on.run(attention(heads, heads, heads))).dispose();
    });
    const { kernels, runs, roofline, gpuMs, wallMs } = profile;
    expect(runs.length).toBeGreaterThan(3);
    expect(kernels.reduce((all, kernel) => all + kernel.runs, 0)).toBe(runs.length);
    const product = kernels.find(({ name }) => name === 'matmul+multiply')!;
    expect(product.runs).toBe(3);
    const [first] = runs;
    expect(first).toMatchObject({ name: 'matmul+multiply', flops: 2 * n ** 3, bytes: 2 * 4 * n * n, startMs: 0 });
    expect(runs.at(-1)!.name).toContain('attention');
    expect(runs.at(-1)!.flops).toBe(4 * 2 * 2 * (n / 2) ** 3);
    // By the GPU's clock, one after the other; and all of it while the host waited.
    for (const [i, { startMs, ms }] of runs.entries()) {
      expect(ms).toBeGreaterThanOrEqual(0);
      expect(startMs).toBeGreaterThanOrEqual(i === 0 ? 0 : runs[i - 1]!.startMs + runs[i - 1]!.ms - 1e-6);
    }
    expect(gpuMs).toBeGreaterThan(0);
    expect(gpuMs).toBeLessThanOrEqual(wallMs);
    expect(gpuMs).toBeCloseTo(
      kernels.reduce((all, { ms }) => all + ms, 0),
      6,
    );
    expect(roofline.gigabytesPerSecond).toBeGreaterThan(0);
    expect(roofline.tflopsPerSecond).toBeGreaterThan(0);
    // What was measured to compare with is no part of it, and nothing is timed afterwards.
    expect(on.counters.dispatches - dispatches).toBeGreaterThan(runs.length);
    expect((await on.profile(() => undefined)).runs).toEqual([]);
  });

  it('is refused without timestamps, and while another one is made', async (context) => {
    const on = device(context);
    const features = new Set([...on.gpu.features].filter((name) => name !== 'timestamp-query'));
    const gpu = new Proxy(on.gpu, {
      get: (target, name) => {
        if (name === 'features') return features;
        const value = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const without = new Device(gpu, on.info, false);
    const asked = without.profile(() => undefined);
    await expect(asked).rejects.toThrow(LimitError);
    await expect(asked).rejects.toThrow(
      `[profile] the times of kernels need the feature timestamp-query, and ${on.info.adapter} has none. Time whole calls instead.`,
    );
    await without.close();
    requireCapability(context, 'timestamps', on.hasFeature('timestamp-query'), 'this adapter tells no times');
    await expect(on.profile(() => on.profile(() => undefined))).rejects.toThrow('a profile is being made already');
  });
});
