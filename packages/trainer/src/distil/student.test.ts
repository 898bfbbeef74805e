// A student of a toy mixture, trained on a real device.
import { dit } from '@paris/dit';
import { type FileStore, folderStore, memoryStore, parseJson, sha256, writeJson } from '@paris/files';
import { loadModel, loadPipeline, mixture, top } from '@paris/sampler';
import { type Device, key, normal, openDevice, type Tensor } from '@paris/tensor';
import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { assemble } from '../assemble/assemble.js';
import { createKeys } from '../bundle/keys.js';
import { createResultBundle } from '../bundle/result.js';
import { readLabelled } from '../data/files.js';
import { InterruptedError } from '../errors.js';
import { evaluate } from '../evaluate/evaluate.js';
import type { TrainEvent } from '../run/events.js';
import { readMetrics } from '../run/metrics.js';
import { readRun } from '../run/record.js';
import { toySize, toyTraining, writeToyData } from '../testing/toy.js';
import { conditionOf, conditionSource } from '../train/conditions.js';
import { ditConfig } from '../train/configs.js';
import { noisingBatch } from '../train/noising.js';
import { upload } from '../train/step.js';
import { verifyRun } from '../verify/verify.js';
import { type TrainStudentOptions, trainStudent } from './student.js';
import { openTeacher, type TeachingOptions } from './teacher.js';
import { trainToyTeacher } from './toy-teacher.testing.js';

let device: Device;
const [data, model] = [memoryStore(), memoryStore()] as [FileStore, FileStore];

beforeAll(async () => {
  const opened = await openDevice().catch(() => undefined);
  if (!opened) return;
  device = opened;
  await writeToyData(data);
  await trainToyTeacher(device, data, model);
}, 300_000);
beforeEach((context) => requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter'));
afterAll(() => device?.close());

const student = (change: Partial<TrainStudentOptions> = {}) => {
  const runs = change.runs ?? memoryStore();
  const options = { device, data, model, runs, training: toyTraining, ...change };
  return { runs, store: folderStore(runs, 'student'), run: () => trainStudent(options) };
};

const weightsOf = async (change: Partial<TrainStudentOptions> = {}) => {
  const { run, store } = student(change);
  await run();
  return store.read('model.safetensors');
};

describe('trainStudent', () => {
  it('learns what the teacher predicts: the distance between them falls', async () => {
    const { run, store } = student({ training: { ...toyTraining, steps: 120, batchSize: 8 } });
    await run();
    const losses = (await readMetrics(store)).map(({ loss }) => loss);
    const mean = (part: number[]) => part.reduce((a, b) => a + b) / part.length;
    expect(mean(losses.slice(-15))).toBeLessThan(0.5 * mean(losses.slice(0, 5)));
  });

  it('gives the same bytes again, and others by another teacher, guidance or seed', async () => {
    const first = await weightsOf();
    expect(await weightsOf()).toEqual(first);
    for (const change of [{ teacher: 'top2' }, { guidance: 3 }, { training: { ...toyTraining, seed: 1 } }]) {
      expect(await weightsOf(change)).not.toEqual(first);
    }
  });

  it('ends with the same bytes when it was stopped and continued, and with a batch in parts', async () => {
    const stop = new AbortController();
    const stopAt = (event: TrainEvent) => {
      if (event.type === 'checkpoint' && event.step >= 2) stop.abort();
    };
    const { runs, run, store } = student({ checkpointEvery: 2, signal: stop.signal, onEvent: stopAt });
    await expect(run()).rejects.toThrow(InterruptedError);
    expect((await readMetrics(store)).length).toBeLessThan(8);
    await student({ runs }).run();
    const whole = await weightsOf();
    expect(await store.read('model.safetensors')).toEqual(whole);
    const { run: inParts, store: parts } = student({ training: { ...toyTraining, accumulate: 2 } });
    await inParts();
    const losses = async (of: FileStore) => (await readMetrics(of)).map(({ loss }) => loss);
    for (const [i, loss] of (await losses(parts)).entries()) expect(loss).toBeCloseTo((await losses(store))[i]!, 4);
  });

  it('says in its record who taught it how, and measures held-out pictures against the teacher', async () => {
    const { run, store } = student({ teacher: 'top2', guidance: 2, validation: { data, every: 4, levels: 2 } });
    await run();
    const { kind, cluster, options } = (await readRun(store))!;
    const digest = await sha256(await model.read('model_index.json'));
    expect({ kind, cluster }).toEqual({ kind: 'student', cluster: undefined });
    expect(options.teacher).toEqual({ sha256: digest, licence: 'MIT', routing: 'top2', guidance: 2 });
    expect(options.objective).toEqual({ prediction: 'velocity', path: 'linear' });
    expect(await store.exists('validation.jsonl')).toBe(true);
  });

  it('is not verified, and says so', async () => {
    const { run, store } = student();
    await run();
    await expect(verifyRun({ device, data, run: store })).rejects.toThrow(
      '[verify] a student learned from a model that is not here. Verify the runs of that model.',
    );
    const { secretKey } = await createKeys();
    await expect(createResultBundle(store, secretKey)).rejects.toThrow('[bundle] nobody can verify a student.');
  });

  it('becomes a model of one expert, which samples and is evaluated on the data of its teacher', async () => {
    const { runs, run } = student({ training: { ...toyTraining, steps: 60 } });
    await run();
    const out = memoryStore();
    const index = await assemble({ runs, out, data });
    expect(index).toMatchObject({ clusters: 1, licence: 'MIT', routing: 'top1', path: 'linear' });
    const pipeline = await loadPipeline(out, { device });
    const { images } = await pipeline.generate({ prompts: ['red square'], steps: 2, seed: 1 });
    await pipeline.close();
    expect(new Set(images[0]!.data).size).toBeGreaterThan(2);
    const { losses } = await evaluate({ device, model: out, data, timeCount: 3 });
    const teacher = await evaluate({ device, model, data, timeCount: 3 });
    expect(losses.oracle.mean).toBeLessThan(2 * teacher.losses.oracle.mean);
  });
});

/** What the mixture that samples says, at one time for all, against what the teacher says. */
describe('the teacher', () => {
  const indices = Uint32Array.of(0, 4, 8, 3, 7);
  const compare = async (t: number, options: TeachingOptions, routing: Parameters<typeof top>[0] | 'oracle') => {
    const loaded = await loadModel(model, { device });
    const { manifest, rows, labels } = await readLabelled(data, 'router');
    const teacher = await openTeacher(model, loaded, { data, manifest, parts: {}, ...options });
    const draw = {
      indices,
      times: new Float32Array(indices.length).fill(t),
      dropped: [false, false, true, false, false],
      noise: key(5),
    };
    const condition = conditionSource('tokens', manifest);
    const tensors = await noisingBatch(draw, rows, manifest, loaded.path, condition);
    const own = Array.from(indices, (row) => labels[row]!);
    const taught = await teacher.teach(tensors, draw, own);
    const { experts, router, path, paths } = loaded;
    const batch = upload(device, tensors);
    const latents = await device.run(
      batch.images!.mul(batch.alpha!).add(normal(key(5), batch.images!.shape).mul(batch.sigma!)),
    );
    const nothing = device.tensor(new Uint32Array(indices.length * manifest.maxTokens), {
      shape: [indices.length, manifest.maxTokens],
    });
    const { denoiser } = mixture({ device, experts, ...(router && { router }), path, paths }).start(indices.length, {
      routing:
        routing === 'oracle' ? (p, { imageIndex }) => p.map((_, k) => (k === own[imageIndex] ? 1 : 0)) : top(routing),
      key: key(0),
      condition: conditionOf(batch)!,
      unconditional: { kind: 'tokens', ids: nothing },
      guidance: options.guidance ?? 1,
    });
    const { velocity } = await denoiser(latents as Tensor, draw.times[0]!);
    const expected = (await velocity.read()) as Float32Array;
    await loaded.close();
    expect(taught.shape).toEqual([5, 3, 8, 8]);
    let most = 0;
    for (const [i, value] of expected.entries()) most = Math.max(most, Math.abs(value - (taught.data[i] as number)));
    expect(Math.max(...expected.map(Math.abs))).toBeGreaterThan(0.1);
    return most;
  };

  it.each([
    ['by each picture’s own expert', 0.5, {}, 'oracle' as const],
    ['by two experts of the router', 0.3, { teacher: 'top2' }, 2],
    ['with guidance', 0.7, { teacher: 'top3', guidance: 2.5 }, 3],
  ])('says what the mixture says, %s', async (_, t, options, routing) => {
    expect(await compare(t, options, routing)).toBeLessThan(1e-5);
  });
});

describe('mistakes', () => {
  const changed = async (path: string, change: (json: Record<string, unknown>) => void, store = data) => {
    const copy = memoryStore();
    for (const each of await store.list()) await copy.write(each, await store.read(each));
    const json = parseJson(await store.read(path), { tag: 'test', path }) as Record<string, unknown>;
    change(json);
    await writeJson(copy, path, json);
    return copy;
  };

  it('refuses data with another vocabulary, of another size, and of other clusters', async () => {
    const words = await changed('router/router.json', (json) => {
      json.vocabulary = ['', '?', 'blue', 'square', 'red', 'green'];
    });
    await expect(student({ data: words }).run()).rejects.toThrow(
      '[distil] the model was trained with another vocabulary than the data has. Give its own data.',
    );
    const other = memoryStore();
    await writeToyData(other, 6);
    const { manifest } = await readLabelled(other, 'router');
    expect(manifest.size).toBe(8);
    const partition = await other.read('partition/centroids.safetensors');
    partition[partition.length - 1]! ^= 1;
    await other.write('partition/centroids.safetensors', partition);
    await expect(student({ data: other }).run()).rejects.toThrow(
      "[distil] the data is partitioned otherwise than the teacher's was, so no picture's expert is known. " +
        'Give the data that it was trained on, or let its router choose: --teacher top2.',
    );
    const { store, run } = student({ data: other, teacher: 'top2' });
    await run();
    expect((await readRun(store))!.status).toBe('finished');
  });

  it('refuses policies, guidance and students that mean nothing', async () => {
    await expect(student({ teacher: 'best' }).run()).rejects.toThrow('there is no policy "best". Write full, top2');
    const many = student({ teacher: 'top4' });
    await expect(many.run()).rejects.toThrow('[top] asked for 4 experts of 3. Ask for no more than there are.');
    expect(await many.runs.list()).toEqual([]);
    await expect(student({ guidance: Number.NaN }).run()).rejects.toThrow(
      'guidance must be a number such as 2, got NaN.',
    );
    const config = ditConfig(toySize, { prediction: 'epsilon', path: 'linear' });
    await expect(student({ config, architecture: dit }).run()).rejects.toThrow(
      '[distil] the student predicts epsilon on the path linear. Let it predict the velocity on linear, as the teacher does.',
    );
  });

  it('refuses runs inside its teacher, a changed teacher, and two models in one folder', async () => {
    const { runs, run } = student();
    await run();
    await expect(student({ runs, guidance: 2 }).run()).rejects.toThrow(
      'student holds another run: teacher.guidance was 1 and is now 2.',
    );
    await runs.write('expert-00/run.json', new Uint8Array(1));
    await expect(assemble({ runs, out: memoryStore() })).rejects.toThrow(
      '[assemble] student and expert-00 are two models. Keep them in folders of their own.',
    );
  });
});
