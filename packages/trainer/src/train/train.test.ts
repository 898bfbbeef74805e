// Training on a real device, at toy size.
import { dit } from '@paris/dit';
import { type FileStore, folderStore, memoryStore, sha256 } from '@paris/files';
import { parseSafetensors } from '@paris/files/safetensors';
import { routerTransformer } from '@paris/router';
import { type Device, openDevice } from '@paris/tensor';
import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { InterruptedError } from '../errors.js';
import type { TrainEvent } from '../run/events.js';
import { readMetrics } from '../run/metrics.js';
import { toySize, toyTraining, writeToyData } from '../testing/toy.js';
import { ditConfig, routerConfig } from './configs.js';
import { type TrainExpertOptions, trainExpert } from './expert.js';
import { drawnRows, trainRouter } from './router.js';

let device: Device;
let data: FileStore;
beforeAll(async () => {
  data = memoryStore();
  await writeToyData(data);
  const opened = await openDevice().catch(() => undefined);
  if (!opened) return;
  device = opened;
  await expert().run(); // compiles the shaders, which takes long where they are not in the driver's cache
}, 300_000);
beforeEach((context) => requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter'));
afterAll(() => device?.close());

const expert = (change: Partial<TrainExpertOptions> = {}) => {
  const runs = change.runs ?? memoryStore();
  const options: TrainExpertOptions = {
    device,
    data,
    cluster: 1,
    runs,
    architecture: dit,
    config: ditConfig(toySize),
    training: toyTraining,
    ...change,
  };
  return { runs, store: folderStore(runs, 'expert-01'), run: () => trainExpert(options) };
};

const weightsOf = async (change: Partial<TrainExpertOptions> = {}) => {
  const { run, store } = expert(change);
  await run();
  return store.read('model.safetensors');
};

describe('trainExpert', () => {
  it('learns: the loss falls, and what is saved are finite weights under their names', async () => {
    const { run, store } = expert({ training: { ...toyTraining, steps: 60 } });
    await run();
    const losses = (await readMetrics(store)).map((line) => line.loss);
    const mean = (part: number[]) => part.reduce((a, b) => a + b) / part.length;
    expect(losses).toHaveLength(60);
    expect(mean(losses.slice(-15))).toBeLessThan(0.7 * mean(losses.slice(0, 5)));
    const weights = parseSafetensors(await store.read('model.safetensors'));
    expect(Object.keys(weights)).toContain('layers.0.attn.in_proj_weight');
    for (const { data } of Object.values(weights)) expect(Array.from(data).every(Number.isFinite)).toBe(true);
  });

  it('gives the same bytes again; another seed, cluster or dropout gives others', async () => {
    const first = await weightsOf();
    expect(await weightsOf()).toEqual(first);
    expect(await weightsOf({ training: { ...toyTraining, seed: 1 } })).not.toEqual(first);
    expect(await weightsOf({ conditionDropout: 1 })).not.toEqual(first);
  });

  it('is lengthened to the bytes of the longer run where its rate stays, and refuses where it falls', async () => {
    const training = (steps: number) => ({ ...toyTraining, schedule: 'constant' as const, steps });
    const { runs, run, store } = expert({ training: training(5) });
    await run();
    const short = await store.read('model.safetensors');
    await expert({ runs, training: training(9) }).run();
    expect(await store.read('model.safetensors')).toEqual(await weightsOf({ training: training(9) }));
    expect(await store.read('model.safetensors')).not.toEqual(short);
    expect((await readMetrics(store)).map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    await expect(expert({ runs, training: { ...toyTraining, steps: 12 } }).run()).rejects.toThrow('another run');

    const falling = expert();
    await falling.run();
    const longer = expert({ runs: falling.runs, training: { ...toyTraining, steps: 9 } });
    await expect(longer.run()).rejects.toThrow('a run of 8 steps, over which its learning rate falls to zero');
    expect(await falling.store.read('model.safetensors')).toEqual(await weightsOf());
  });

  it('ends with the same bytes when it was stopped and continued', async () => {
    const stop = new AbortController();
    const { runs, run, store } = expert({ checkpointEvery: 3, signal: stop.signal, onEvent: stopAt(stop, 3) });
    await expect(run()).rejects.toThrow(InterruptedError);
    const done = (await readMetrics(store)).length;
    expect(done).toBeGreaterThanOrEqual(3);
    expect(done).toBeLessThan(8);
    const continued = expert({ runs });
    await continued.run();
    expect(await store.read('model.safetensors')).toEqual(await weightsOf());
  });

  it('saves the moving average of the weights, or the weights themselves', async () => {
    const raw = await weightsOf({ training: { ...toyTraining, emaDecay: 0 } });
    expect(raw).not.toEqual(await weightsOf());
    expect(Object.keys(parseSafetensors(raw))).toEqual(Object.keys(parseSafetensors(await weightsOf())));
  });

  it('opens its own cluster and nothing else', async () => {
    const { run } = expert({ data: watched(data, (path) => expect(path).toMatch(/^clusters\/01\//)) });
    await run();
  });

  it('is changed by a byte of its own folder and by no other', async () => {
    const first = await weightsOf();
    expect(await weightsOf({ data: await withByteChanged(data, 'clusters/00/images.safetensors') })).toEqual(first);
    expect(await weightsOf({ data: await withByteChanged(data, 'clusters/01/images.safetensors') })).not.toEqual(first);
  });

  it('needs no other cluster on disk, and its record speaks of none', async () => {
    const alone = memoryStore();
    for (const path of await data.list('clusters/01')) await alone.write(path, await data.read(path));
    const { run, store } = expert({ data: alone });
    await run();
    expect(await store.read('model.safetensors')).toEqual(await weightsOf());
    const record = new TextDecoder().decode(await store.read('run.json'));
    expect(record).not.toMatch(/clusters|"cluster": [02]|expert-0[02]/);
  });
});

describe('drawnRows', () => {
  it('is each row once by nature, and as many of each cluster where balanced', () => {
    const labels = Uint32Array.of(0, 2, 0, 0, 2, 0);
    expect([...drawnRows(labels, 'natural')]).toEqual([0, 1, 2, 3, 4, 5]);
    expect([...drawnRows(labels, 'balanced')]).toEqual([0, 2, 3, 5, 1, 4, 1, 4]);
  });
});

describe('trainRouter', { timeout: 300_000 }, () => {
  it('learns to tell clusters apart', async () => {
    const runs = memoryStore();
    const training = { ...toyTraining, steps: 200 };
    await trainRouter({ device, data, runs, architecture: routerTransformer, config: routerConfig(toySize), training });
    const lines = await readMetrics(folderStore(runs, 'router'));
    const accuracy = lines.slice(-50).reduce((sum, line) => sum + line.accuracy!, 0) / 50;
    expect(accuracy).toBeGreaterThan(0.6); // 1/3 by chance
    expect(await runs.list('router')).toContain('router/partition/centroids.safetensors');
  });

  it('with the words of the captions knows the cluster at any noise, and without them what it knew before', async () => {
    const runs = memoryStore();
    const training = { ...toyTraining, steps: 200 };
    const config = routerConfig(toySize, 'words');
    const common = { device, data, architecture: routerTransformer, training };
    await trainRouter({ ...common, runs, config, conditionDropout: 0.1 });
    const lines = await readMetrics(folderStore(runs, 'router'));
    const accuracy = lines.slice(-50).reduce((sum, line) => sum + line.accuracy!, 0) / 50;
    expect(accuracy).toBeGreaterThan(0.9); // nine in ten captions name the colour, which is the cluster
    expect(accuracy).toBeLessThan(1); // and one in ten is dropped
    const other = trainRouter({ ...common, runs, config, conditionDropout: 0.2 });
    await expect(other).rejects.toThrow('conditionDropout');
    const wrong = trainRouter({ ...common, runs: memoryStore(), config, conditionDropout: 2 });
    await expect(wrong).rejects.toThrow('[train] conditionDropout must be a number in [0, 1], got 2.');
  });

  it.each(['words', 'none'] as const)('that grew from one that reads %s drops what that reads', async (reads) => {
    const old = memoryStore();
    const common = { device, data, architecture: routerTransformer, training: { ...toyTraining, steps: 2 } };
    await trainRouter({ ...common, runs: old, config: routerConfig(toySize, reads) });
    const grown = async (conditionDropout: number) => {
      const runs = memoryStore();
      const from = { store: folderStore(old, 'router'), learns: 'all' } as const;
      const { options } = await trainRouter({ ...common, runs, config: () => ({}), from, conditionDropout });
      return { recorded: options.conditionDropout, weights: await runs.read('router/model.safetensors') };
    };
    const [never, always] = [await grown(0), await grown(1)];
    expect([never.recorded, always.recorded]).toEqual([undefined, reads === 'none' ? undefined : 1]);
    if (reads === 'none') expect(always.weights).toEqual(never.weights);
    else expect(always.weights).not.toEqual(never.weights);
  });
});

function stopAt(stop: AbortController, step: number) {
  return (event: TrainEvent) => {
    if (event.type === 'checkpoint' && event.step >= step) stop.abort();
  };
}

/** Every path that is touched. */
function watched(store: FileStore, look: (path: string) => void): FileStore {
  return new Proxy(store, {
    get:
      (target, name: keyof FileStore) =>
      (path: string, ...rest: unknown[]) => {
        if (name !== 'ancestry') look(path); // which says where the store is, and opens nothing
        return (target[name] as (...args: unknown[]) => unknown)(path, ...rest);
      },
  });
}

/** A copy in which the last byte of a file (a pixel's or a token's) is another one. */
/** A copy of a data folder in which one pixel of this file is another, as its JSON file says it too. */
async function withByteChanged(store: FileStore, changed: string): Promise<FileStore> {
  const copy = memoryStore();
  let sums: [string, string] | undefined;
  for (const path of await store.list()) {
    const bytes = await store.read(path);
    if (path === changed) {
      const { images } = parseSafetensors(bytes);
      const first = bytes.length - 12 * 8 * 4 - images!.data.length;
      const before = await sha256(bytes);
      bytes[first] = 255 - bytes[first]!;
      sums = [before, await sha256(bytes)];
    }
    await copy.write(path, bytes);
  }
  const json = changed.replace('images.safetensors', 'cluster.json');
  const text = new TextDecoder().decode(await copy.read(json));
  expect(text).toContain(sums![0]);
  await copy.write(json, new TextEncoder().encode(text.replace(sums![0], sums![1])));
  return copy;
}
