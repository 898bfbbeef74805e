import { afterEach, expect, it, vi } from 'vitest';
import { NoAdapterError } from '../errors.js';
import { requestGpu as requestBuiltIn } from './gpu.js';
import { requestGpu } from './gpu.node.js';

afterEach(() => vi.unstubAllGlobals());

it("takes the platform's own WebGPU first, also under Node", async () => {
  const own = {} as GPU;
  vi.stubGlobal('navigator', { gpu: own });
  expect(await requestBuiltIn()).toBe(own);
  expect(await requestGpu()).toBe(own);
});

it('says what to do where the platform has none', async () => {
  vi.stubGlobal('navigator', undefined);
  await expect(requestBuiltIn()).rejects.toThrow(NoAdapterError);
  await expect(requestBuiltIn()).rejects.toThrow('[openDevice] this platform has no WebGPU');
});

it('loads Dawn once for the process, and keeps it', async () => {
  vi.stubGlobal('navigator', {});
  expect(await requestGpu()).toBe(await requestGpu());
});
