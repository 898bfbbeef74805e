// What something is: a preset, a model, a run or a data folder, in a few lines.
import { ditCost, ditParameterShapes, ditPresets, parseDiTConfig } from '@paris/dit';
import type { FileSource } from '@paris/files';
import { printable, readJson } from '@paris/files';
import { nodeStore } from '@paris/files/node';
import { readHeader } from '@paris/files/safetensors';
import { parseModelIndex, readVocabulary } from '@paris/model';
import { parseRouterConfig, routerCost, routerParameterShapes, routerPresets } from '@paris/router';
import { ValueError } from '@paris/tensor';
import { countParameters, type ParameterShapes } from '@paris/tensor/nn';
import { readManifest, readMetrics, readRun } from '@paris/trainer';
import * as z from 'zod/mini';

/** @throws ValueError if it is neither a preset's name nor a folder of ours */
export async function describe(target: string): Promise<string> {
  const preset = describePreset(target);
  if (preset) return preset;
  const store = nodeStore(target);
  if (await store.exists('model_index.json')) return describeModel(store);
  if (await store.exists('run.json')) return describeRun(store);
  if (await store.exists('manifest.json')) return describeData(store);
  const names = [...Object.keys(ditPresets), ...Object.keys(routerPresets)].join(', ');
  throw new ValueError(
    'info',
    `${target} is neither a model, run or data folder nor a preset (${names}). Check the path.`,
  );
}

/**
 * The vocabulary of a model or a data folder, a word a line, the most frequent first.
 * @throws ValueError if there is none
 */
export async function listWords(target: string): Promise<string> {
  const store = nodeStore(target);
  const words = (await store.exists('text/vocabulary.json'))
    ? (await readVocabulary(store)).words
    : (await store.exists('manifest.json'))
      ? (await readManifest(store)).vocabulary
      : undefined;
  if (!words)
    throw new ValueError('info', `${target} has no list of words. Give a model or a data folder that has one.`);
  return words.slice(2).map(printable).join('\n'); // the first two are padding and whatever is unknown
}

function describePreset(name: string): string | undefined {
  if (isKey(ditPresets, name)) {
    const config = ditPresets[name];
    const layout =
      name === 'dit-xl-2'
        ? []
        : [['layout', "the released XL/2 expert's at this size, not that of the published B/2 experts"] as const];
    return lines([
      ...numbers(name, 'expert', ditParameterShapes(config), ditCost(config), 'one picture, 77 words'),
      ...layout,
      ...pairs(config),
    ]);
  }
  if (isKey(routerPresets, name)) {
    const config = routerPresets[name];
    return lines([
      ...numbers(name, 'router', routerParameterShapes(config), routerCost(config), 'one picture'),
      ...pairs(config),
    ]);
  }
  return undefined;
}

/** How large a network is and what a forward of it costs. */
function numbers(name: string, kind: string, shapes: ParameterShapes, cost: Cost, input: string): [string, string][] {
  const count = countParameters(shapes);
  return [
    [name, `${kind}, ${millions(count)} in ${Object.keys(shapes).length} tensors`],
    ['weights', bothDTypes(count)],
    ['forward', `${forwardCost(cost)} (2 × multiply-accumulates) for ${input}`],
    ['activations', `${bothDTypes(cost.activations)} (what matrix products and attention write)`],
  ];
}

type Cost = { readonly macs: number; readonly activations: number };

function forwardCost({ macs }: Cost): string {
  const flops = 2 * macs;
  return flops < 1e8 ? `${(flops / 1e6).toFixed(2)} MFLOP` : `${(flops / 1e9).toFixed(1)} GFLOP`;
}

function bothDTypes(elements: number): string {
  return `${inBytes(4 * elements)} in f32, ${inBytes(2 * elements)} in f16`;
}

async function describeModel(store: FileSource): Promise<string> {
  const index = parseModelIndex(await store.read('model_index.json'));
  const { channels, height, width } = index.latent;
  const folders = index.files
    .filter((file) => file.path.endsWith('/model.safetensors'))
    .map((file) => file.path.replace('/model.safetensors', ''));
  const networks = await Promise.all(folders.map((folder) => describeNetwork(store, folder)));
  return lines([
    ['model', `${index.clusters} experts, ${channels} × ${height} × ${width}, ${index.codec} codec`],
    ['routing', index.routing],
    ['licence', index.licence],
    ...Object.entries(index.provenance),
    ...networks.flat(),
    ['size', `${inBytes(index.files.reduce((sum, file) => sum + file.sizeBytes, 0))} in ${index.files.length} files`],
  ]);
}

/** One network of a model: what its file holds, and what a forward costs where the architecture is one of ours. */
async function describeNetwork(store: FileSource, folder: string): Promise<[string, string][]> {
  const { entries } = await readHeader(store, `${folder}/model.safetensors`);
  const count = countParameters(Object.fromEntries(entries.map(({ name, shape }) => [name, shape])));
  const bytes = new Map<string, number>();
  for (const { dtype, sizeBytes } of entries) bytes.set(dtype, (bytes.get(dtype) ?? 0) + sizeBytes);
  const held = [...bytes].map(([dtype, sizeBytes]) => `${inBytes(sizeBytes)} in ${dtype.toLowerCase()}`).join(', ');
  const config = await readJson(store, `${folder}/config.json`, z.looseObject({ architecture: z.string() }));
  const cost = costs[config.architecture]?.(config);
  return [
    [folder, `${config.architecture}, ${millions(count)} in ${entries.length} tensors, ${held}`],
    ...(cost
      ? [['', `a forward: ${forwardCost(cost)}, activations ${bothDTypes(cost.activations)}`] as [string, string]]
      : []),
  ];
}

/** What a forward for one picture costs, by architecture. */
const costs: Readonly<Record<string, (config: unknown) => Cost>> = {
  dit: (config) => ditCost(parseDiTConfig(config)),
  'router-transformer': (config) => routerCost(parseRouterConfig(config)),
};

async function describeRun(store: FileSource): Promise<string> {
  const run = (await readRun(store))!;
  const metrics = await readMetrics(store);
  const last = metrics.slice(-50);
  const loss = last.reduce((sum, line) => sum + line.loss, 0) / last.length;
  return lines([
    [run.kind, run.kind === 'expert' ? `of cluster ${run.cluster}` : ''],
    ['status', `${run.status}, ${metrics.length} of ${run.options.steps} steps logged`],
    ['pictures', String(run.data.count)],
    ...(last.length > 0
      ? [['loss', `${loss.toFixed(4)} (mean of the last ${last.length} steps)`] as [string, string]]
      : []),
    ['adapter', run.adapters.map((adapter) => adapter.name).join(', then ')],
    ...(run.result ? [['weights', run.result.sha256] as [string, string]] : []),
    ...pairs(run.options),
  ]);
}

async function describeData(store: FileSource): Promise<string> {
  const manifest = await readManifest(store);
  const held = manifest.items.filter((item) => item.split === 'test').length;
  const partitioned = await store.exists('partition/partition.json');
  return lines([
    ['data', `${manifest.count - held} pictures for training, ${held} held out, ${manifest.size} px`],
    ['vocabulary', `${manifest.vocabulary.length - 2} words`],
    ['skipped', `${manifest.skipped.length} files`],
    ['partition', partitioned ? 'made' : 'not yet: paris partition'],
  ]);
}

function isKey<T extends object>(record: T, name: string): name is Extract<keyof T, string> {
  return Object.hasOwn(record, name);
}

function pairs(config: object): [string, string][] {
  return Object.entries(config).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
}

function inBytes(bytes: number): string {
  const [unit, name] = bytes < 1e5 ? [1e3, 'kB'] : [1e6, 'MB'];
  return `${(bytes / unit).toLocaleString('en', { maximumFractionDigits: 1 })} ${name}`;
}

function millions(count: number): string {
  return `${count.toLocaleString('en')} parameters`;
}

/** A row never becomes two: names, licences and provenance are whatever somebody wrote into a file. */
function lines(unsafe: readonly (readonly [string, string])[]): string {
  const rows = unsafe.map(([name, value]) => [printable(name), printable(value)] as const);
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`.trimEnd()).join('\n');
}
