import { expect, it } from 'vitest';
import { Job, type JobRequest } from './job.js';

const request: JobRequest = {
  shape: {
    ...{
      steps: 2,
      sampler: 'euler',
      schedule: 'uniform',
      shift: undefined,
      guidance: undefined,
      autoguidance: undefined,
    },
    ...{ routing: undefined, strength: undefined, variation: undefined, mask: undefined },
  },
  ...{ prompt: 'red', negativePrompt: '', count: 2, origins: [], goals: [], image: undefined },
  previews: { count: 1, tier: 'full' },
  signal: new AbortController().signal,
};
const image = { width: 1, height: 1, data: new Uint8Array(3) };
const preview = { picture: 0, step: 0, steps: 2, index: 0, image, weights: [1] };
const drawn = (picture: number) => ({ picture, image, weights: [1], weightsByStep: [[1], [1]] });

it('a client that cannot be answered fails its own request, and nothing of what is drawn with it', async () => {
  const broken = () => {
    throw new TypeError('the stream is closed');
  };
  for (const heard of [{ onPreview: broken }, { onDrawn: broken }]) {
    const job = new Job({ ...request, ...heard });
    job.show(preview);
    job.finish(drawn(0));
    job.finish(drawn(1));
    await expect(job.done).rejects.toThrow('the stream is closed');
  }
});

it('pictures arrive in any order, and are given in theirs', async () => {
  const job = new Job(request);
  for (const picture of [1, 0]) job.finish(drawn(picture));
  expect((await job.done).map(({ picture }) => picture)).toEqual([0, 1]);
});

it('what decides the steps is in the key, and nothing else', () => {
  const key = (change: Partial<JobRequest>) => new Job({ ...request, ...change }).key;
  for (const same of [{ prompt: 'green' }, { count: 1 }, { previews: { count: 0, tier: 'projection' as const } }])
    expect(key(same)).toBe(key({}));
  for (const other of [{ steps: 3 }, { routing: 'top1' }, { guidance: 3 }, { autoguidance: 2 }])
    expect(key({ shape: { ...request.shape, ...other } })).not.toBe(key({}));
  const mask = { width: 1, height: 1, data: Uint8Array.of(255) };
  const masked = { shape: { ...request.shape, mask } };
  expect(key(masked)).not.toBe(key(masked));
});
