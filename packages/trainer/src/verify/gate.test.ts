// Who may become part of a model: honest experts pass, and each kind of bad one is refused with its reason.
import { dit } from '@paris/dit';
import { type FileStore, memoryStore } from '@paris/files';
import { readSafetensors, writeSafetensors } from '@paris/files/safetensors';
import { routerTransformer } from '@paris/router';
import { type Device, openDevice } from '@paris/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assemble } from '../assemble/assemble.js';
import { DataError } from '../errors.js';
import { expertRunName } from '../run/names.js';
import { toySize, toyTraining, writeToyData } from '../testing/toy.js';
import { ditConfig, routerConfig } from '../train/configs.js';
import { trainExpert } from '../train/expert.js';
import type { InitialWeights } from '../train/initial.js';
import { trainRouter } from '../train/router.js';
import { change } from './attacks.testing.js';
import { expectedEffects } from './effect.js';
import { copyLikeness, type GateReport, refusal } from './gate.js';

let device: Device;
const [data, runs] = [memoryStore(), memoryStore()];
const training = { ...toyTraining, steps: 120, emaDecay: 0.9 };
const options = { architecture: dit, config: ditConfig(toySize), training };
const clusters = [0, 1, 2];

beforeAll(async () => {
  device = await openDevice({ require: 'cpu' });
  await writeToyData(data);
  for (const cluster of clusters) await trainExpert({ device, data, runs, cluster, ...options });
  const router = { architecture: routerTransformer, config: routerConfig(toySize), training: toyTraining };
  await trainRouter({ device, data, runs, ...router });
}, 120_000);
afterAll(() => device.close());

async function copyOf(store: FileStore): Promise<FileStore> {
  const copy = memoryStore();
  for (const path of await store.list()) await copy.write(path, await store.read(path));
  return copy;
}

async function gated(of: FileStore, folder: FileStore = data, initial?: InitialWeights): Promise<GateReport[]> {
  let report: readonly GateReport[] = [];
  const onReport = (found: readonly GateReport[]) => {
    report = found;
  };
  await assemble({ runs: of, out: memoryStore(), gate: { device, data: folder, initial, onReport } });
  return [...report];
}

const weights = (k: number) => `${expertRunName(k)}/model.safetensors`;

describe('the gate', () => {
  it('lets honest experts pass, and says how they compare', async () => {
    const report = await gated(runs);
    expect(report.map(({ name, cluster, pictures }) => [name, cluster, pictures])).toEqual(
      clusters.map((k) => [expertRunName(k), k, 12]),
    );
    for (const { levels, gain, lead, nearest, effect, expected } of report) {
      expect(expected).toMatchObject({ experts: 2, steps: 120 });
      expect(Math.abs(Math.log(effect!.moved / expected!.moved))).toBeLessThan(0.25);
      expect(levels.map(({ time }) => time)).toEqual([0.125, 0.375, 0.625, 0.875]);
      for (const { loss, initial, others } of levels) {
        expect(loss).toBeLessThan(initial!);
        expect(loss).toBeLessThan(others!);
      }
      expect(gain!.mean).toBeGreaterThan(4 * gain!.standardError);
      expect(lead!.mean).toBeGreaterThan(4 * lead!.standardError);
      expect(nearest!.likeness).toBeLessThan(0.25);
    }
  });

  it('refuses initial weights', async () => {
    const bad = await copyOf(runs);
    const lazy = memoryStore();
    await trainExpert({ device, data, runs: lazy, cluster: 1, ...options, training: { ...training, learningRate: 0 } });
    await bad.write(weights(1), await lazy.read(weights(1)));
    await expect(gated(bad)).rejects.toThrow(
      /^\[assemble\] expert-01 is refused: it predicts 12 held-out pictures of its cluster no better than its initial weights do \(loss (\d\.\d{3}), and \1 with these\)\.$/,
    );
    await expect(gated(bad)).rejects.toThrow(DataError);
  });

  it('refuses the very file that an expert started from, where it is given that file', async () => {
    const bad = await copyOf(runs);
    const initial = { store: await copyOf(runs), path: weights(1) };
    const lazy = { ...options, training: { ...training, learningRate: 0 }, initial: { ...initial, remake: [] } };
    for (const path of await bad.list(expertRunName(1))) await bad.remove(path);
    await trainExpert({ device, data, runs: bad, cluster: 1, ...lazy });
    const [, unjudged] = await gated(bad);
    expect(unjudged).toMatchObject({ unjudged: 'the file of weights that it started from was not given' });
    expect(unjudged!.levels).toHaveLength(4);
    expect([unjudged!.gain, unjudged!.effect, unjudged!.levels[0]!.initial]).toEqual([undefined, undefined, undefined]);
    expect(unjudged!.lead!.mean).toBeGreaterThan(4 * unjudged!.lead!.standardError);
    const [, other] = await gated(bad, data, { ...initial, path: weights(0) });
    expect(other).toMatchObject({ unjudged: 'it started from another file of weights than the one that was given' });
    await expect(gated(bad, data, initial)).rejects.toThrow(
      /^\[assemble\] expert-01 is refused: it predicts 12 held-out pictures of its cluster no better than its initial weights do \(loss (\d\.\d{3}), and \1 with these\)\.$/,
    );
  });

  it('refuses an expert that made a tenth of the steps, and says that it made all', async () => {
    const [bad, lazy] = [await copyOf(runs), memoryStore()];
    await trainExpert({ device, data, runs: lazy, cluster: 1, ...options, training: { ...training, steps: 12 } });
    await bad.write(weights(1), await lazy.read(weights(1)));
    await expect(gated(bad)).rejects.toThrow(
      /^\[assemble\] expert-01 is refused: its weights moved \d+ % of the distance that is usual for 2 experts that were trained alike, for 120 steps each: it made fewer, or others\.$/,
    );
  });

  it("refuses an expert that was trained on another cluster's data", async () => {
    const [bad, other] = [await copyOf(runs), memoryStore()];
    const seeded = { ...training, seed: 4 }; // so that it is no copy
    await trainExpert({ device, data, runs: other, cluster: 0, ...options, training: seeded });
    await bad.write(weights(2), await other.read(weights(0)));
    await expect(gated(bad)).rejects.toThrow(
      /expert-02 is refused: it predicts 12 held-out pictures of its cluster no better than (its initial weights|the experts of other clusters) do/,
    );
  });

  it.each([0, 0.1, 0.5])('refuses a copy with noise of %d of its size', async (share) => {
    const bad = await copyOf(runs);
    await bad.write(weights(2), await runs.read(weights(0)));
    const noisy = (value: number, _: string, i: number) => value + share * 0.1 * Math.sin(12.9898 * i * i);
    if (share > 0) await change(bad, weights(2), noisy);
    const which = share === 0 ? 'a copy of' : 'a copy, with changes \\(likeness [01]\\.\\d\\d\\) of';
    await expect(gated(bad)).rejects.toThrow(
      new RegExp(`expert-02 is refused: its weights are ${which} those of expert-00, or`),
    );
  });

  it('refuses a number that is none', async () => {
    const bad = await copyOf(runs);
    const [first] = Object.keys(await readSafetensors(bad, weights(1))).sort();
    await change(bad, weights(1), (value, name, i) => (name === first && i === 3 ? Number.NaN : value));
    await expect(gated(bad)).rejects.toThrow(`[assemble] expert-01 is refused: number 3 of ${first} is NaN.`);
  });

  it('refuses tensors that are missing, or that no network of its config has', async () => {
    const tensors = await readSafetensors(runs, weights(1));
    const [first, ...others] = Object.entries(tensors).sort();
    const bad = await copyOf(runs);
    await bad.write(weights(1), writeSafetensors(Object.fromEntries(others)));
    await expect(gated(bad)).rejects.toThrow(`expert-01 is refused: it lacks ${first![0]} [`);
    await bad.write(weights(1), writeSafetensors({ ...tensors, trigger: first![1] }));
    await expect(gated(bad)).rejects.toThrow('expert-01 is refused: it holds trigger [');
    await expect(gated(bad)).rejects.toThrow('which its config.json does not have.');
  });

  it('runs no expert without held-out pictures, and looks at the weights all the same', async () => {
    const bare = memoryStore();
    expect((await gated(runs, bare)).map(({ unjudged }) => unjudged)).toEqual(
      clusters.map(() => 'there are no held-out pictures, or its architecture is not known here'),
    );
    const bad = await copyOf(runs);
    await bad.write(weights(2), await runs.read(weights(0)));
    await expect(gated(bad, bare)).rejects.toThrow(
      'expert-00 is refused: its weights are a copy of those of expert-02, or the other way round.',
    );
  });

  it('is not there unless it is asked for', async () => {
    const bad = await copyOf(runs);
    await bad.write(weights(2), await runs.read(weights(0)));
    await expect(assemble({ runs: bad, out: memoryStore(), data })).resolves.toMatchObject({ clusters: 3 });
  });

  it('expects of an expert what those did that were trained alike', () => {
    const record = (steps: number, seed: number, initial: unknown = null) =>
      ({
        kind: 'expert',
        cluster: seed,
        options: { steps, seed, initial },
        data: { sha256: `${seed}`, count: 1 },
      }) as never;
    const expert = (steps: number, seed: number, moved: number, learned?: number) => ({
      record: record(steps, seed),
      effect: { moved, learned },
    });
    const four = [expert(9, 0, 1, 2), expert(9, 1, 2, 3), expert(9, 2, 6), expert(8, 3, 5, 5)];
    expect(expectedEffects(four)).toEqual([
      { experts: 2, steps: 9, moved: 4 },
      { experts: 2, steps: 9, moved: 3.5 },
      { experts: 2, steps: 9, moved: 1.5, learned: 2.5 },
      undefined, // nobody else made 8 steps
    ]);
    const [a, b, c] = four;
    expect(expectedEffects([a!, b!, { record: record(9, 2, { sha256: 'x' }), effect: c!.effect }])).toEqual([
      undefined, // one other
      undefined,
      undefined, // from a file of weights
    ]);
    expect(expectedEffects([a!, b!, { ...c!, effect: undefined }])[2]).toMatchObject({ experts: 2 });
  });

  it('refuses what moved, and learned too little on the way', () => {
    const levels = [{ time: 0.5, loss: 0.9, initial: 1 }];
    const gain = { mean: 0.1, standardError: 0.01 };
    const expected = { experts: 7, steps: 800, moved: 0.13, learned: 1.4 };
    const found = (moved: number, learned?: number): GateReport => {
      return { name: 'a', cluster: 0, pictures: 16, levels, gain, effect: { moved, learned }, expected };
    };
    expect(refusal(found(0.127, 0.97), [])).toBeUndefined(); // an honest one, of a cluster that is hard to learn
    expect(refusal(found(0.14), [])).toBeUndefined();
    expect(refusal(found(0.0499, 1.02), [])).toContain(
      'its weights moved 38 % of the distance that is usual for 7 experts',
    );
    expect(refusal(found(0.14, 0.3), [])).toContain(
      'it learned 21 % of what is usual for 7 experts that were trained alike',
    );
  });

  it('wants a lead over the other experts that is clear of chance', () => {
    const levels = [{ time: 0.5, loss: 0.4, initial: 1, others: 0.41 }];
    const gain = { mean: 0.6, standardError: 0.01 };
    const found = (mean: number): GateReport => {
      return { name: 'a', cluster: 0, pictures: 16, levels, gain, lead: { mean, standardError: 0.01 } };
    };
    expect(refusal(found(0.03), [])).toBeUndefined();
    expect(refusal(found(0.01), [])).toBe(
      'it predicts 16 held-out pictures of its cluster no better than the experts of other clusters do (loss 0.400, and 0.410 on average)',
    );
  });

  it('takes experts for relatives that started from the same weights', () => {
    const record = (sha256: string | null) => ({ options: { initial: sha256 && { sha256 } } }) as never;
    const found = (likeness: number): GateReport => {
      return { name: 'a', cluster: 0, pictures: 0, levels: [], nearest: { name: 'b', likeness } };
    };
    const both = (a: string | null, b: string | null) => [
      { name: 'a', record: record(a) },
      { name: 'b', record: record(b) },
    ];
    expect(refusal(found(0.99), both('x', 'x'))).toBeUndefined();
    expect(refusal(found(1), both('x', 'x'))).toContain('a copy of');
    expect(refusal(found(0.99), both('x', 'y'))).toContain('likeness 0.99');
    expect(refusal(found(0.99), both(null, null))).toContain('likeness 0.99');
    expect(refusal(found(copyLikeness - 0.01), both(null, null))).toBeUndefined();
  });
});
