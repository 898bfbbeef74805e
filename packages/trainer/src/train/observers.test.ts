// Held-out loss and sample pictures on the way: they are right, they come back the same after a kill, and the weights do not
// know of them.
import { dit } from '@paris/dit';
import { type FileStore, folderStore, memoryStore } from '@paris/files';
import { parseSafetensors } from '@paris/files/safetensors';
import { toTree } from '@paris/model';
import { routerTransformer } from '@paris/router';
import { key, normal, type Tensor } from '@paris/tensor';
import { decode } from 'fast-png';
import { describe, expect, it } from 'vitest';
import { columnOf } from '../data/columns.js';
import { readLabelled } from '../data/files.js';
import { normalise } from '../data/rows.js';
import { DataError } from '../errors.js';
import type { TrainEvent } from '../run/events.js';
import { readLines } from '../run/lines.js';
import { toySize, toyTraining } from '../testing/toy.js';
import { useToy } from '../testing/use-toy.testing.js';
import { ditConfig, routerConfig } from './configs.js';
import { type TrainExpertOptions, trainExpert } from './expert.js';
import { trainRouter } from './router.js';

const toy = useToy();
const { data } = toy;

const looking = () => ({ validation: { data, every: 3, levels: 2 }, samples: { every: 4, steps: 3 } });

async function trained(change: Partial<TrainExpertOptions> = {}) {
  const runs = change.runs ?? memoryStore();
  const common = {
    device: toy.device,
    data,
    cluster: 1,
    runs,
    architecture: dit,
    config: ditConfig(toySize),
    training: toyTraining,
  };
  await trainExpert({ ...common, ...change });
  return folderStore(runs, 'expert-01');
}

describe('validation and samples', () => {
  it('change no byte of the weights, the metrics or the record, of an expert', async () => {
    const [without, having] = [await trained(), await trained(looking())];
    for (const file of ['model.safetensors', 'metrics.jsonl']) {
      expect(await having.read(file), file).toEqual(await without.read(file));
    }
    const options = async (store: FileStore) =>
      JSON.parse(new TextDecoder().decode(await store.read('run.json'))).options;
    expect(await options(having)).toEqual(await options(without));
    expect((await readLines(having, 'validation.jsonl')).map(({ step, time }) => [step, time])).toEqual([
      ...[3, 6, 8].flatMap((step) => [
        [step, 0.25],
        [step, 0.75],
      ]),
    ]);
    expect(await having.list('samples')).toEqual(['samples/00000004.png', 'samples/00000008.png']);
  });

  it('change no byte of the weights of a router, and say how often it is right', async () => {
    const train = async (validation?: TrainExpertOptions['validation']) => {
      const runs = memoryStore();
      const config = routerConfig(toySize);
      const events: TrainEvent[] = [];
      const onEvent = (event: TrainEvent) => events.push(event);
      const training = toyTraining;
      await trainRouter({
        device: toy.device,
        data,
        runs,
        architecture: routerTransformer,
        config,
        training,
        validation,
        onEvent,
      });
      return { store: folderStore(runs, 'router'), events };
    };
    const [without, having] = [await train(), await train(looking().validation)];
    expect(await having.store.read('model.safetensors')).toEqual(await without.store.read('model.safetensors'));
    const lines = await readLines(having.store, 'validation.jsonl');
    expect(lines).toHaveLength(6);
    for (const { accuracy } of lines) expect(accuracy).toBeGreaterThanOrEqual(0);
    expect(having.events).toContainEqual(
      expect.objectContaining({
        type: 'validation',
        step: 8,
        accuracy: ((lines[4]!.accuracy as number) + (lines[5]!.accuracy as number)) / 2,
      }),
    );
  });

  it('measure the squared error of the velocity of the weights that are saved', async () => {
    const store = await trained({ validation: { data, every: 100, levels: 2 } });
    const lines = await readLines(store, 'validation.jsonl');
    const expert = dit.fromConfig(ditConfig(toySize)({ size: 8, channels: 3, maxTokens: 8, vocabulary: 6 }));
    const saved = parseSafetensors(await store.read('model.safetensors'));
    const params = Object.fromEntries(
      Object.entries(saved).map(([name, { data, shape }]) => [
        name,
        toy.device.tensor(data as Float32Array, { shape }),
      ]),
    );
    const test = await readLabelled(data, 'test');
    const rows = [...test.labels.keys()].filter((row) => test.labels[row] === 1);
    const errors: number[] = [];
    for (const time of [0.25, 0.75]) {
      const squares: number[] = [];
      for (let from = 0; from < rows.length; from += 4) {
        const parts = await Promise.all(rows.slice(from, from + 4).map((row) => test.rows.read(row, 1)));
        const count = parts.length;
        const [noise] = (await toy.device.run([normal(key(0x68656c64).foldIn(from), [count, 3, 8, 8])])) as [Tensor];
        const epsilon = await noise.read();
        const images = parts.flatMap((part) => [
          ...normalise(columnOf(part, 'images', 'u8'), test.manifest.normalization),
        ]);
        const output = expert.apply(toTree(params), {
          latents: toy.device.tensor(
            images.map((x, i) => (1 - time) * x + time * epsilon[i]!),
            { shape: [count, 3, 8, 8] },
          ),
          time: toy.device.tensor(new Float32Array(count).fill(time), { shape: [count] }),
          condition: {
            kind: 'tokens',
            ids: toy.device.tensor(Uint32Array.from(parts.flatMap(({ tokens }) => [...tokens!])), {
              shape: [count, 8],
            }),
          },
        });
        for (const [i, v] of (await output.read()).entries()) squares.push((v - (epsilon[i]! - images[i]!)) ** 2);
      }
      errors.push(squares.reduce((a, b) => a + b) / squares.length);
    }
    expect(lines).toHaveLength(2);
    for (const [i, { loss }] of lines.entries()) expect((loss as number) / errors[i]!).toBeCloseTo(1, 4);
  });

  it('weigh the loss as the training does', async () => {
    const validation = { data, every: 100, levels: 2 };
    const training = { ...toyTraining, learningRate: 0 };
    const lossWeight = {
      name: 'more where there is less noise',
      weight: (_: unknown, __: unknown, t: number) => 1 - t,
    };
    const [plain, weighed] = await Promise.all(
      [{}, { lossWeight }].map(async (how) =>
        readLines(await trained({ validation, training, ...how }), 'validation.jsonl'),
      ),
    );
    for (const [i, { time, loss }] of plain!.entries())
      expect((weighed![i]!.loss as number) / (loss as number)).toBeCloseTo(1 - (time as number), 5);
  });

  it('come back the same after a stop, each once', async () => {
    const straight = await trained({ ...looking(), checkpointEvery: 5 });
    const runs = memoryStore();
    const stop = new AbortController();
    const onEvent = (event: TrainEvent) => event.type === 'validation' && event.step === 6 && stop.abort();
    // Step 6 is observed and not saved: its lines are cut off and written again.
    const failing: FileStore = {
      ...runs,
      write: async (path, bytes) => {
        if (/00000006\.safetensors/.test(path)) throw new Error('disk gone');
        await runs.write(path, bytes);
      },
    };
    const stopped = trained({ ...looking(), runs: failing, checkpointEvery: 5, signal: stop.signal, onEvent });
    await expect(stopped).rejects.toThrow('disk gone');
    expect(await readLines(folderStore(runs, 'expert-01'), 'validation.jsonl')).toHaveLength(4);
    await folderStore(runs, 'expert-01').append('validation.jsonl', '{"step": 7, "ti'); // torn
    const resumed = await trained({ ...looking(), runs, checkpointEvery: 5 });
    for (const path of [
      'validation.jsonl',
      'samples.jsonl',
      'samples/00000004.png',
      'samples/00000008.png',
      'model.safetensors',
    ]) {
      expect(await resumed.read(path), path).toEqual(await straight.read(path));
    }
  });

  it('draw a row of pictures for the prompts, with noise that stays and weights that change', async () => {
    const prompts = ['green square', 'square', ''];
    const store = await trained({ samples: { every: 4, steps: 3, prompts, seed: 5 } });
    const [early, late] = await Promise.all(
      ['samples/00000004.png', 'samples/00000008.png'].map(async (path) => decode(await store.read(path))),
    );
    expect([early!.width, early!.height]).toEqual([24, 8]);
    expect(early!.data).not.toEqual(late!.data);
    expect(await readLines(store, 'samples.jsonl')).toEqual(
      [4, 8].map((step) => ({ step, file: `samples/0000000${step}.png`, prompts, seed: 5, guidance: 2, steps: 3 })),
    );
  });

  it('open test in addition to the own cluster, and nothing else', async () => {
    const opened = new Set<string>();
    const watched: FileStore = {
      ...data,
      read: (path, ...how) => {
        opened.add(path.replace(/\/[^/]*$/, ''));
        return data.read(path, ...how);
      },
    };
    await trained({ data: watched, validation: { data: watched, every: 4 } });
    expect([...opened].sort()).toEqual(['clusters/01', 'test']);
  });

  it('refuse what cannot be measured before anything is trained', async () => {
    const alone = memoryStore();
    for (const path of await data.list('clusters/01')) await alone.write(path, await data.read(path));
    const refused = (change: Partial<TrainExpertOptions>) =>
      trained(change).then(String, ({ message }: Error) => message);
    expect(await refused({ validation: { data: alone, every: 1 } })).toBe(
      '[data] test/test.json is missing. Run paris partition DATA --clusters N first.',
    );
    const other = memoryStore();
    for (const path of await data.list('test')) await other.write(path, await data.read(path));
    const manifest = JSON.parse(new TextDecoder().decode(await other.read('test/test.json')));
    const edit = (change: object) =>
      other.write('test/test.json', new TextEncoder().encode(JSON.stringify({ ...manifest, ...change })));
    await edit({ partition: 'another' });
    expect(await refused({ validation: { data: other, every: 1 } })).toBe(
      '[train] the held-out pictures in test are of another partition than the pictures that are trained on. ' +
        'Copy test from the same data folder, or train without validation.',
    );
    await edit({ items: manifest.items.map((item: object) => ({ ...item, cluster: 0 })) });
    await expect(trained({ validation: { data: other, every: 1 } })).rejects.toThrow(DataError);
    expect(await refused({ validation: { data: other, every: 1 } })).toContain('no held-out picture is of cluster 1');
    expect(await refused({ validation: { data, every: 0 } })).toContain(
      'validation.every must be a whole number from 1 on',
    );
    expect(await refused({ samples: { every: 1, prompts: ['square', 'zebra, gnu'] } })).toContain(
      'the expert knows no word of the sample prompt "zebra, gnu". Give words of the captions',
    );
    expect(await refused({ samples: { every: 1, prompts: [] } })).toContain('samples.prompts is an empty list');
  });
});
