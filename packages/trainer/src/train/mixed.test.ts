// Experts of different objectives, from their training to the pictures of one model.
import { dit } from '@paris/dit';
import { type FileStore, memoryStore } from '@paris/files';
import { type Objective, writeModelIndex } from '@paris/model';
import { routerTransformer } from '@paris/router';
import { loadModel, loadPipeline, oracle } from '@paris/sampler';
import { type Device, key, normal, openDevice } from '@paris/tensor';
import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { assemble } from '../assemble/assemble.js';
import { columnOf } from '../data/columns.js';
import { readLabelled } from '../data/files.js';
import { normalise } from '../data/rows.js';
import { measure, modelCondition } from '../evaluate/measure.js';
import { toySize, toyTraining, writeToyData } from '../testing/toy.js';
import { ditConfig, routerConfig } from './configs.js';
import { trainExpert } from './expert.js';
import { trainRouter } from './router.js';

let device: Device;
beforeAll(async () => {
  const opened = await openDevice().catch(() => undefined);
  if (opened) device = opened;
});
beforeEach((context) => requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter'));
afterAll(() => device?.close());

const objectives: Objective[] = [
  { prediction: 'velocity', path: 'linear' },
  { prediction: 'epsilon', path: 'cosine' },
  { prediction: 'sample', path: 'linear' },
];

it('an ε-expert on the cosine path paints its cluster with others in one model', { timeout: 300_000 }, async () => {
  const [data, runs, model]: [FileStore, FileStore, FileStore] = [memoryStore(), memoryStore(), memoryStore()];
  await writeToyData(data);
  for (const [cluster, objective] of objectives.entries()) {
    // Wider than a patch has values: an ε-expert copies the noise of its input, and needs longer to learn that.
    const config = ditConfig({ patch: 2, width: 32, depth: 1, heads: 2 }, objective);
    const steps = objective.prediction === 'epsilon' ? 300 : 80;
    const training = { ...toyTraining, steps, learningRate: 0.01 };
    await trainExpert({ device, data, cluster, runs, architecture: dit, config, training });
  }
  const config = routerConfig(toySize);
  await trainRouter({ device, data, runs, architecture: routerTransformer, config, training: toyTraining });
  const index = await assemble({ runs, out: model, data });
  expect(index.path).toBe('linear');
  const configOf = async (k: number) =>
    JSON.parse(new TextDecoder().decode(await model.read(`experts/0${k}/config.json`)));
  for (const [k, objective] of objectives.entries()) expect((await configOf(k)).objective).toEqual(objective);

  const alone = memoryStore(); // a single expert is sampled on its own path
  for (const path of await runs.list('expert-01')) await alone.write(path.replace('01', '00'), await runs.read(path));
  expect((await assemble({ runs: alone, out: memoryStore() })).path).toBe('cosine');

  for (const cluster of [0, 1, 2]) expect(await ownColour(model, cluster)).toBeGreaterThan(60);
  await evaluatesVelocities(data, model);
  const asTrained = await ownColour(model, 1);
  // The same weights taken for a velocity on the straight path paint something else: so the conversion is what works.
  const misread = { ...(await configOf(1)), objective: objectives[0] };
  await model.write('experts/01/config.json', new TextEncoder().encode(JSON.stringify(misread)));
  await writeModelIndex(model, index);
  expect(await ownColour(model, 1)).toBeLessThan(0.6 * asTrained);
});

/** The ε-expert's error as evaluation has it, against the conversion written out for these two paths, in float64. */
async function evaluatesVelocities(data: FileStore, model: FileStore): Promise<void> {
  const test = await readLabelled(data, 'test');
  const networks = await loadModel(model, { device });
  const times = [0.3, 0.8];
  const { gram, count } = await measure({
    ...{ device, model: networks, condition: modelCondition(networks) },
    ...{ data: test, times, noise: key(4), batchSize: 36 },
  });
  const { expert, params } = networks.experts[1]!;
  const shape = [count, 3, 8, 8];
  const columns = await test.rows.read(0, count);
  const [pixels, tokens] = [columnOf(columns, 'images', 'u8'), columnOf(columns, 'tokens', 'u32')];
  const images = normalise(pixels, test.manifest.normalization);
  const ids = device.tensor(tokens, { shape: [count, 8] });
  for (const [i, t] of times.entries()) {
    const [drawn] = await device.run([normal(key(4).foldIn(0).foldIn(i), shape)]);
    const noise = await drawn!.read();
    const x = images.map((value, j) => (1 - t) * value + t * noise[j]!);
    const scaled = x.map((value) => value / Math.hypot(1 - t, t));
    const output = expert.apply(params, {
      latents: device.tensor(scaled, { shape }),
      time: device.tensor(new Float32Array(count).fill((2 / Math.PI) * Math.atan(t / (1 - t))), { shape: [count] }),
      condition: { kind: 'tokens', ids },
    });
    const epsilon = await output.read();
    const errors = images.map((value, j) => {
      const sample = (x[j]! - t * epsilon[j]!) / (1 - t);
      return epsilon[j]! - sample - (noise[j]! - value);
    });
    const size = errors.length / count;
    for (let n = 0; n < count; n++) {
      const own = errors.subarray(n * size, (n + 1) * size).reduce((sum, e) => sum + e * e, 0) / size;
      expect(gram[(i * count + n) * 9 + 4]! / own).toBeCloseTo(1, 3);
    }
  }
  await networks.close();
}

/**
 * How much stronger the cluster's colour is than the other two, 0 to 255, in pictures of which its expert has painted
 * every step. In the data it is about 145.
 */
async function ownColour(model: FileStore, cluster: number): Promise<number> {
  const pipeline = await loadPipeline(model, { device });
  const count = 8;
  const routing = oracle(new Array<number>(count).fill(cluster));
  const { images } = await pipeline.generate({ count, steps: 16, guidance: 1, seed: 3, routing });
  await pipeline.close();
  const mean = (channel: number) => {
    const values = images.flatMap(({ data }) => [...data].filter((_, i) => i % 3 === channel));
    return values.reduce((a, b) => a + b) / values.length;
  };
  return mean(cluster) - (mean((cluster + 1) % 3) + mean((cluster + 2) % 3)) / 2;
}
