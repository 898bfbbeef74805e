import { afterEach, expect, it, vi } from 'vitest';
import { NoAdapterError } from '../errors.js';
import { withoutAdapter as builtInAdvice, requestGpu as requestBuiltIn } from './gpu.js';
import { requestGpu, withoutAdapter } from './gpu.node.js';
import { openDevice } from './open.js';

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

it('advises a visitor of a page without an adapter on the browser, not on Node', async () => {
  expect(builtInAdvice).toMatch(/^Turn on graphics acceleration in the browser/);
  expect(builtInAdvice).not.toMatch(/node|npm|paris/i);
  vi.stubGlobal('navigator', { gpu: { requestAdapter: async () => null } });
  await expect(openDevice()).rejects.toThrow(`[openDevice] WebGPU found no adapter. ${withoutAdapter}`);
});

it('loads Dawn once for the process, and keeps it', async () => {
  vi.stubGlobal('navigator', {});
  expect(await requestGpu()).toBe(await requestGpu());
});
