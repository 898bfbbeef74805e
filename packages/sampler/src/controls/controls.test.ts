import { type Device, openDevice } from '@paris/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RgbImage } from '../images/image.js';
import { encodeMadePng, readPictureMetadata } from '../metadata/metadata.js';
import { loadPipeline } from '../pipeline/load.js';
import { modelFolder } from '../pipeline/model.testing.js';
import type { GenerateOptions } from '../pipeline/options.js';
import type { Pipeline } from '../pipeline/pipeline.js';
import { samplers } from '../samplers/samplers.js';

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

const base: GenerateOptions = { prompt: 'red circle', seed: 7, steps: 4, routing: 'top2' };
const picture: RgbImage = { width: 8, height: 8, data: Uint8Array.from({ length: 192 }, (_, i) => (i * 37) % 256) };
const half = { width: 8, height: 8, data: Uint8Array.from({ length: 64 }, (_, i) => (i % 8 < 4 ? 255 : 0)) };

async function draw(options: GenerateOptions): Promise<RgbImage[]> {
  return [...(await pipeline.generate({ ...base, ...options })).images];
}

/** The mean difference of two pictures, in levels of 255. */
function difference(a: RgbImage, b: RgbImage): number {
  return a.data.reduce((sum, level, i) => sum + Math.abs(level - b.data[i]!), 0) / a.data.length;
}

describe('image and strength', () => {
  it('less strength stays nearer to the picture and takes fewer steps', async () => {
    const steps: number[] = [];
    const drawn = [];
    for (const strength of [0.25, 0.5, 0.75]) {
      const { images, routing } = await pipeline.generate({ ...base, image: picture, strength });
      steps.push(routing[0]!.length);
      drawn.push(difference(images[0]!, picture));
    }
    expect(steps).toEqual([1, 2, 3]);
    expect(drawn[0]).toBeLessThan(drawn[1]!);
    expect(drawn[1]).toBeLessThan(drawn[2]!);
  });

  it('a single step that does not begin at noise alone looks at the picture', async () => {
    const { steps: _, ...rest } = base;
    const other = { ...picture, data: picture.data.map((level) => 255 - level) };
    const options = { ...rest, strength: 0.5, times: Float64Array.of(0.5, 0) };
    const [one] = (await pipeline.generate({ ...options, image: picture })).images;
    const [two] = (await pipeline.generate({ ...options, image: other })).images;
    expect(difference(one!, two!)).toBeGreaterThan(10);
  });

  it('a picture for each, the same alone and in a batch', async () => {
    const other = { ...picture, data: picture.data.map((level) => 255 - level) };
    const both = await draw({ count: 2, image: [picture, other], strength: 0.5 });
    const [second] = await draw({ seed: [{ seed: 7, picture: 1 }], image: other, strength: 0.5 });
    expect(difference(both[1]!, second!)).toBeLessThanOrEqual(1);
    expect(difference(both[1]!, other)).toBeLessThan(difference(both[1]!, picture));
  });
});

describe('mask', () => {
  it.each(Object.keys(samplers))('%s keeps the pixels outside it exactly, and draws the others', async (sampler) => {
    const [image] = await draw({ image: picture, mask: half, sampler });
    for (let at = 0; at < 64; at++) {
      if (half.data[at]) continue;
      expect([...image!.data.subarray(3 * at, 3 * at + 3)]).toEqual([...picture.data.subarray(3 * at, 3 * at + 3)]);
    }
    expect(difference(image!, picture)).toBeGreaterThan(10);
  });

  it('what is kept leads what is drawn', async () => {
    const dark = { ...picture, data: new Uint8Array(192) };
    const [beside, other] = [await draw({ image: picture, mask: half }), await draw({ image: dark, mask: half })];
    const left = (image: RgbImage) => Array.from(image.data).filter((_, i) => half.data[Math.floor(i / 3)]! > 0);
    expect(left(beside[0]!)).not.toEqual(left(other[0]!));
  });

  it('white all over at strength 1 is a picture from noise', async () => {
    const white = { width: 8, height: 8, data: new Uint8Array(192).fill(255) };
    const [[painted], [plain]] = [await draw({ image: picture, mask: white }), await draw({})];
    expect(painted!.data).toEqual(plain!.data);
  });
});

describe('seeds', () => {
  it('picture i of a seed is the same in any batch and any list', async () => {
    const all = await draw({ count: 3 });
    const listed = await draw({ count: 2, seed: [{ seed: 7, picture: 2 }, 9] });
    expect(difference(listed[0]!, all[2]!)).toBeLessThanOrEqual(1);
    expect(difference(listed[1]!, (await draw({ seed: 9 }))[0]!)).toBeLessThanOrEqual(1);
  });

  it('also where a sampler and a policy draw noise of their own', async () => {
    const random = { sampler: 'euler-ancestral', routing: 'sample1' };
    const all = await draw({ ...random, count: 3 });
    const [last] = await draw({ ...random, seed: [{ seed: 7, picture: 2 }] });
    expect(difference(last!, all[2]!)).toBeLessThanOrEqual(1);
  });

  it('variations move from the seed’s first picture to others', async () => {
    const [plain] = await draw({});
    const far = await draw({ count: 2, variation: { seed: 3, strength: 1 } });
    const near = await draw({ count: 2, variation: { seed: 3, strength: 0.1 } });
    expect(difference((await draw({ variation: { seed: 3, strength: 0 } }))[0]!, plain!)).toBe(0);
    expect(difference(far[1]!, (await draw({ count: 2, seed: 3 }))[1]!)).toBeLessThanOrEqual(1);
    for (const each of near) expect(difference(each, plain!)).toBeLessThan(difference(far[0]!, plain!));
    expect(difference(near[0]!, near[1]!)).toBeGreaterThan(0);
  });

  it('a variation can be varied, and drawn again', async () => {
    const first = { seed: 3, strength: 0.4 };
    const [, chosen] = await draw({ count: 2, variation: first });
    const origin = { seed: 7, picture: 0, moves: [{ ...first, picture: 1 }] };
    const [again] = await draw({ seed: [origin] });
    expect(difference(again!, chosen!)).toBe(0);
    expect(again!.made).toMatchObject(origin);
    const near = { seed: 9, picture: 4, strength: 0.1 };
    const [varied] = await draw({ seed: [origin], variation: { seed: near, strength: near.strength } });
    const [plain] = await draw({});
    expect(difference(varied!, chosen!)).toBeGreaterThan(0);
    expect(difference(varied!, chosen!)).toBeLessThan(difference(varied!, plain!));
    const { moves } = origin;
    const [, both] = await draw({ count: 2, seed: [7, { ...origin, moves: [...moves, near] }] });
    expect(difference(both!, varied!)).toBe(0);
  });

  it('variations of several pictures, each towards a picture of its own', async () => {
    const seed = [7, { seed: 7, picture: 2 }];
    const both = await draw({ count: 2, seed, variation: { seed: [3, { seed: 3, picture: 4 }], strength: 1 } });
    expect(difference(both[0]!, (await draw({ seed: 3 }))[0]!)).toBeLessThanOrEqual(1);
    expect(difference(both[1]!, (await draw({ seed: [{ seed: 3, picture: 4 }] }))[0]!)).toBeLessThanOrEqual(1);
  });

  it('interpolation begins and ends at the two pictures', async () => {
    const way = await draw({ count: 3, interpolate: { seed: 11, prompt: 'green' } });
    expect(difference(way[0]!, (await draw({}))[0]!)).toBeLessThanOrEqual(1);
    expect(difference(way[2]!, (await draw({ seed: 11, prompt: 'green' }))[0]!)).toBeLessThanOrEqual(1);
    expect(difference(way[1]!, way[0]!)).toBeGreaterThan(1);
    expect(difference(way[1]!, way[2]!)).toBeGreaterThan(1);
  });

  it('a prompt alone is led to as well', async () => {
    const way = await pipeline.generate({ ...base, count: 2, interpolate: { prompt: 'green' } });
    const green = await pipeline.generate({ ...base, prompt: 'green' });
    expect(difference(way.images[1]!, green.images[0]!)).toBeLessThanOrEqual(1);
    // Two pictures, four steps, two experts, for both prompts.
    expect(way.expertPictures.reduce((sum, count) => sum + count)).toBe(2 * 4 * 2 * 2);
  });

  it('a negative prompt for each picture', async () => {
    const both = await draw({ count: 2, negativePrompt: ['green', 'circle'], seed: [7, 7] });
    expect(difference(both[0]!, (await draw({ negativePrompt: 'green' }))[0]!)).toBeLessThanOrEqual(1);
    expect(difference(both[0]!, both[1]!)).toBeGreaterThan(0);
  });
});

describe('steps', () => {
  it('come one by one, the last with the pictures, and leaving releases what they hold', async () => {
    const seen: [number, number | undefined][] = [];
    let last: readonly RgbImage[] | undefined;
    for await (const { step, finished } of pipeline.steps({ ...base, count: 2 })) {
      seen.push([step, finished?.length]);
      last = finished;
    }
    expect(seen).toEqual([
      [0, undefined],
      [1, undefined],
      [2, undefined],
      [3, 2],
    ]);
    const images = await draw({ count: 2 });
    expect(last!.map(({ data }) => data)).toEqual(images.map(({ data }) => data));
    const leave = async () => {
      for await (const _ of pipeline.steps({ ...base, image: picture, mask: half })) break;
    };
    for (let i = 0; i < 3; i++) await leave();
    const { buffersCreated } = device.counters;
    for (let i = 0; i < 5; i++) await leave();
    expect(device.counters.buffersCreated).toBe(buffersCreated);
  });

  it('have previews by a linear map, which in pixel space is the picture', async () => {
    for await (const { preview } of pipeline.steps(base)) {
      const [cheap, exact] = [await preview('projection'), await preview()];
      expect(difference(cheap[0]!, exact[0]!)).toBeLessThan(30); // what is outside [−1, 1] is clamped, which is not linear
    }
  });
});

it('a shift moves the times, also of a part of the way, and is known', async () => {
  const visited = async (options: GenerateOptions) => {
    const times: number[] = [];
    const { images } = await pipeline.generate({ ...base, ...options, onStep: ({ time }) => void times.push(time) });
    return { times, made: images[0]!.made! };
  };
  const { times, made } = await visited({ shift: 3 });
  for (const [i, t] of [0.75, 0.5, 0.25, 0].entries()) expect(times[i]).toBeCloseTo((3 * t) / (1 + 2 * t), 12);
  expect(made.shift).toBe(3);
  expect((await visited({ shift: 3, image: picture, strength: 0.5 })).times).toEqual(times.slice(2));
  await expect(visited({ shift: 0 })).rejects.toThrow('shift is 0. Give a larger, finite number.');
});

it('pictures know how they were made', async () => {
  const images = await draw({ count: 2, negativePrompt: 'green', image: picture, mask: half, sampler: 'heun' });
  expect(images[1]!.made).toEqual({
    ...{ prompt: 'red circle', negativePrompt: 'green', seed: 7, picture: 1, steps: 4, strength: 1 },
    ...{ sampler: 'heun', schedule: 'uniform', routing: 'top2' },
    guidance: { scale: 2, start: 0, stop: 1, rescale: 0, kind: 'cfg' },
    ...{ model: expect.stringMatching(/^[0-9a-f]{64}$/), image: expect.stringMatching(/^[0-9a-f]{64}$/) },
    mask: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  const { steps: _, ...rest } = base;
  const [image] = (await pipeline.generate({ ...rest, times: Float64Array.of(1, 0.6, 0.2, 0) })).images;
  expect(image!.made).toMatchObject({ steps: 3, schedule: Float64Array.of(1, 0.6, 0.2, 0) });
  expect(readPictureMetadata(encodeMadePng(image!)).parameters).toContain('Steps: 3,');
  expect(await pipeline.pictureSize()).toEqual({ width: 8, height: 8 });
});

const small = { width: 4, height: 4, data: new Uint8Array(48) };

it.each<[GenerateOptions, string]>([
  [{ strength: 0.5 }, 'strength is given without image. Give the picture to start from.'],
  [{ mask: half }, 'mask is given without image. Give the picture to paint in.'],
  [{ image: picture, strength: 0 }, 'strength is 0. Give more than 0, which keeps the image as it is, and at most 1.'],
  [{ image: picture, strength: Number.NaN }, 'strength is NaN. Give more than 0'],
  [{ image: picture, strength: 1 }, 'strength 1 looks at nothing of the image. Give less, or leave image out.'],
  [
    { image: picture, strength: 0.5, steps: 1 },
    'strength 0.5 of 1 step looks at nothing of the image. Take more steps.',
  ],
  [{ image: small }, 'image is 4×4, and the model draws 8×8. Resize it.'],
  [
    { image: { ...picture, data: new Uint8Array(256) } },
    'image has 256 bytes of data, not 192. Give 3 for each pixel.',
  ],
  [{ image: [picture, picture, picture], count: 2 }, 'image has 3 pictures for 2. Give one, or one for each.'],
  [{ image: picture, mask: small }, 'mask is 4×4, and the model draws 8×8. Resize it.'],
  [
    { image: picture, mask: { width: 8, height: 8, data: new Uint8Array(64) } },
    'mask draws nothing again: no pixel of it is 128 or more. Paint what is to change white.',
  ],
  [
    { variation: { seed: 1, strength: 0.1 }, interpolate: { seed: 2 } },
    'both variation and interpolate are given. Give one of them.',
  ],
  [
    { variation: { seed: [1, 2, 3], strength: 0.1 } },
    'variation.seed has 3 entries for 1 pictures. Give one for each.',
  ],
  [
    { seed: [{ seed: 1, picture: 0, moves: [{ seed: 2, picture: 0, strength: -1 }] }] },
    'seed.moves[0].strength is -1. Give a share from 0 to 1.',
  ],
  [{ variation: { seed: 1, strength: 2 } }, 'variation.strength is 2. Give a share from 0 to 1.'],
  [{ interpolate: {}, count: 2 }, 'interpolate has neither prompt nor seed. Give where to go.'],
  [{ interpolate: { seed: 1 } }, 'interpolate makes 1 picture. Give a count of 2 or more, or amounts.'],
  [{ interpolate: { seed: 1, amounts: [0, 2] }, count: 2 }, 'interpolate.amounts[1] is 2. Give a share from 0 to 1.'],
  [{ seed: [1, 2] }, 'seed has 2 entries for 1 pictures. Give one for each.'],
  [{ times: Float64Array.of(1, 0) }, 'times is given with steps, schedule or shift. Give one of them.'],
  [{ guidance: Number.NaN }, 'guidance is NaN. Give a number such as 2.'],
])('refuses %j', async (change, message) => {
  await expect(pipeline.generate({ ...base, ...change })).rejects.toThrow(`[generate] ${message}`);
});
