// An expert joins a model of eight and another one leaves it: routers that grow or are masked beside routers that are trained from
// the start on the same pictures. Prints what docs/join-and-leave.md shows: means over the seeds, and their ranges.
//
//   npm run demo                                             # collects the emoji, in out/demo
//   node tools/docs/join-and-leave.js out/demo out/join-and-leave --seeds 3
//
// The emoji without flags are partitioned into eight clusters, the flags are a data folder of their own, for a ninth expert.
// All experts are trained once; the routers' seeds differ. Run again to resume.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { dit } from '@paris/dit';
import { folderStore, memoryStore } from '@paris/files';
import { nodeStore } from '@paris/files/node';
import { routerTransformer } from '@paris/router';
import { openDevice } from '@paris/tensor';
import {
  assemble,
  defaultSize,
  ditConfig,
  evaluate,
  evaluatePictures,
  handOverClusters,
  joinData,
  listItems,
  partitionData,
  readLabelled,
  routerConfig,
  spread,
  trainExpert,
  trainRouter,
} from '@paris/trainer';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '3' },
    /** Of each expert, of a router from the start, and of one that starts from another. */
    steps: { type: 'string', default: '1600' },
    'router-steps': { type: 'string', default: '720' },
    'short-steps': { type: 'string', default: '144' },
    /** Noise levels at which routers and mixtures are measured. */
    times: { type: 'string', default: '20' },
    /** At most so many held-out pictures are measured, spread evenly. */
    pictures: { type: 'string', default: '1000' },
    /** Pictures drawn for the distance to the held-out ones, and in how many steps each. */
    drawn: { type: 'string', default: '256' },
    'sample-steps': { type: 'string', default: '20' },
  },
});
const [demo = 'out/demo', out = 'out/join-and-leave'] = positionals;
const at = (/** @type {string} */ path) => nodeStore(join(out, path));
const device = await openDevice();
const batchSize = 16;
const fullSteps = Number(values['router-steps']);
const shortSteps = Number(values['short-steps']);

// --- data ---------------------------------------------------------------------------------------------------------
const csv = readFileSync(join(demo, 'captions.csv'), 'utf8').trim().split('\n');
const isFlag = (/** @type {string} */ line) => /,Flags,/.test(line);
const [head, ...lines] = csv;
mkdirSync(out, { recursive: true });
writeFileSync(join(out, 'base.csv'), `${[head, ...lines.filter((line) => !isFlag(line))].join('\n')}\n`);
writeFileSync(join(out, 'flags.csv'), `${[head, ...lines.filter(isFlag)].join('\n')}\n`);
const [base, flags, all, without, handed] = [at('base'), at('flags'), at('all'), at('without'), at('handed')];
const photos = join(demo, 'photos');
const paris = (/** @type {string[]} */ ...args) => execFileSync('npx', ['paris', ...args], { stdio: 'inherit' });
const prepare = (/** @type {string} */ name, /** @type {string[]} */ ...how) =>
  paris('prepare', photos, '--captions', join(out, `${name}.csv`), '--out', join(out, name), ...how);
if (!(await base.exists('manifest.json'))) prepare('base', '--size', '16', '--holdout', '0.04');
if (!(await flags.exists('manifest.json'))) prepare('flags', '--like', join(out, 'base'));
if (!(await base.exists('partition/partition.json'))) await partitionData({ device, data: base, clusters: 8 });
if (!(await flags.exists('partition/partition.json'))) {
  await partitionData({ device, data: flags, like: base, add: 'all' });
}
if (!(await all.exists('partition/partition.json'))) await joinData({ data: [base, flags], out: all });
const withdrawn = 3;
const idsIn = async (/** @type {import('@paris/files').FileSource} */ data, /** @type {'router' | 'test'} */ folder) =>
  listItems((await readLabelled(data, folder)).items);
if (!(await without.exists('partition/partition.json'))) {
  const items = [...(await idsIn(base, 'router')), ...(await idsIn(base, 'test'))];
  const members = new Set(items.filter(({ cluster }) => cluster === withdrawn).map(({ id }) => id));
  await joinData({ data: [base], out: without, keep: ({ id }) => !members.has(id) });
}
if (!(await handed.exists('partition/partition.json'))) {
  await handOverClusters({ device, data: base, out: handed, clusters: [withdrawn] });
}
/** What is measured: a data folder whose held-out pictures are few enough. */
async function heldOut(/** @type {import('@paris/files').FileStore} */ data) {
  const test = (await idsIn(data, 'test')).map(({ id }) => id);
  const chosen = new Set(spread(test, Number(values.pictures)));
  const [out, left] = [memoryStore(), new Set(test.filter((id) => !chosen.has(id)))];
  await joinData({ data: [data], out, keep: ({ id }) => !left.has(id) });
  return out;
}
const measuredOn = new Map([
  [all, await heldOut(all)],
  [without, await heldOut(without)],
  [handed, await heldOut(handed)],
]);

// --- experts, once --------------------------------------------------------------------------------------------------
const experts = at('experts');
for (let cluster = 0; cluster < 9; cluster++) {
  const steps = Number(values.steps) / (cluster < 8 ? 1 : 8); // it has fewer pictures than others
  const training = { steps, batchSize, learningRate: 0.01 };
  const data = cluster < 8 ? base : all;
  await trainExpert({
    device,
    data,
    cluster,
    runs: experts,
    architecture: dit,
    config: ditConfig(defaultSize),
    training,
  });
}

// --- routers --------------------------------------------------------------------------------------------------------
/**
 * @param {import('@paris/files').FileStore} data @param {string} name @param {number} seed @param {number} steps
 * @param {import('@paris/trainer').RouterStart} [from] @param {number} [learningRate]
 */
async function router(data, name, seed, steps, from, learningRate = 0.003) {
  const runs = at(`routers/${name}-${seed}`);
  const training = { steps, batchSize, learningRate, seed };
  const config = routerConfig(defaultSize, 'words');
  const shared = { device, data, runs, architecture: routerTransformer, config, training, conditionDropout: 0.1 };
  await trainRouter({ ...shared, from });
  return runs;
}

/**
 * @param {import('@paris/files').FileStore} runs @param {import('@paris/files').FileStore} data
 * @param {number} clusters @param {readonly number[]} [absent]
 */
async function measured(runs, data, clusters, absent = []) {
  const both = memoryStore();
  for (const path of await runs.list('router'))
    if (!path.includes('checkpoints')) await both.write(path, await runs.read(path));
  for (let k = 0; k < clusters; k++) {
    if (absent.includes(k)) continue;
    const name = `expert-0${k}`;
    for (const path of await experts.list(name))
      if (!path.includes('checkpoints')) await both.write(path, await experts.read(path));
  }
  const model = memoryStore();
  await assemble({ runs: both, out: model });
  const pictures = measuredOn.get(data);
  const { router: score, losses } = await evaluate({
    device,
    model,
    data: pictures,
    timeCount: Number(values.times),
    compare: ['full'],
  });
  const { evaluation } = await evaluatePictures({
    device,
    model,
    data: pictures,
    count: Number(values.drawn),
    steps: Number(values['sample-steps']),
  });
  const { accuracy, balancedAccuracy, crossEntropy, calibrationError } = score;
  const { top2, full } = losses.policies;
  // The kernel distance is of the size of a hundredth.
  const distance = 1000 * evaluation.model.kernel.mean;
  return [accuracy, balancedAccuracy, crossEntropy, calibrationError, top2.mean, full.mean, distance];
}

/** @type {Map<string, number[][]>} */
const table = new Map();
const note = (/** @type {string} */ arm, /** @type {number[]} */ figures) => {
  table.set(arm, [...(table.get(arm) ?? []), figures]);
  console.log(arm, figures.map((figure) => figure.toFixed(4)).join(' '));
};
for (let seed = 0; seed < Number(values.seeds); seed++) {
  const old = await router(base, 'base', seed, fullSteps);
  const store = folderStore(old, 'router');
  note(
    `join: from the start, ${fullSteps} steps`,
    await measured(await router(all, 'join-full', seed, fullSteps), all, 9),
  );
  note(
    `join: from the start, ${shortSteps} steps`,
    await measured(await router(all, 'join-short', seed, shortSteps), all, 9),
  );
  for (const learns of /** @type {const} */ (['row', 'head', 'all'])) {
    const rate = learns === 'all' ? 0.001 : 0.003;
    const grown = await router(all, `join-${learns}`, seed, shortSteps, { store, learns }, rate);
    note(`join: ${learns}, ${shortSteps} steps`, await measured(grown, all, 9));
  }
  // The pictures of the withdrawn cluster are gone with it …
  const reduced = await router(without, 'leave-full', seed, fullSteps);
  note(`leave: from the start, ${fullSteps} steps`, await measured(reduced, without, 8, [withdrawn]));
  note('leave: renormalised, 0 steps', await measured(old, without, 8, [withdrawn]));
  const tuned = await router(without, 'leave-head', seed, shortSteps, { store, learns: 'head' });
  note(`leave: head, ${shortSteps} steps`, await measured(tuned, without, 8, [withdrawn]));
  // … or the other experts take them over.
  const taught = await router(handed, 'hand-full', seed, fullSteps);
  note(`hand over: from the start, ${fullSteps} steps`, await measured(taught, handed, 8, [withdrawn]));
  note('hand over: renormalised, 0 steps', await measured(old, handed, 8, [withdrawn]));
  const relearned = await router(handed, 'hand-head', seed, shortSteps, { store, learns: 'head' });
  note(`hand over: head, ${shortSteps} steps`, await measured(relearned, handed, 8, [withdrawn]));
}
await device.close();

// --- table ------------------------------------------------------------------------------------------------------------
const mean = (/** @type {number[]} */ values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const range = (/** @type {number[]} */ values) => Math.max(...values) - Math.min(...values);
console.log(
  `\n| router | accuracy | balanced | cross-entropy | calibration error | top2 loss | full loss | distance |\n|---|---|---|---|---|---|---|---|`,
);
for (const [arm, rows] of table) {
  const columns = rows[0].map((_, i) => rows.map((row) => row[i]));
  console.log(
    `| ${arm} | ${columns.map((column) => `${mean(column).toFixed(4)} (${range(column).toFixed(4)})`).join(' | ')} |`,
  );
}
