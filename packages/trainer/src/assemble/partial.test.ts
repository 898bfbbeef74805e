// Experts come as they arrive: a model of two of three works, says what it lacks, and is completed later without a change to the
// bytes of those that were there.
import { dit } from '@paris/dit';
import { type FileStore, memoryStore } from '@paris/files';
import { routerTransformer } from '@paris/router';
import { loadPipeline } from '@paris/sampler';
import { type Device, openDevice } from '@paris/tensor';
import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { readLabelled } from '../data/files.js';
import { evaluate } from '../evaluate/evaluate.js';
import { evaluatePictures } from '../evaluate/pictures.js';
import { toySize, toyTraining, writeToyData } from '../testing/toy.js';
import { ditConfig, routerConfig } from '../train/configs.js';
import { trainExpert } from '../train/expert.js';
import { trainRouter } from '../train/router.js';
import { assemble } from './assemble.js';

let device: Device | undefined;
const [data, runs] = [memoryStore(), memoryStore()];
beforeAll(async () => {
  device = await openDevice().catch(() => undefined);
  await writeToyData(data);
  for (const cluster of [0, 2]) await expert(cluster);
  const config = routerConfig(toySize);
  await trainRouter({ device: device!, data, runs, architecture: routerTransformer, config, training: toyTraining });
});
beforeEach((context) => requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter'));
afterAll(() => device?.close());

const expert = (cluster: number) =>
  trainExpert({
    device: device!,
    data,
    runs,
    cluster,
    architecture: dit,
    config: ditConfig(toySize),
    training: toyTraining,
  });
const text = async (store: FileStore, path: string) => new TextDecoder().decode(await store.read(path));

it('makes a model of the experts that are there, which says what it lacks', async () => {
  const [out, notices] = [memoryStore(), [] as string[]];
  const index = await assemble({ runs, out, data, onNotice: (line) => notices.push(line) });
  expect(notices).toEqual(['absent: expert-01 is missing. Train it, or copy its folder here.']);
  expect(index).toMatchObject({ clusters: 3, absent: [1], licence: 'MIT' });
  expect(index.learnedFrom).toEqual({
    'experts/00': { licences: { MIT: 12 }, sources: {} },
    'experts/02': { licences: { MIT: 12 }, sources: {} },
    router: { licences: { MIT: 36 }, sources: {} },
  });
  expect(await out.list('experts')).toHaveLength(4);
  const card = await text(out, 'README.md');
  expect(card).toContain('# A decentralized diffusion model of 2 of 3 experts');
  expect(card).toContain('| expert 1 | absent | | |\n| expert 2 | 12 | MIT (12 pictures) | none named |');
  expect(card).toContain('| router | 36 | MIT (36 pictures) |');
  const pipeline = await loadPipeline(out, { device: device! });
  const { expertPictures } = await pipeline.generate({ prompt: 'red square', steps: 2, routing: 'full' });
  expect(expertPictures.map((count) => count > 0)).toEqual([true, false, true]);
  await pipeline.close();
});

it('is measured on the pictures of the clusters that are there', async () => {
  const out = memoryStore();
  await assemble({ runs, out });
  const evaluation = await evaluate({ device: device!, model: out, data, timeCount: 3, batchSize: 4 });
  expect(evaluation).toMatchObject({ count: 24, clusters: 3, absent: [1] });
  const { experts, bestExpert, policies, oracle } = evaluation.losses;
  expect(experts[1]).toEqual({ mean: 0, standardError: 0, interval: [0, 0] });
  expect([0, 2]).toContain(bestExpert);
  expect(policies.full!.mean).toBeGreaterThan(0);
  expect(oracle.mean).toBeLessThan(experts[bestExpert]!.mean);
});

it('draws and compares pictures of the clusters that are there', async () => {
  const out = memoryStore();
  await assemble({ runs, out });
  const { evaluation } = await evaluatePictures({ device: device!, model: out, data, count: 3, steps: 1 });
  expect(evaluation.heldOut).toBe(24);
  const { items } = (await readLabelled(data, 'router')).manifest;
  expect(evaluation.copying.closest).toHaveLength(3);
  for (const { row, nearest } of evaluation.copying.closest) {
    expect(items![row]).toMatchObject({ id: nearest });
    expect(items![row]!.cluster).not.toBe(1);
  }
});

it.each(['top4', 'top4@0.5', 'resident-top4'])(
  'refuses to route by %s where there are three clusters',
  async (routing) => {
    const out = memoryStore();
    await expect(assemble({ runs, out, routing })).rejects.toThrow(
      '[top] asked for 4 experts of 3. Ask for no more than there are.',
    );
    expect(await out.list()).toEqual([]);
    expect(await assemble({ runs, out, routing: 'top3' })).toMatchObject({ routing: 'top3', absent: [1] });
  },
);

it('refuses what is not complete, if that is asked for', async () => {
  const out = memoryStore();
  await expect(assemble({ runs, out, complete: true })).rejects.toThrow('[assemble] expert-01 is missing.');
  expect(await out.list()).toEqual([]);
});

it('takes the expert that comes later, and leaves the bytes of the others', async () => {
  const out = memoryStore();
  const before = await assemble({ runs, out });
  await expert(1);
  const after = await assemble({ runs, out, complete: true });
  expect(after.absent).toBeUndefined();
  const others = before.files.filter(({ path }) => path !== 'README.md');
  expect(others.length).toBeGreaterThan(8);
  for (const file of others) expect(after.files).toContainEqual(file);
});

it('keeps a card of somebody’s own, which the index does not list', async () => {
  const out = memoryStore();
  await assemble({ runs, out });
  await out.write('README.md', new TextEncoder().encode('mine'));
  const index = await assemble({ runs, out });
  expect(await text(out, 'README.md')).toBe('mine');
  expect(index.files.map(({ path }) => path)).not.toContain('README.md');
});

it('refuses a run in the folder of another cluster', async () => {
  const swapped = memoryStore();
  for (const path of await runs.list())
    await swapped.write(path.replace('expert-02', 'expert-01'), await runs.read(path));
  await expect(assemble({ runs: swapped, out: memoryStore() })).rejects.toThrow(
    'expert-01 is the run of cluster 2. Put the run of cluster 1 there.',
  );
});
