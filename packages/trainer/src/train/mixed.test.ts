// Experts of different objectives, from their training to the pictures of one model.
import { dit, type Objective } from '@paris/dit';
import { routerTransformer } from '@paris/router';
import { loadPipeline, oracle, writeModelIndex } from '@paris/sampler';
import { type Device, openDevice } from '@paris/tensor';
import { type FileStore, memoryStore } from '@paris/tensor/store';
import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { assemble } from '../assemble.js';
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

it('an ε-expert on the cosine path paints its cluster beside others in one model', { timeout: 300_000 }, async () => {
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

  for (const cluster of [0, 1, 2]) expect(await ownColour(model, cluster)).toBeGreaterThan(60);
  const asTrained = await ownColour(model, 1);
  // The same weights taken for a velocity on the straight path paint something else: so the conversion is what works.
  const misread = { ...(await configOf(1)), objective: objectives[0] };
  await model.write('experts/01/config.json', new TextEncoder().encode(JSON.stringify(misread)));
  await writeModelIndex(model, index);
  expect(await ownColour(model, 1)).toBeLessThan(0.6 * asTrained);
});

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
