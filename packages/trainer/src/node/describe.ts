// What something is: a preset, a model, a run or a data folder, in a few lines.
import { ditCost, ditParameterShapes, ditPresets } from '@paris/dit';
import { routerCost, routerParameterShapes, routerPresets } from '@paris/router';
import { parseModelIndex } from '@paris/sampler';
import { ValueError } from '@paris/tensor';
import { countParameters, type ParameterShapes } from '@paris/tensor/nn';
import { nodeStore } from '@paris/tensor/node';
import { readHeader } from '@paris/tensor/safetensors';
import type { FileStore } from '@paris/tensor/store';
import { manifestSchema } from '../formats/data.js';
import { readJson } from '../formats/json.js';
import { readMetrics } from '../run/metrics.js';
import { readRun } from '../run/record.js';

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
function numbers(
  name: string,
  kind: string,
  shapes: ParameterShapes,
  { macs, activations }: { readonly macs: number; readonly activations: number },
  input: string,
): [string, string][] {
  const count = countParameters(shapes);
  const both = (elements: number) => `${megabytes(4 * elements)} in f32, ${megabytes(2 * elements)} in f16`;
  return [
    [name, `${kind}, ${millions(count)} in ${Object.keys(shapes).length} tensors`],
    ['weights', both(count)],
    ['forward', `${((2 * macs) / 1e9).toFixed(1)} GFLOP (2 × multiply-accumulates) for ${input}`],
    ['activations', `${both(activations)} (what matrix products and attention write)`],
  ];
}

async function describeModel(store: FileStore): Promise<string> {
  const index = parseModelIndex(await store.read('model_index.json'));
  const { channels, height, width } = index.latent;
  const weights = index.files.filter((file) => file.path.endsWith('/model.safetensors'));
  const counts = await Promise.all(
    weights.map(async (file) => [file.path, await parametersOf(store, file.path)] as const),
  );
  return lines([
    ['model', `${index.clusters} experts, ${channels} × ${height} × ${width}, ${index.codec} codec`],
    ['routing', index.routing],
    ['licence', index.licence],
    ...Object.entries(index.provenance),
    ...counts.map(([path, count]): [string, string] => [path.replace('/model.safetensors', ''), millions(count)]),
    ['size', `${megabytes(index.files.reduce((sum, file) => sum + file.sizeBytes, 0))} in ${index.files.length} files`],
  ]);
}

async function describeRun(store: FileStore): Promise<string> {
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

async function describeData(store: FileStore): Promise<string> {
  const manifest = await readJson(store, 'manifest.json', manifestSchema);
  const held = manifest.items.filter((item) => item.split === 'test').length;
  const partitioned = await store.exists('partition/partition.json');
  return lines([
    ['data', `${manifest.count - held} pictures for training, ${held} held out, ${manifest.size} px`],
    ['vocabulary', `${manifest.vocabulary.length - 2} words`],
    ['skipped', `${manifest.skipped.length} files`],
    ['partition', partitioned ? 'made' : 'not yet: paris partition'],
  ]);
}

async function parametersOf(store: FileStore, path: string): Promise<number> {
  const { entries } = await readHeader(store, path);
  return countParameters(Object.fromEntries(entries.map(({ name, shape }) => [name, shape])));
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

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toLocaleString('en', { maximumFractionDigits: 1 })} MB`;
}

function millions(count: number): string {
  return `${count.toLocaleString('en')} parameters`;
}

function lines(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`.trimEnd()).join('\n');
}
