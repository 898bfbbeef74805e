// A device that holds two experts of eight draws the same pictures as one that holds all.
import type { FileStore } from '@paris/files';
import { type Device, openDevice, type Tensor } from '@paris/tensor';
import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { among, full, type GenerateOptions, loadPipeline, top } from '../index.js';
import { modelFolder } from '../pipeline/model.testing.js';
import type { Generated } from '../pipeline/options.js';
import type { Pipeline } from '../pipeline/pipeline.js';

let device: Device;
let model: FileStore;
let all: Pipeline;
/** Bytes that an expert takes, and those that always stay. */
let [expertBytes, otherBytes] = [0, 0];
beforeAll(async () => {
  device = await openDevice();
  model = await modelFolder(device, 8);
  all = await loadPipeline(model, { device });
  const failure = await loadPipeline(model, { device, memoryBudgetBytes: 1 }).catch(String);
  [expertBytes, otherBytes] = [...String(failure).matchAll(/ (\d{3,}) and| (\d{3,})\. Give/g)].map((match) =>
    Number(match[1] ?? match[2]),
  ) as [number, number];
});
afterAll(async () => {
  await all.close();
  await device.close();
});

const load = (experts: number) =>
  loadPipeline(model, { device, memoryBudgetBytes: otherBytes + experts * expertBytes });
const pixels = ({ images }: Generated) => images.map(({ data }) => data);
const options: GenerateOptions = { prompt: 'red circle', count: 6, seed: 3, steps: 3 };

describe('two experts of eight', () => {
  it.each(['top1', 'top2', 'full'])('%s: the same pictures, bit for bit', async (routing) => {
    const two = await load(2);
    const expected = await all.generate({ ...options, routing });
    const got = await two.generate({ ...options, routing });
    expect(pixels(got)).toEqual(pixels(expected));
    expect(got.expertPictures).toEqual(expected.expertPictures);
    const { budgetBytes, peakBytes, loads, loadedBytes } = two.residency!;
    expect(budgetBytes).toBe(2 * expertBytes);
    expect(peakBytes).toBe(2 * expertBytes);
    expect(loadedBytes).toBe(loads * expertBytes);
    await two.close();
  });

  it('loads each expert once an evaluation, and those that are there not at all', async () => {
    const two = await load(2);
    const { routing } = await two.generate({ ...options, routing: full(), telemetry: true });
    const swaps = routing[0]!.map(({ telemetry }) => telemetry!.swaps!);
    // The last two of an evaluation are the first two of the next.
    expect(swaps.map(({ loads }) => loads)).toEqual([8, 6, 6]);
    expect(swaps.map(({ evictions }) => evictions)).toEqual([6, 6, 6]);
    expect(swaps.map(({ bytes }) => bytes)).toEqual([8, 6, 6].map((n) => n * expertBytes));
    for (const { milliseconds } of swaps) expect(milliseconds).toBeGreaterThan(0);
    expect(two.residency).toMatchObject({ loads: 20, evictions: 18, residentBytes: 2 * expertBytes });
    expect([...two.resident]).toEqual([6, 7]); // those that an evaluation has last run first in the next
    await two.close();
  });

  it('takes no more device memory however long it swaps', async () => {
    const two = await load(2);
    const swap = () => two.generate({ ...options, routing: full() });
    await swap();
    const { bytesAllocated, buffersCreated } = device.counters;
    await swap();
    await swap();
    expect(device.counters).toMatchObject({ bytesAllocated, buffersCreated });
    await two.close();
  });

  it('draws before all have come: among those that are there', async () => {
    const two = await load(2);
    await two.preload(5);
    await two.preload(2);
    expect([...two.resident].sort()).toEqual([2, 5]);
    const { expertPictures } = await two.generate({ ...options, routing: among(two.resident, top(2)) });
    expect(expertPictures.map((count) => count > 0)).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((k) => k === 2 || k === 5));
    const byName = await two.generate({ ...options, routing: 'resident-top2' });
    expect(byName.expertPictures).toEqual(expertPictures);
    expect(two.residency!.loads).toBe(2);
    await expect(two.preload(8)).rejects.toThrow('[preload] there is no expert 8. Name one from 0 to 7.');
    await two.close();
  });

  it('serves two batches at once', async () => {
    const one = await load(1);
    const runs = [0, 1].map((seed) => one.generate({ ...options, seed, count: 2, routing: 'top2' }));
    const expected = [0, 1].map((seed) => all.generate({ ...options, seed, count: 2, routing: 'top2' }));
    expect((await Promise.all(runs)).map(pixels)).toEqual((await Promise.all(expected)).map(pixels));
    expect(one.residency!.peakBytes).toBe(expertBytes);
    await one.close();
  });
});

it('a pipeline that was closed puts no more weights on the device, also where it was loading some', async () => {
  const two = await load(2);
  const make = device.tensor.bind(device) as (...of: Parameters<Device['tensor']>) => Tensor;
  const made: Tensor[] = [];
  let closing: Promise<void> | undefined;
  const uploads = vi.spyOn(device, 'tensor').mockImplementation(((...of: Parameters<Device['tensor']>) => {
    if (made.length === 1) closing = two.close();
    made.push(make(...of));
    return made.at(-1)!;
  }) as Device['tensor']);
  try {
    await expect(two.preload(0)).rejects.toThrow('[loadPipeline] the model was closed. Load it again.');
    await closing;
    await expect(two.preload(0)).rejects.toThrow('[preload] the pipeline was closed. Load the model again.');
  } finally {
    uploads.mockRestore();
  }
  expect(made).toHaveLength(2);
  for (const each of made) expect(await each.read().then(() => 'it lives', String)).toContain('disposed');
});

it('the signal of loading ends nothing once the model is loaded', async () => {
  const control = new AbortController();
  const { signal } = control;
  const pipeline = await loadPipeline(model, { device, memoryBudgetBytes: otherBytes + expertBytes, signal });
  control.abort(new Error('enough'));
  expect((await pipeline.generate(options)).images).toHaveLength(6);
  await pipeline.close();
  await expect(loadPipeline(model, { device, signal })).rejects.toThrow('enough');
});

it('weights in f16 take half', async (context) => {
  requireCapability(context, 'f16', device.hasFeature('shader-f16'), 'the adapter has no f16');
  const halves = await loadPipeline(model, { device, weights: 'f16', memoryBudgetBytes: Number.POSITIVE_INFINITY });
  await halves.preload(0);
  expect(halves.residency!.residentBytes).toBe(expertBytes / 2);
  await halves.close();
});

it('without a budget all are there', () => {
  expect([...all.resident]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(all.residency).toBeUndefined();
});

it.each([
  [1, /memoryBudgetBytes is 1: the largest expert takes \d+ and what always stays .* Give \d+ or more\./],
  [0, 'memoryBudgetBytes is 0. Give a number of bytes.'],
  [Number.NaN, 'memoryBudgetBytes is NaN. Give a number of bytes.'],
])('a budget of %d bytes is refused', async (memoryBudgetBytes, sentence) => {
  await expect(loadPipeline(model, { device, memoryBudgetBytes })).rejects.toThrow(sentence);
  const least = loadPipeline(model, { device, memoryBudgetBytes: otherBytes + expertBytes - 1 });
  await expect(least).rejects.toThrow(`Give ${otherBytes + expertBytes} or more.`);
});
