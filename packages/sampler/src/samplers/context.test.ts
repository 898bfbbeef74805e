// What a step is given beside its latents: history, noise and the path.
import { cosinePath, linearPath } from '@paris/model';
import { type Device, key, openDevice } from '@paris/tensor';
import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uniformTimes } from '../schedules/schedules.js';
import { pictureNoise } from './noise.js';
import { realise, type SamplerOptions, samplerOf } from './sampler.js';
import { Ledger, type Vector } from './vector.testing.js';

const times = uniformTimes(4);
const velocity = (x: number, t: number) => x + t;

describe('earlier', () => {
  it('is what the steps before found at their beginnings, the latest first, and is disposed of when it is out of sight', async () => {
    const seen: number[][] = [];
    const looking = samplerOf('looking', { history: 2 }, async ({ evaluate, latents, time, nextTime, earlier }) => {
      seen.push(earlier.map((step) => step.time));
      for (const step of earlier) step.sample.add(step.velocity); // alive
      const { sample, velocity } = await evaluate(latents, time);
      await evaluate(latents, nextTime); // a second evaluation is no history
      return { latents: await realise(latents.add(velocity.mul(nextTime - time))), sample };
    });
    const ledger = new Ledger();
    const start = ledger.vector([1]);
    const alive: number[] = [];
    for await (const _ of looking(ledger.denoiser(velocity), start, { times, path: linearPath })) {
      alive.push(ledger.live.size);
    }
    expect(seen).toEqual([[], [1], [0.75, 1], [0.5, 0.75]]);
    // The start, the latents, and two of each evaluation that is kept.
    expect(alive).toEqual([4, 6, 6, 6]);
    expect(ledger.live).toEqual(new Set([start]));
  });

  it('is empty for a sampler that asks for none', async () => {
    const ledger = new Ledger();
    const forgetful = samplerOf('forgetful', {}, async ({ evaluate, latents, time, earlier }) => {
      expect(earlier).toEqual([]);
      const { sample } = await evaluate(latents, time);
      return { latents: sample, sample }; // one value in both places
    });
    const start = ledger.vector([1]);
    for await (const { latents, sample } of forgetful(ledger.denoiser(velocity), start, { times, path: linearPath })) {
      expect(ledger.live).toEqual(new Set([start, latents, sample]));
    }
    expect(ledger.live).toEqual(new Set([start]));
  });

  it('leaves the initial latents alone, also where a step hands them on', async () => {
    const ledger = new Ledger();
    const idle = samplerOf('idle', {}, async ({ evaluate, latents, time }) => {
      const { sample } = await evaluate(latents, time);
      return { latents, sample };
    });
    const start = ledger.vector([3]);
    for await (const _ of idle(ledger.denoiser(velocity), start, { times, path: linearPath }));
    expect([...start.read()]).toEqual([3]);
  });
});

describe('noise', () => {
  const noisy = samplerOf('noisy', {}, async ({ evaluate, latents, time, noise, path }) => {
    expect(path).toBe(cosinePath);
    const { sample } = await evaluate(latents, time);
    return { latents: await realise(latents.add(noise()).add(noise().mul(10))), sample };
  });

  it('is asked for by step and draw, and disposed of after the step', async () => {
    const ledger = new Ledger();
    const start = ledger.vector([0]);
    const asked: number[][] = [];
    const options: SamplerOptions<Vector> = {
      times,
      path: cosinePath,
      noise: (step, draw) => {
        asked.push([step, draw]);
        return ledger.vector([step + 1]);
      },
    };
    let end: number[] = [];
    for await (const { latents, sample } of noisy(ledger.denoiser(velocity), start, options)) {
      end = [...latents.read()];
      expect(ledger.live).toEqual(new Set([start, latents, sample]));
    }
    expect(asked).toEqual(
      [0, 1, 2, 3].flatMap((step) => [
        [step, 0],
        [step, 1],
      ]),
    );
    expect(end).toEqual([11 * (1 + 2 + 3 + 4)]);
  });

  it('that nobody gives is an error that says what to give', async () => {
    const ledger = new Ledger();
    const run = noisy(ledger.denoiser(velocity), ledger.vector([0]), { times, path: cosinePath });
    await expect(run.next()).rejects.toThrow('[noisy] it adds noise. Give the option noise, see pictureNoise.');
  });
});

describe('pictureNoise', () => {
  let device: Device | undefined;
  beforeAll(async () => {
    device = await openDevice().catch(() => undefined);
  });
  afterAll(() => device?.close());

  it('of a batch is that of its pictures alone, and differs by picture, step and draw', async (context) => {
    requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter');
    const read = async (count: number, firstImage: number, step = 3, draw = 1) => {
      const noise = pictureNoise(device!, { shape: [count, 2, 3, 3], key: key(4), firstImage })(step, draw);
      return [...(await noise.read())];
    };
    const batch = await read(3, 5);
    expect(batch).toEqual([...(await read(1, 5)), ...(await read(1, 6)), ...(await read(1, 7))]);
    const others = [await read(1, 6), await read(1, 5, 2), await read(1, 5, 3, 0)];
    for (const other of others) expect(other).not.toEqual(batch.slice(0, 18));
    const mean = batch.reduce((sum, x) => sum + x, 0) / batch.length;
    expect(Math.abs(mean)).toBeLessThan(3 / Math.sqrt(batch.length));
  });
});
