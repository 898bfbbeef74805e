import { full, top } from '@paris/router';
import { type Device, openDevice } from '@paris/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_GUIDANCE } from '../guidance/default.js';
import type { RgbImage } from '../images/image.js';
import { euler } from '../samplers/euler.js';
import type { Sampler } from '../samplers/sampler.js';
import { loadPipeline } from './load.js';
import { modelFolder } from './model.testing.js';
import type { Generated, StepEvent } from './options.js';
import type { Pipeline } from './pipeline.js';

let device: Device;
let pipeline: Pipeline;
beforeAll(async () => {
  device = await openDevice();
  pipeline = await loadPipeline(await modelFolder(device), { device });
});
afterAll(async () => {
  await pipeline.close();
  await device.close();
});

/** The largest difference of two pictures, in levels of 255. */
function difference(a: RgbImage, b: RgbImage): number {
  return Math.max(...a.data.map((level, i) => Math.abs(level - b.data[i]!)));
}

const pixels = ({ images }: Generated) => images.map(({ data }) => data);

/** A sampler of somebody's own that takes half of the steps. */
const short: Sampler = (denoiser, latents, { times, ...options }) =>
  euler(denoiser, latents, { ...options, times: times.filter((_, i) => i % 2 === 0) });

const base = { prompt: 'red circle', seed: 7, steps: 4, routing: top(2) };

describe('pipeline.generate', () => {
  it('gives pictures of the model’s size, and what was decided for them', async () => {
    const { images, prompts, routing, expertPictures } = await pipeline.generate({ ...base, count: 3 });
    expect(images.map(({ width, height, data }) => [width, height, data.length])).toEqual(
      new Array(3).fill([8, 8, 192]),
    );
    expect(prompts).toEqual(new Array(3).fill('red circle'));
    expect(routing.map((records) => records.map(({ time }) => time))).toEqual(new Array(3).fill([1, 0.75, 0.5, 0.25]));
    for (const { weights, probabilities } of routing.flat()) {
      expect(weights.filter((weight) => weight > 0)).toHaveLength(2);
      expect(probabilities.reduce((sum, p) => sum + p)).toBeCloseTo(1, 5);
    }
    expect(expertPictures.reduce((sum, count) => sum + count)).toBe(3 * 4 * 2);
  });

  it('gives the same pictures for the same seed, others for another', async () => {
    const [a, b] = [await pipeline.generate(base), await pipeline.generate(base)];
    expect(b.images[0]!.data).toEqual(a.images[0]!.data);
    expect(b.routing).toEqual(a.routing);
    const other = await pipeline.generate({ ...base, seed: 8 });
    expect(difference(other.images[0]!, a.images[0]!)).toBeGreaterThan(20);
  });

  it('gives a picture the same noise and the same way, however many are drawn and in what batches', async () => {
    const all = await pipeline.generate({ ...base, count: 5 });
    const inTwos = await pipeline.generate({ ...base, count: 5, batchSize: 2 });
    const alone = await pipeline.generate(base);
    for (const [i, image] of inTwos.images.entries()) expect(difference(image, all.images[i]!)).toBeLessThanOrEqual(1);
    expect(difference(alone.images[0]!, all.images[0]!)).toBeLessThanOrEqual(1);
    expect(difference(all.images[1]!, all.images[0]!)).toBeGreaterThan(20);
  });

  it('takes several prompts, picture by picture in their order', async () => {
    const { prompts, images } = await pipeline.generate({
      ...base,
      prompt: undefined,
      prompts: ['red', 'green'],
      count: 2,
    } as never);
    expect(prompts).toEqual(['red', 'red', 'green', 'green']);
    expect(images).toHaveLength(4);
  });

  it('follows prompt, guidance, sampler, schedule, steps and routing', async () => {
    const { images } = await pipeline.generate(base);
    for (const change of [
      { prompt: 'green' },
      { guidance: 1 },
      { guidance: 6 },
      { guidance: { scale: 2, rescale: 0.7 } },
      { guidance: { scale: 2, kind: 'apg' as const } },
      { guidance: { scale: 2, stop: 0.4 } },
      { negativePrompt: 'green' },
      { sampler: 'heun' },
      { schedule: 'karras' },
      { steps: 5 },
      { routing: top(1) },
      { routing: 'full' },
    ]) {
      const changed = await pipeline.generate({ ...base, ...change });
      expect(difference(changed.images[0]!, images[0]!), JSON.stringify(change)).toBeGreaterThan(0);
    }
    // A window that no step is in is guidance 1.
    const [never, none] = [{ scale: 6, start: 0.99 }, 1];
    const unguided = await pipeline.generate({ ...base, guidance: never });
    expect(pixels(unguided)).toEqual(pixels(await pipeline.generate({ ...base, guidance: none })));
    const named = await pipeline.generate({ ...base, routing: 'top2' });
    expect(named.images[0]!.data).toEqual(images[0]!.data);
  });

  it('guides by 2 where nobody says how much', async () => {
    const guided = async (guidance: object) => pixels(await pipeline.generate({ ...base, ...guidance }));
    expect(DEFAULT_GUIDANCE).toBe(2);
    expect(await guided({})).toEqual(await guided({ guidance: 2 }));
    expect(await guided({})).not.toEqual(await guided({ guidance: 3 }));
  });

  it('with the same prompt as the unconditional one, guidance changes nothing', async () => {
    const plain = await pipeline.generate({ ...base, prompt: '', guidance: 1 });
    const guided = await pipeline.generate({ ...base, prompt: '', guidance: 5 });
    expect(difference(guided.images[0]!, plain.images[0]!)).toBeLessThanOrEqual(1);
  });

  it('watches routing where it is asked to, and draws the same', async () => {
    const plain = await pipeline.generate(base);
    const watched = await pipeline.generate({ ...base, telemetry: true });
    expect(watched.images).toEqual(plain.images);
    expect(plain.routing[0]![0]!.telemetry).toBeUndefined();
    for (const { telemetry } of watched.routing[0]!) expect(telemetry!.cosines).toHaveLength(9);
  });

  it('evaluates Heun’s corrections with the router as well', async () => {
    const { routing } = await pipeline.generate({ ...base, sampler: 'heun', routing: full() });
    expect(routing[0]!.map(({ step, evaluation, time }) => [step, evaluation, time])).toEqual([
      [0, 0, 1],
      [0, 1, 0.75],
      [1, 0, 0.75],
      [1, 1, 0.5],
      [2, 0, 0.5],
      [2, 1, 0.25],
      [3, 0, 0.25],
    ]);
  });

  it('tells of each step, with previews that are there while it is told', async () => {
    const events: Omit<StepEvent, 'preview'>[] = [];
    const previews: RgbImage[][] = [];
    const { images } = await pipeline.generate({
      ...base,
      count: 3,
      batchSize: 2,
      onStep: async ({ preview, ...event }) => {
        events.push(event);
        previews.push(await preview());
      },
    });
    expect(events.map(({ firstImage, images: count, step, steps }) => [firstImage, count, step, steps])).toEqual(
      [0, 2].flatMap((first) => [0, 1, 2, 3].map((step) => [first, first === 0 ? 2 : 1, step, 4])),
    );
    expect(events[3]!.time).toBe(0);
    expect(events[2]!.routing.map((records) => records.map(({ step }) => step))).toEqual([[2], [2]]);
    expect(previews[0]).toHaveLength(2);
    // The last Euler step ends at its own x̂₀.
    expect(difference(previews[3]![1]!, images[1]!)).toBeLessThanOrEqual(1);
    expect(difference(previews[7]![0]!, images[2]!)).toBeLessThanOrEqual(1);
  });

  it('can be aborted, and goes on to work after that', async () => {
    const control = new AbortController();
    let steps = 0;
    const stopped = pipeline.generate({
      ...base,
      signal: control.signal,
      onStep: () => {
        if (++steps === 2) control.abort(new Error('enough'));
      },
    });
    await expect(stopped).rejects.toThrow('enough');
    expect(steps).toBe(2);
    expect((await pipeline.generate(base)).images).toHaveLength(1);
  });

  it('uses no more memory the tenth time than the third', async () => {
    for (let i = 0; i < 3; i++) await pipeline.generate(base);
    const { buffersCreated, pipelinesCreated } = device.counters;
    for (let i = 0; i < 7; i++) await pipeline.generate(base);
    expect(device.counters.buffersCreated).toBe(buffersCreated);
    expect(device.counters.pipelinesCreated).toBe(pipelinesCreated);
  });

  it.each([
    [{ prompts: ['a'] }, '[generate] both prompt and prompts are given. Give one of them.'],
    [{ count: 0 }, '[generate] count is 0. Give a whole number from 1 on.'],
    [{ batchSize: 1.5 }, '[generate] batchSize is 1.5. Give a whole number from 1 on.'],
    [{ steps: 0 }, '[uniformTimes] steps is 0.'],
    [{ sampler: short }, 'the sampler ended early.'],
    [{ guidance: 1e38 }, '[mixture] picture 0 is NaN in step 1.'],
    [{ sampler: 'dpm' }, '[sampler] no sampler is called "dpm". Known: euler, heun,'],
    [{ routing: 'best' }, 'there is no policy "best"'],
    [{ routing: top(4) }, '[top] asked for 4 experts of 3. Ask for no more than there are.'],
  ])('refuses %j', async (change, message) => {
    await expect(pipeline.generate({ ...base, ...change })).rejects.toThrow(message);
  });
});
