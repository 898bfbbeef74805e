import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { NoAdapterError } from '../errors.js';
import { findAdapter } from './adapter.js';
import { platformGpu as builtIn, withoutGpu as builtInAdvice } from './gpu.js';
import { askedFor, platformGpu } from './gpu.node.js';
import { openDevice } from './open.js';

/** A platform whose WebGPU gives an adapter of this description, or none. */
function platform(description: string | undefined) {
  const adapter =
    description === undefined ? null : { info: { description, vendor: '', architecture: '', device: '' } };
  vi.stubGlobal('navigator', { gpu: { requestAdapter: async () => adapter } });
  return adapter;
}

beforeEach(() => {
  vi.stubEnv('PARIS_ADAPTER', '');
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
});

describe('findAdapter', () => {
  it("takes the platform's GPU", async () => {
    const gpu = platform('NVIDIA H100');
    expect(await findAdapter()).toEqual({ adapter: gpu });
    expect(await findAdapter({ require: 'gpu' })).toEqual({ adapter: gpu });
  });

  it('computes on the CPU where there is only software, and says why', async () => {
    platform('SwiftShader Device');
    const { adapter, insteadOfGpu } = await findAdapter();
    expect(adapter.info).toMatchObject({ vendor: 'paris', architecture: 'wasm' });
    expect(insteadOfGpu).toBe('the only adapter is SwiftShader Device in software');
  });

  it('takes software where it is asked for, by option or by the name of a driver', async () => {
    const software = platform('SwiftShader Device');
    expect(await findAdapter({ require: 'webgpu' })).toEqual({ adapter: software });
    vi.stubEnv('PARIS_ADAPTER', 'swiftshader');
    expect(await findAdapter()).toEqual({ adapter: software });
  });

  it('computes on the CPU without a reason where that is asked for', async () => {
    platform('NVIDIA H100');
    expect((await findAdapter({ require: 'cpu' })).insteadOfGpu).toBeUndefined();
    vi.stubEnv('PARIS_ADAPTER', 'cpu');
    expect((await findAdapter()).adapter.info.vendor).toBe('paris');
  });

  it('refuses a requirement that there is not, also where there is a GPU', async () => {
    platform('NVIDIA H100');
    await expect(openDevice({ require: 'cuda' as 'gpu' })).rejects.toThrow(
      '[openDevice] require is "cuda". Give "gpu" or "cpu" or "webgpu".',
    );
  });

  it('throws where a GPU is required and there is none', async () => {
    platform(undefined);
    await expect(findAdapter({ require: 'gpu' })).rejects.toThrow(NoAdapterError);
    await expect(findAdapter({ require: 'gpu' })).rejects.toThrow(
      '[openDevice] there is no adapter as required: WebGPU found no adapter.',
    );
  });
});

it('says once that the CPU computes, and device.info says why', async () => {
  platform(undefined);
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const devices = [await openDevice(), await openDevice(), await openDevice({ require: 'cpu' })];
  expect(devices.map(({ info }) => info.insteadOfGpu)).toEqual([
    'WebGPU found no adapter',
    'WebGPU found no adapter',
    undefined,
  ]);
  expect(warn).toHaveBeenCalledTimes(1);
  expect(warn.mock.calls[0]![0]).toMatch(/^paris: no GPU \(WebGPU found no adapter\)\. Computing on the CPU: /);
  for (const device of devices) await device.close();
  warn.mockRestore();
});

it('has one fingerprint for any number of threads: the results are the same', async () => {
  const one = await openDevice({ require: 'cpu', threads: 1 });
  const two = await openDevice({ require: 'cpu', threads: 2 });
  expect(one.info.adapter).not.toBe(two.info.adapter);
  expect(one.info.fingerprint).toBe(two.info.fingerprint);
  for (const device of [one, two]) await device.close();
});

describe('the platform', () => {
  it("has its own WebGPU first, also under Node, and Dawn's once", async () => {
    const own = {} as GPU;
    vi.stubGlobal('navigator', { gpu: own });
    expect(await builtIn()).toBe(own);
    expect(await platformGpu()).toBe(own);
    vi.stubGlobal('navigator', {});
    vi.stubEnv('PARIS_ADAPTER', 'swiftshader');
    expect(await platformGpu()).toBe(await platformGpu());
  });

  it('advises a visitor of a page on the browser, not on Node', async () => {
    vi.stubGlobal('navigator', undefined);
    expect(await builtIn()).toEqual({ reason: expect.stringMatching(/^navigator\.gpu is missing/) });
    expect(builtInAdvice).toMatch(/^Turn on graphics acceleration in the browser/);
    expect(builtInAdvice).not.toMatch(/node|npm|paris/i);
  });

  it.each([
    ['', undefined],
    ['auto', undefined],
    ['gpu', 'gpu'],
    ['cpu', 'cpu'],
    ['lavapipe', 'webgpu'],
  ])('PARIS_ADAPTER=%s asks for %s', (name, source) => {
    vi.stubEnv('PARIS_ADAPTER', name);
    expect(askedFor()).toBe(source);
  });
});
