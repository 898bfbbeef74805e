import { type Device, openDevice } from '@paris/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RgbImage } from '../images/image.js';
import { encodeMadePng, readPictureMetadata } from '../metadata/metadata.js';
import { loadPipeline } from '../pipeline/load.js';
import { modelFolder } from '../pipeline/model.testing.js';
import type { GenerateOptions } from '../pipeline/options.js';
import type { Pipeline } from '../pipeline/pipeline.js';

let device: Device;
let pipeline: Pipeline;
let weaker: Pipeline;
beforeAll(async () => {
  device = await openDevice();
  pipeline = await loadPipeline(await modelFolder(device), { device });
  weaker = await loadPipeline(await modelFolder(device, 1), { device }); // one expert, no choice
});
afterAll(async () => {
  await weaker.close();
  await pipeline.close();
  await device.close();
});

const base: GenerateOptions = { prompt: 'red circle', seed: 7, steps: 1, guidance: 1, routing: 'full' };

async function draw(from: Pipeline, options: GenerateOptions): Promise<RgbImage[]> {
  return [...(await from.generate({ ...base, ...options })).images];
}

/** The largest difference of two pictures, in levels of 255. */
function difference(a: RgbImage, b: RgbImage): number {
  return Math.max(...a.data.map((level, i) => Math.abs(level - b.data[i]!)));
}

describe('autoguidance', () => {
  it('of scale 1 is the model alone, of scale 0 the weaker one', async () => {
    const of = async (scale: number) => (await draw(pipeline, { steps: 3, autoguidance: { weaker, scale } }))[0]!;
    const [strong] = await draw(pipeline, { steps: 3 });
    const [weak] = await draw(weaker, { steps: 3, routing: 'top1' });
    expect(difference(strong!, weak!)).toBeGreaterThan(10);
    expect(difference(await of(1), strong!)).toBeLessThanOrEqual(1);
    expect(difference(await of(0), weak!)).toBeLessThanOrEqual(1);
  });

  it('leads as far beyond the model as the scale says, in one Euler step', async () => {
    const [strong, weak] = [(await draw(pipeline, {}))[0]!, (await draw(weaker, { routing: 'top1' }))[0]!];
    const [led] = await draw(pipeline, { autoguidance: { weaker, scale: 1.5 } });
    let checked = 0;
    for (const [i, level] of led!.data.entries()) {
      const [a, b] = [strong.data[i]!, weak.data[i]!];
      const expected = b + 1.5 * (a - b);
      if ([a, b, level].some((each) => each === 0 || each === 255)) continue; // clamped
      expect(Math.abs(level - expected)).toBeLessThanOrEqual(2);
      checked += 1;
    }
    expect(checked).toBeGreaterThan(50);
  });

  it('goes with guidance by a prompt, pictures and masks, and is the same in a batch and alone', async () => {
    const picture = { width: 8, height: 8, data: Uint8Array.from({ length: 192 }, (_, i) => (i * 37) % 256) };
    const mask = { width: 8, height: 8, data: Uint8Array.from({ length: 64 }, (_, i) => (i % 8 < 4 ? 255 : 0)) };
    const more = { steps: 4, guidance: 2, negativePrompt: 'green', autoguidance: { weaker, scale: 2 } };
    const both = await draw(pipeline, { ...more, count: 2, image: picture, mask, sampler: 'heun' });
    const seed = [{ seed: 7, picture: 1 }];
    const [alone] = await draw(pipeline, { ...more, seed, image: picture, mask, sampler: 'heun' });
    expect(difference(both[1]!, alone!)).toBeLessThanOrEqual(1);
    for (let at = 0; at < 64; at++) {
      if (mask.data[at]) continue;
      expect([...alone!.data.subarray(3 * at, 3 * at + 3)]).toEqual([...picture.data.subarray(3 * at, 3 * at + 3)]);
    }
  });

  it('is in what pictures say, and replaces the usual guidance', async () => {
    const { images } = await pipeline.generate({ prompt: 'red', steps: 1, autoguidance: { weaker, scale: 2 } });
    const { made } = readPictureMetadata(encodeMadePng(images[0]!));
    expect(made).toMatchObject({ guidance: { scale: 1 }, autoguidance: { scale: 2, model: weaker.modelHash } });
  });

  it('refuses models that are no match', async () => {
    const refused = (options: GenerateOptions) => expect(draw(pipeline, options)).rejects;
    await refused({ autoguidance: { weaker, scale: Number.NaN } }).toThrow('autoguidance.scale is NaN.');
    await refused({ autoguidance: { weaker, scale: 1e39 } }).toThrow('autoguidance.scale is 1e+39.');
    const other = await loadPipeline(await modelFolder(device));
    await refused({ autoguidance: { weaker: other, scale: 2 } }).toThrow('autoguidance.weaker is on another device.');
    await other.close();
    const interpolate = { prompt: 'green' };
    await refused({ count: 2, interpolate, autoguidance: { weaker, scale: 2 } }).toThrow(
      'both autoguidance and interpolate',
    );
    const closed = await loadPipeline(await modelFolder(device, 1), { device });
    await closed.close();
    await refused({ autoguidance: { weaker: closed, scale: 2 } }).toThrow('autoguidance.weaker was closed.');
  });
});

describe('a scale for each step', () => {
  it('as a list or a function is that of a number where all are equal', async () => {
    const [plain] = await draw(pipeline, { steps: 3, guidance: 3 });
    for (const scale of [[3, 3, 3], () => 3]) {
      const [led] = await draw(pipeline, { steps: 3, guidance: { scale } });
      expect(led!.data).toEqual(plain!.data);
    }
  });

  it('counts steps as they are asked for, also where a picture leaves some out', async () => {
    const asked: [number, number, number][] = [];
    const scale = ({ step, steps, time }: { step: number; steps: number; time: number }) => {
      asked.push([step, steps, time]);
      return 1 + step;
    };
    const image = { width: 8, height: 8, data: new Uint8Array(192).fill(99) };
    const options = { steps: 4, image, strength: 0.5, sampler: 'heun' };
    const [led] = await draw(pipeline, { ...options, guidance: { scale } });
    expect(asked).toEqual([
      [0, 4, 1],
      [1, 4, 0.75],
      [2, 4, 0.5],
      [3, 4, 0.25],
    ]);
    expect(led!.made!.guidance.scale).toEqual([1, 2, 3, 4]);
    const [same] = await draw(pipeline, { ...options, guidance: { scale: [9, 9, 3, 4] } });
    expect(same!.data).toEqual(led!.data);
    const [other] = await draw(pipeline, { ...options, guidance: { scale: [1, 2, 1, 1] } });
    const [unguided] = await draw(pipeline, { ...options, guidance: 1 });
    expect(other!.data).toEqual(unguided!.data);
    expect(difference(led!, unguided!)).toBeGreaterThan(0);
  });

  it.each([
    [[1, 2], 'guidance.scale is a list of 2. Give 3, one for each step.'],
    [[1, 2, Number.NaN], 'guidance.scale[2] is NaN. Give a number such as 2.'],
    [({ step }: { step: number }) => 1 / step, 'guidance.scale[0] is Infinity. Give a number such as 2.'],
  ])('refuses %s', async (scale, message) => {
    await expect(draw(pipeline, { steps: 3, guidance: { scale } })).rejects.toThrow(`[generate] ${message}`);
  });
});
