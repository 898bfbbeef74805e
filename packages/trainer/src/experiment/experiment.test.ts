// Experiments through the real architecture at the smoke size: stopped and resumed they end with the same bytes.
import { type FileStore, folderStore, memoryStore, sha256 } from '@paris/files';
import { classNumber } from '@paris/model/classes';
import { type Device, openDevice } from '@paris/tensor';
import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { classesOf } from '../data/classes.js';
import { columnsOf } from '../data/columns.js';
import { openManifestFolder, readLabelled, writeManifestFolder } from '../data/files.js';
import { readRun } from '../run/record.js';
import { experimentDesign } from './designs/designs.js';
import type { ExperimentResults } from './results.js';
import { runExperiment } from './run.js';
import { writeShapes } from './shapes.js';
import { readTimes } from './times.js';

let device: Device;
let straight: ExperimentResults;
const [data, out] = [memoryStore(), memoryStore()] as [FileStore, FileStore];
const design = experimentDesign('main', 'smoke', { steps: 12, pictures: 8 });

beforeAll(async () => {
  const opened = await openDevice().catch(() => undefined);
  if (!opened) return;
  device = opened;
  await writeShapes(data);
  straight = await runExperiment({ device, design, data, out });
}, 300_000);
beforeEach((context) => requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter'));
afterAll(() => device?.close());

describe('the main experiment', () => {
  it('has a row for each arm of each variant, and bounds on both sides', () => {
    const arms = ['oracle', 'top1', 'top2', 'top3', 'full', 'sample1', 'threshold0.1', 'nucleus0.9'];
    const rows = ['monolith/equal data', 'monolith+/equal FLOPs', ...arms.map((arm) => `experts/${arm}`)];
    expect(straight.rows.map(({ row }) => row)).toEqual([...rows, 'student/distilled']);
    for (const { row, metrics, differences } of straight.rows) {
      for (const [name, { mean, interval, values }] of Object.entries(metrics)) {
        expect(values, `${row} ${name}`).toHaveLength(2);
        expect(mean).toBeCloseTo((values[0]! + values[1]!) / 2, 12);
        expect(interval![0]).toBeLessThanOrEqual(mean);
        expect(interval![1]).toBeGreaterThanOrEqual(mean);
      }
      const own = differences.loss?.values;
      const reference = straight.rows[0]!.metrics.loss!.values;
      if (own) expect(own).toEqual(metrics.loss!.values.map((loss, seed) => loss - reference[seed]!));
    }
    expect(straight.bounds.map(({ row }) => row)).toEqual(['training pictures', 'untrained model']);
    const [floor, ceiling] = straight.bounds.map(({ metrics }) => metrics.kernel!.mean);
    expect(floor!).toBeLessThan(ceiling!);
  });

  it('gives every row the same data, and the equal-FLOPs model what the router costs', () => {
    const of = (name: string) => straight.variants.find(({ variant }) => variant === name)!.metrics;
    const [model, more, experts] = [of('monolith'), of('monolith+'), of('experts')];
    expect(experts.expertPictures!.mean).toBe(model.expertPictures!.mean);
    expect(experts.expertTeraflops!.mean).toBeCloseTo(model.expertTeraflops!.mean, 12);
    const extra = more.expertTeraflops!.mean - model.expertTeraflops!.mean;
    expect(extra / experts.routerTeraflops!.mean).toBeGreaterThan(0.9);
    const drawing = (row: string) => straight.rows.find((each) => each.row === row)!.metrics.expertsDrawing!.mean;
    expect(['top1', 'top2', 'top3', 'full'].map((arm) => drawing(`experts/${arm}`))).toEqual([1, 2, 3, 4]);
  });

  it('has a student of the experts, for a third of the FLOPs of the model', async () => {
    const of = (name: string) => straight.variants.find(({ variant }) => variant === name)!.metrics;
    const { expertTeraflops, teacherTeraflops } = of('student');
    const all = expertTeraflops!.mean + teacherTeraflops!.mean;
    expect(all / of('monolith').expertTeraflops!.mean).toBeCloseTo(1 / 3, 6);
    const record = await readRun(folderStore(out, 'seed-1/student/runs/student'));
    const index = await out.read('seed-1/experts/model/model_index.json');
    expect(record).toMatchObject({
      kind: 'student',
      options: { batchSize: 4, teacher: { sha256: await sha256(index) } },
    });
    const { metrics } = straight.rows.at(-1)!;
    expect(metrics.loss!.mean).toBeLessThan(2);
    expect(metrics.kernel!.mean).toBeLessThan(straight.bounds[1]!.metrics.kernel!.mean);
    expect(straight.claims.at(-1)).toMatchObject({ better: 'student/distilled', worse: 'monolith/equal data' });
  });

  it('consists of ordinary runs and models', async () => {
    const run = await readRun(folderStore(out, 'seed-1/experts/runs/expert-03'));
    expect(run).toMatchObject({ kind: 'expert', cluster: 3, status: 'finished', options: { seed: 1, batchSize: 4 } });
    expect(await out.exists('seed-0/monolith/model/model_index.json')).toBe(true);
    const pieces = (await readTimes(out)).map(({ piece }) => piece);
    expect(pieces).toContain('seed-0/experts/router');
    expect(new Set(pieces).size).toBe(pieces.length);
  });

  it('ends with the same bytes after it was stopped at many places', async () => {
    const resumed = memoryStore();
    let stops = 0;
    for (let left = 60; left > 0; left--) {
      const stop = new AbortController();
      let heard = 0;
      const note = () => {
        if (++heard === 2 + 9 * stops) stop.abort();
      };
      const how = { device, design, data, out: resumed, checkpointEvery: 5, signal: stop.signal };
      const done = await runExperiment({ ...how, onTrain: note, onProgress: note }).then(
        () => true,
        (error: unknown) => {
          if (!stop.signal.aborted) throw error;
          return false;
        },
      );
      if (done) break;
      stops++;
    }
    expect(stops).toBeGreaterThan(3);
    expect(await resumed.read('results.json')).toEqual(await out.read('results.json'));
  });

  it('does nothing twice, and takes more seeds', async () => {
    const before = (await readTimes(out)).length;
    await runExperiment({ device, design, data, out });
    expect((await readTimes(out)).length).toBe(before);
    const one = await runExperiment({ device, design: { ...design, seeds: [1] }, data, out });
    expect((await readTimes(out)).length).toBe(before);
    expect(one.rows[3]!.metrics.loss).toEqual({
      mean: straight.rows[3]!.metrics.loss!.values[1],
      values: [straight.rows[3]!.metrics.loss!.values[1]],
    });
    expect(one.claims.every(({ found }) => found.every(({ verdict }) => verdict === 'undecided'))).toBe(true);
  });

  it('takes more variants: what was done before there was a student stays', async () => {
    const then = { ...design, seeds: [1], variants: design.variants.filter(({ taughtBy }) => !taughtBy) };
    const claims = then.claims.filter(({ better }) => !better.startsWith('student'));
    const fresh = memoryStore();
    const how = { device, data, out: fresh };
    await runExperiment({ ...how, design: { ...then, claims } });
    const before = (await readTimes(fresh)).length;
    const all = await runExperiment({ ...how, design: { ...design, seeds: [1] } });
    const pieces = (await readTimes(fresh)).slice(before).map(({ piece }) => piece);
    expect(pieces.every((piece) => piece.startsWith('seed-1/student/'))).toBe(true);
    expect(all.rows.at(-1)!.metrics.loss!.values).toEqual([straight.rows.at(-1)!.metrics.loss!.values[1]]);
  });

  it('refuses a folder of another experiment, and one of somebody else', async () => {
    const longer = experimentDesign('main', 'smoke', { steps: 13, pictures: 8 });
    await expect(runExperiment({ device, design: longer, data, out })).rejects.toThrow(
      '[experiment] the output folder holds another experiment: variants was',
    );
    const others = memoryStore();
    await writeShapes(others, 96);
    await expect(runExperiment({ device, design, data: others, out })).rejects.toThrow(
      '[experiment] the output folder holds another experiment: other pictures. Give another folder.',
    );
    const taken = memoryStore();
    await taken.write('holiday.png', Uint8Array.of(1));
    await expect(runExperiment({ device, design, data, out: taken })).rejects.toThrow(
      '[experiment] the output folder holds "holiday.png" and is no experiment of Paris.',
    );
    expect(await taken.list()).toEqual(['holiday.png']);
  });
});

describe('the other experiments', () => {
  const small = { steps: 4, pictures: 8, seeds: [3] };
  const run = async (name: string) => {
    const store = memoryStore();
    return {
      store,
      results: await runExperiment({ device, design: experimentDesign(name, 'smoke', small), data, out: store }),
    };
  };

  it('clusters: every number and kind, and routers on the same experts', async () => {
    const { store, results } = await run('clusters');
    const variants = ['k1', 'k2', 'k4', 'random', 'balanced', 'router blind', 'router small', 'router large'];
    expect(results.variants.map(({ variant }) => variant)).toEqual([...variants, 'router on a tenth', 'student']);
    const bytes = (folder: string, run: string) => store.read(`seed-3/${folder}/runs/${run}/model.safetensors`);
    expect(await bytes('router-small', 'expert-02')).toEqual(await bytes('k4', 'expert-02'));
    expect(await bytes('router-large', 'router')).not.toEqual(await bytes('k4', 'router'));
    const all = (await readLabelled(folderStore(store, 'seed-3/data-4-semantic'), 'router')).manifest;
    const tenth = await readRun(folderStore(store, 'seed-3/router-on-a-tenth/runs/router'));
    expect(tenth!.data.count).toBe(Math.round(all.count / 10));
    const oracle = (variant: string) => results.rows.find(({ row }) => row === `${variant}/oracle`)!.metrics.loss!.mean;
    expect(oracle('router blind')).toBe(oracle('k4')); // the same experts, noise and pictures
    expect(results.rows.find(({ row }) => row === 'k1/full')!.metrics.gigaflops!.mean).toBeGreaterThan(0);
  });

  it('objectives: experts that predict noise on another path, in one mixture', async () => {
    const { store, results } = await run('objectives');
    const config = async (k: number) =>
      JSON.parse(new TextDecoder().decode(await store.read(`seed-3/mixed/model/experts/0${k}/config.json`)));
    const predictions = await Promise.all([0, 1, 2, 3].map(async (k) => (await config(k)).objective.prediction));
    expect(predictions).toEqual(['epsilon', 'velocity', 'velocity', 'epsilon']);
    for (const { metrics } of results.rows) expect(Number.isFinite(metrics.loss!.mean)).toBe(true);
  });

  it('alignment: picked and unpicked experts, and how far finer steps move pictures', async () => {
    const { results } = await run('alignment');
    for (const { metrics } of results.rows) expect(metrics.refinement!.mean).toBeGreaterThan(0);
    const { pickedLoss, unpickedLoss, bestPicked } = results.variants[0]!.metrics;
    expect(pickedLoss!.mean).toBeGreaterThan(0);
    expect(unpickedLoss!.mean).toBeGreaterThan(0);
    expect(bestPicked!.mean).toBeLessThanOrEqual(1);
  });

  it('asks for classes where the data has them: experts, router and student learn them, and are sampled by them', async () => {
    const labelled = await withClasses();
    const { variants, ...rest } = experimentDesign('main', 'smoke', small);
    const few = variants
      .filter(({ name }) => name !== 'monolith+')
      .map((variant) => ({ ...variant, arms: variant.arms.slice(0, 2) }));
    const out = memoryStore();
    const results = await runExperiment({ device, design: { ...rest, variants: few }, data: labelled, out });
    expect(results.rows.map(({ row }) => row)).toEqual([
      ...['monolith/equal data', 'experts/oracle', 'experts/top1', 'student/distilled'],
    ]);
    for (const { metrics } of results.rows) expect(Number.isFinite(metrics.kernel!.mean)).toBe(true);
    for (const network of ['experts/model/experts/00', 'experts/model/router', 'student/model/experts/00']) {
      const config = JSON.parse(new TextDecoder().decode(await out.read(`seed-3/${network}/config.json`)));
      expect(config.condition, network).toMatchObject({ kind: 'label', classes: 8 });
    }
  });

  it('compute: the arithmetic of both, equal', async () => {
    const { results } = await run('compute');
    const [model, experts] = results.variants.map(({ metrics }) => metrics.expertTeraflops!.mean);
    expect(experts).toBeCloseTo(model!, 12);
  });
});

/** The shapes with a class of each: their categories. */
async function withClasses(): Promise<FileStore> {
  const { manifest, rows } = await openManifestFolder(data);
  const categories = manifest.items!.map(({ category }) => category!);
  const classes = classesOf(categories);
  const label = Uint32Array.from(categories, (category) => classNumber(classes, category)!);
  const columns = { ...columnsOf(manifest), label: { dtype: 'u32' as const, shape: [] } };
  const store = memoryStore();
  const format = { ...manifest, version: 2 as const, classes, columns };
  await writeManifestFolder(store, format, { ...(await rows.read(0, rows.count)), label });
  return store;
}

it('knows its experiments, and refuses others and seeds that are none', () => {
  expect(() => experimentDesign('maine', 'smoke')).toThrow(
    '[experiment] there is no experiment "maine". Known: main, clusters, objectives, alignment, compute.',
  );
  expect(() => experimentDesign('main', 'large' as 'smoke')).toThrow(
    '[experiment] the size is "large". Give "smoke" or "recorded".',
  );
  expect(() => experimentDesign('main', 'smoke', { seeds: [1, 1] })).toThrow('the seeds are [1, 1]. Give one or more');
  const wide = experimentDesign('main', 'recorded', { width: 128 });
  expect(wide).toMatchObject({ size: { width: 128, heads: 8, depth: 3 }, learningRate: 0.005 });
  // One that is on paper takes one seed and few pictures, those that were asked for.
  const few = experimentDesign('compute', 'recorded', { seeds: [7, 8], pictures: 5, steps: 9 });
  expect(few).toMatchObject({
    seeds: [7],
    measuring: { pictures: 5 },
    variants: [{ steps: 9 }, { steps: 9 }, { steps: 9 }],
  });
  expect(experimentDesign('compute', 'recorded')).toMatchObject({ seeds: [0], measuring: { pictures: 16 } });
});
