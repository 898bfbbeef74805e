// From what the commands wrote to what the page shows. Nothing is measured here; figures come from the files of the run.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileSource } from '@paris/files';
import { nodeStore } from '@paris/files/node';
import { columnOf, type LabelledFolder, listItems, readLabelled, readMetrics, readRun } from '@paris/trainer';
import { baseCodepoints, sources } from '../data/emoji.js';
import type { DemoOptions } from '../options.js';
import { count } from '../report/format.js';
import type { Arm, Control, ExpertSummary, PageInput } from '../report/types.js';
import type { Ledger } from '../run/ledger.js';
import { expertName, layout } from '../stages.js';
import { summariseClusters } from './clusters.js';
import { type Estimate, type Evaluation, readEvaluation } from './evaluation.js';
import { readSamples } from './samples.js';
import { summariseTimings } from './timings.js';

/** Reads everything. @throws the readers' errors, which name the file */
export async function collect(options: DemoOptions, ledger: Ledger, command: string): Promise<PageInput> {
  const data = nodeStore(join(options.out, layout.data));
  const [train, test] = [await readPictures(data, 'router'), await readPictures(data, 'test')];
  const items = [...train.manifest.items, ...test.manifest.items];
  const evaluation = await readEvaluation(join(options.out, layout.evaluation));
  const experts = await Promise.all(Array.from({ length: options.clusters }, (_, k) => readExpert(options, k)));
  const router = await readTraining(options.out, 'router');
  const semantics = evaluation.semantics.heldOut;
  return {
    command,
    options: optionPairs(options),
    adapter: (ledger.adapter ?? 'an unnamed adapter').replace(/^adapter: /, ''),
    versions: [...Object.entries(router.run.versions), ['node', process.versions.node] as const],
    data: {
      size: train.manifest.size,
      train: train.manifest.count,
      test: test.manifest.count,
      groups: new Set(items.map((item) => item.group)).size,
    },
    clusters: await summariseClusters(train, test),
    semantic: { ...semantics, mutualInformation: semantics.nats },
    experts,
    router: { parameters: router.parameters, steps: router.run.result?.steps ?? 0, ...evaluation.router },
    samples: await readSamples(join(options.out, layout.trace)),
    released: await readSamples(join(options.out, layout.releasedTrace)),
    arms: armsOf(evaluation.losses),
    controls: [
      splitControl(train.manifest.items, test.manifest.items),
      ...evaluation.controls.map((control) => ({ ...control, gate: true })),
      semanticControl(semantics),
    ],
    timings: summariseTimings(ledger.tasks),
    sources: sources.map((source) => ({
      ...source,
      count: items.filter((item) => item.id.startsWith(`${source.vendor}/`)).length,
    })),
  };
}

/** The same emoji must not be on both sides, whatever its vendor and skin tone. Read off the file names, not the groups. */
export function splitControl(train: readonly { id: string }[], test: readonly { id: string }[]): Control {
  const basesOf = (items: readonly { id: string }[]) =>
    new Set(items.map((item) => baseCodepoints(item.id.replace(/^.*\/|\.png$/g, ''))));
  const [seen, unseen] = [basesOf(train), basesOf(test)];
  const both = [...unseen].filter((base) => seen.has(base));
  return {
    name: 'split by base codepoint',
    detail: `${count(seen.size)} emoji for training, ${count(unseen.size)} held out, ${both.length} on both sides (none wanted)`,
    passed: both.length === 0 && unseen.size > 0,
    gate: true,
  };
}

function semanticControl({ nats, threshold, partitions, semantic }: Evaluation['semantics']['heldOut']): Control {
  return {
    name: 'clusters are called semantic',
    detail: `mutual information with the category ${nats.toFixed(3)} nats; 99th percentile of ${count(partitions)} random partitions ${threshold.toFixed(3)}`,
    passed: semantic,
    gate: false,
  };
}

function armsOf(losses: Evaluation['losses']): Arm[] {
  const names: Record<string, string> = { top1: 'top 1', top2: 'top 2', full: 'all, weighted' };
  const arm = (
    id: string,
    name: string,
    kind: Arm['kind'],
    { mean, standardError }: Estimate,
    expert?: number,
  ): Arm => ({
    id,
    name,
    kind,
    expert,
    loss: mean,
    standardError,
  });
  return [
    ...losses.experts.map((estimate, k) => arm(expertName(k), `expert ${k}`, 'single', estimate, k)),
    ...Object.entries(losses.policies).map(([id, estimate]) => arm(id, names[id] ?? id, 'mixture', estimate)),
    arm('permuted', 'top 2, permuted', 'control', losses.permuted),
    arm('oracle', 'expert of the true cluster', 'control', losses.oracle),
  ];
}

async function readTraining(out: string, name: string) {
  const store = nodeStore(join(out, layout.runs, name));
  const run = await readRun(store);
  if (!run) throw new Error(`internal: ${name} is complete but has no run.json`);
  return {
    run,
    metrics: await readMetrics(store),
    parameters: await parameterCount(join(out, layout.runs, name, 'model.safetensors')),
  };
}

async function readExpert({ out, batch }: DemoOptions, index: number): Promise<ExpertSummary> {
  const { run, metrics, parameters } = await readTraining(out, expertName(index));
  return {
    index,
    parameters,
    steps: run.result?.steps ?? 0,
    seen: (run.result?.steps ?? 0) * batch,
    loss: metrics.map((line) => line.loss),
    imagesPerSecond: run.result?.imagesPerSecond ?? 0,
    sha256: run.result?.sha256 ?? '',
  };
}

/** Numbers in a safetensors file: the product of each shape in its header (u64 length, then JSON). */
async function parameterCount(file: string): Promise<number> {
  const bytes = await readFile(file);
  const header: Record<string, { shape?: number[] }> = JSON.parse(
    bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE(0))).toString(),
  );
  return Object.values(header).reduce((sum, { shape }) => sum + (shape ? shape.reduce((a, b) => a * b, 1) : 0), 0);
}

function optionPairs(options: DemoOptions): (readonly [string, string])[] {
  const {
    size,
    patch,
    width,
    depth,
    heads,
    batch,
    steps,
    routerSteps,
    learningRate,
    routerLearningRate,
    clusters,
    seed,
    jobs,
  } = options;
  return Object.entries({
    'picture size': `${size} px`,
    'patch size': `${patch} px`,
    width,
    depth,
    heads,
    batch,
    'steps of an expert': steps,
    'steps of the router': routerSteps,
    'peak learning rate of an expert': learningRate,
    'peak learning rate of the router': routerLearningRate,
    clusters,
    seed,
    'processes at once': jobs,
  }).map(([name, value]) => [name, String(value)] as const);
}

/** A folder of pictures of all clusters: the page draws some of them. */
async function readPictures(data: FileSource, folder: LabelledFolder) {
  const { manifest, items, labels, rows } = await readLabelled(data, folder);
  return {
    manifest: { ...manifest, items: await listItems(items) },
    labels,
    pixels: columnOf(await rows.read(0, rows.count), 'images', 'u8'),
  };
}
