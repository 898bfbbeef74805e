// What is trained besides the plain velocity on the straight path: other objectives, times, weights and beginnings.
import { dit } from '@paris/dit';
import { folderStore, memoryStore } from '@paris/files';
import { type HostTensor, parseSafetensors, writeSafetensors } from '@paris/files/safetensors';
import { cosinePath, linearPath } from '@paris/model';
import { key, normal, type TensorKey } from '@paris/tensor';
import { describe, expect, it } from 'vitest';
import { InterruptedError, RunError } from '../errors.js';
import { readRun } from '../run/record.js';
import { toySize, toyTraining } from '../testing/toy.js';
import { useToy } from '../testing/use-toy.testing.js';
import { ditConfig } from './configs.js';
import { type TrainExpertOptions, trainExpert } from './expert.js';
import { minSnr } from './loss-weight.js';
import { denoisingLoss, noised } from './noising.js';
import type { Batch } from './recipe.js';
import { logitNormalDensity } from './time-density.js';

const toy = useToy();
const { data } = toy;

const heterogeneous = {
  config: ditConfig(toySize, { prediction: 'epsilon', path: 'cosine' }),
  times: logitNormalDensity({ mean: 0.3 }),
  lossWeight: minSnr(),
  conditionDropout: 0.4,
} as const satisfies Partial<TrainExpertOptions>;

const expert = (change: Partial<TrainExpertOptions> = {}) => {
  const runs = change.runs ?? memoryStore();
  const shared = { device: toy.device, data, cluster: 1, runs, architecture: dit, training: toyTraining };
  const run = () => trainExpert({ ...shared, ...heterogeneous, ...change });
  return { runs, store: folderStore(runs, 'expert-01'), run };
};

const weightsOf = async (change: Partial<TrainExpertOptions> = {}) => {
  const { run, store } = expert(change);
  await run();
  return store.read('model.safetensors');
};

describe.each([linearPath, cosinePath])('targets on the $name path', (path) => {
  it('are data, noise and derivative, and the weighted loss is that of float64', async () => {
    const times = [0.02, 0.3, 0.5, 0.97];
    const shape = [times.length, 1, 2, 2];
    const images = Float32Array.from({ length: 16 }, (_, i) => Math.sin(3 * i + 1));
    const perPicture = (of: (t: number) => number) =>
      toy.device.tensor(times.map(of), { shape: [times.length, 1, 1, 1] });
    const weights = times.map((t) => minSnr().weight!('velocity', path, t));
    const batch: Batch = {
      images: toy.device.tensor(images, { shape }),
      alpha: perPicture(path.alpha),
      sigma: perPicture(path.sigma),
      alphaPrime: perPicture(path.alphaPrime),
      sigmaPrime: perPicture(path.sigmaPrime),
      weight: perPicture((t) => weights[times.indexOf(t)]!),
    };
    const compiled = toy.device.compile((given: Batch, noise: TensorKey) => {
      const { latents, target } = noised(given, (shape) => normal(noise, shape));
      const [velocity, epsilon, sample] = [target('velocity'), target('epsilon').mul(1), target('sample').mul(1)];
      const losses = [denoisingLoss(latents, velocity, given.weight), denoisingLoss(latents, velocity)];
      return { latents, velocity, epsilon, sample, weighted: losses[0]!, plain: losses[1]! };
    });
    const found = await compiled(batch, key(9));
    const values = Object.fromEntries(
      await Promise.all(Object.entries(found).map(async ([name, tensor]) => [name, [...(await tensor.read())]])),
    ) as Record<keyof typeof found, number[]>;

    const at = (i: number, t: number) => path.alpha(t) * images[i]! + path.sigma(t) * values.epsilon[i]!;
    let [weighted, plain] = [0, 0];
    for (let i = 0; i < 16; i++) {
      const t = times[Math.floor(i / 4)]!;
      const [h, x] = [1e-5, at(i, t)];
      const derivative = (at(i, t + h) - at(i, t - h)) / (2 * h);
      expect(values.sample[i]).toBe(images[i]);
      expect(values.latents[i]).toBeCloseTo(x, 5);
      expect(values.velocity[i]).toBeCloseTo(derivative, 5);
      plain += (x - derivative) ** 2 / 16;
      weighted += (weights[Math.floor(i / 4)]! * (x - derivative) ** 2) / 16;
    }
    expect(values.plain[0]).toBeCloseTo(plain, 4);
    expect(values.weighted[0]).toBeCloseTo(weighted, 4);
    expect(new Set(values.epsilon).size).toBe(16);
  });
});

describe('an ε-expert on the cosine path, with logit-normal times and min-SNR weights', { timeout: 120_000 }, () => {
  it('gives the same bytes again, and when it was stopped and continued; without them it gives others', async () => {
    const first = await weightsOf();
    expect(await weightsOf()).toEqual(first);
    const stop = new AbortController();
    const stopped = expert({
      checkpointEvery: 3,
      signal: stop.signal,
      onEvent: (event) => event.type === 'checkpoint' && stop.abort(),
    });
    await expect(stopped.run()).rejects.toThrow(InterruptedError);
    await expert({ runs: stopped.runs }).run();
    expect(await stopped.store.read('model.safetensors')).toEqual(first);
    for (const [name, value] of Object.entries({
      config: ditConfig(toySize, { prediction: 'sample', path: 'cosine' }),
      times: logitNormalDensity(),
      lossWeight: minSnr(0.1),
    })) {
      expect(await weightsOf({ [name]: value }), name).not.toEqual(first);
    }
  });

  it('is recorded, and a run resumes with the same options only', async () => {
    const { runs, store, run } = expert();
    await run();
    expect((await readRun(store))!.options).toMatchObject({
      objective: { prediction: 'epsilon', path: 'cosine' },
      times: 'logit-normal:0.3,1',
      lossWeight: 'min-snr:5',
      conditionDropout: 0.4,
      initial: null,
    });
    const differences: [Partial<TrainExpertOptions>, string][] = [
      [{ times: logitNormalDensity() }, 'times was "logit-normal:0.3,1" and is now "logit-normal:0,1"'],
      [{ lossWeight: minSnr(1) }, 'lossWeight was "min-snr:5" and is now "min-snr:1"'],
      [{ conditionDropout: 0.1 }, 'conditionDropout was 0.4 and is now 0.1'],
      [{ config: ditConfig(toySize) }, 'objective.prediction was "epsilon" and is now "velocity"'],
    ];
    for (const [change, message] of differences) {
      const other = expert({ runs, ...change }).run();
      await expect(other).rejects.toThrow(RunError);
      await expect(other).rejects.toThrow(message);
    }
  });

  it('refuses options that mean nothing, before anything runs', async () => {
    await expect(expert({ conditionDropout: 1.2 }).run()).rejects.toThrow(
      '[train] conditionDropout must be a number in [0, 1], got 1.2.',
    );
    const config = ditConfig(toySize, { prediction: 'velocity', path: 'quadratic' });
    await expect(expert({ config }).run()).rejects.toThrow('no noise path is called "quadratic". Known: "linear"');
    const paths = [{ ...linearPath, name: 'quadratic' }];
    await expert({ config, paths }).run();
  });
});

describe('a checkpoint to start from', { timeout: 120_000 }, () => {
  const still = { ...toyTraining, steps: 1, learningRate: 0 };

  it('gives all but head and text, which start from the seed; and so do bytes', async () => {
    const store = memoryStore();
    await store.write('parent.safetensors', await weightsOf({ training: { ...toyTraining, steps: 3 } }));
    const initial = { store, path: 'parent.safetensors' };
    const parent = parseSafetensors(await store.read('parent.safetensors'));
    const fresh = parseSafetensors(await weightsOf({ training: still }));
    const child = parseSafetensors(await weightsOf({ training: still, initial }));
    expect(Object.keys(child)).toEqual(Object.keys(fresh));
    for (const name of Object.keys(child)) {
      const isRemade = /^(final_layer|text_embed|text_proj)\./.test(name);
      expect([name, child[name]!.data]).toEqual([name, (isRemade ? fresh : parent)[name]!.data]);
    }
    expect(parent['layers.0.mlp.0.weight']!.data).not.toEqual(fresh['layers.0.mlp.0.weight']!.data);
    expect(await weightsOf({ initial })).toEqual(await weightsOf({ initial }));

    const all = parseSafetensors(await weightsOf({ training: still, initial: { ...initial, remake: [] } }));
    expect(all).toEqual(parent);
  });

  it('is part of what a run is', async () => {
    const store = memoryStore();
    const weights = parseSafetensors(await weightsOf({ training: still }));
    await store.write('a', writeSafetensors(weights));
    const { runs, run } = expert({ initial: { store, path: 'a' } });
    await run();
    weights.pos_embed!.data[0] = 0.5;
    await store.write('a', writeSafetensors(weights));
    await expect(expert({ runs, initial: { store, path: 'a' } }).run()).rejects.toThrow('initial.sha256 was "');
    await expect(expert({ runs }).run()).rejects.toThrow('initial was {"sha256":');
  });

  it('that is missing or does not fit is refused in one sentence', async () => {
    const store = memoryStore();
    await expect(expert({ initial: { store, path: 'x' } }).run()).rejects.toThrow(
      '[train] the weights to start from are missing: there is no file x.',
    );
    const { pos_embed, ...rest } = parseSafetensors(await weightsOf({ training: still }));
    const bias = { ...rest['patch_embed.bias']!, shape: [4, 4] };
    await store.write('x', writeSafetensors({ ...rest, 'patch_embed.bias': bias, extra: pos_embed! }));
    await expect(expert({ initial: { store, path: 'x' } }).run()).rejects.toThrow(
      'missing pos_embed; unexpected extra; unfit patch_embed.bias is [4, 4], not [16].',
    );
    const words: HostTensor = { data: new Uint32Array(8), shape: [2, 4], dtype: 'u32' };
    await store.write('x', writeSafetensors({ ...rest, 'layers.0.mlp.0.weight.q8': words }));
    await expect(expert({ initial: { store, path: 'x' } }).run()).rejects.toThrow(
      '[train] x holds packed weights (layers.0.mlp.0.weight.q8), which cannot be trained. Start from the weights in f32',
    );
  });
});
