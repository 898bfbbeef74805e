// What something is: a preset, a model, a run, a data folder or a codec, in a few lines.
import { readFile } from 'node:fs/promises';
import { ditCost, ditParameterShapes, ditPresets, parseDiTConfig } from '@paris/dit';
import type { FileSource } from '@paris/files';
import { printable, readJson } from '@paris/files';
import { nodeStore } from '@paris/files/node';
import { readHeader } from '@paris/files/safetensors';
import {
  readModelIndex,
  readVocabulary,
  unpackedShapes,
  type WeightFormat,
  weightBytes,
  weightFormats,
} from '@paris/model';
import { parseRouterConfig, routerCost, routerParameterShapes, routerPresets } from '@paris/router';
import { readPictureMetadata } from '@paris/sampler/metadata';
import { ValueError } from '@paris/tensor';
import { countParameters, type ParameterShapes } from '@paris/tensor/nn';
import {
  CODEC_REPORT,
  DataError,
  heldOutCount,
  type Manifest,
  type PartRecord,
  readCodecReport,
  readManifest,
  readMetrics,
  readRun,
} from '@paris/trainer';
import * as z from 'zod/mini';
import { inBytes } from './in-bytes.js';
import { memoryRows } from './memory.js';

/** @throws ValueError if it is neither a preset's name nor a folder of ours; DataError for a picture that says nothing */
export async function describe(target: string): Promise<string> {
  const preset = describePreset(target);
  if (preset) return preset;
  const picture = await describePicture(target);
  if (picture) return picture;
  const store = nodeStore(target);
  if (await store.exists('model_index.json')) return describeModel(store);
  if (await store.exists('run.json')) return describeRun(store);
  if (await store.exists('manifest.json')) return describeData(store);
  if (await store.exists(CODEC_REPORT)) return describeCodec(store);
  const names = [...Object.keys(ditPresets), ...Object.keys(routerPresets)].join(', ');
  throw new ValueError(
    'info',
    `${target} is neither a model, run, data or codec folder nor a preset (${names}). Check the path.`,
  );
}

/** How a PNG says that it was made, by us or by a web UI. */
async function describePicture(target: string): Promise<string | undefined> {
  if (!/\.png$/i.test(target)) return undefined;
  const bytes = await readFile(target).catch((cause: NodeJS.ErrnoException) => {
    throw new DataError('info', `${target} cannot be read (${cause.code}). Check its path.`, { cause });
  });
  const { parameters, made } = readPictureMetadata(bytes);
  if (parameters === undefined) {
    throw new DataError('info', `${target} does not say how it was made. Give a PNG with a text chunk "parameters".`);
  }
  return [...parameters.split('\n').map(printable), ...(made ? [`Model: ${made.model}`] : [])].join('\n');
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
    const shapes = ditParameterShapes(config);
    const layout =
      name === 'dit-xl-2'
        ? []
        : [['layout', "the released XL/2 expert's at this size, not that of the published B/2 experts"] as const];
    return lines([
      ...numbers(name, 'expert', shapes, ditCost(config), 'one picture, 77 words', weightFormats),
      ...memoryRows({ experts: Array.from({ length: 8 }, () => shapes), others: [], formats: weightFormats }).slice(1),
      ...layout,
      ...pairs(config),
    ]);
  }
  if (isKey(routerPresets, name)) {
    const config = routerPresets[name];
    return lines([
      ...numbers(name, 'router', routerParameterShapes(config), routerCost(config), 'one picture', ['f32', 'f16']),
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
  cost: Cost,
  input: string,
  formats: readonly WeightFormat[],
): [string, string][] {
  const count = countParameters(shapes);
  const weights = formats.map((format) => [format, weightBytes(shapes, format)] as const);
  return [
    [name, `${kind}, ${millions(count)} in ${Object.keys(shapes).length} tensors`],
    ['weights', weights.map(([format, bytes]) => `${inBytes(bytes)} in ${format}`).join(', ')],
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
  const index = await readModelIndex(store, 'the folder');
  const { channels, height, width } = index.latent;
  const folders = index.files
    .filter((file) => file.path.endsWith('/model.safetensors'))
    .map((file) => file.path.replace('/model.safetensors', ''));
  const networks = await Promise.all(folders.map((folder) => describeNetwork(store, folder)));
  const shapesOf = (wanted: (folder: string) => boolean) =>
    networks.flatMap(({ folder, shapes }) => (wanted(folder) ? [shapes] : []));
  return lines([
    ['model', `${index.clusters} experts, ${channels} × ${height} × ${width}, ${index.codec} codec`],
    ['routing', index.routing],
    ...(index.weights ? [['weights', `experts packed in ${index.weights}`] as [string, string]] : []),
    ['licence', index.licence],
    ...Object.entries(index.provenance),
    ...networks.flatMap(({ rows }) => rows),
    ...memoryRows({
      experts: shapesOf((folder) => folder.startsWith('experts/')),
      others: shapesOf((folder) => !folder.startsWith('experts/')),
      formats: index.weights ? [index.weights] : weightFormats,
    }),
    ['size', `${inBytes(index.files.reduce((sum, file) => sum + file.sizeBytes, 0))} in ${index.files.length} files`],
  ]);
}

/** One network of a model: what its file holds, and what a forward costs where the architecture is one of ours. */
async function describeNetwork(
  store: FileSource,
  folder: string,
): Promise<{ folder: string; shapes: ParameterShapes; rows: [string, string][] }> {
  const { entries } = await readHeader(store, `${folder}/model.safetensors`);
  const shapes = unpackedShapes(entries);
  const count = countParameters(shapes);
  const bytes = new Map<string, number>();
  for (const { dtype, sizeBytes } of entries) bytes.set(dtype, (bytes.get(dtype) ?? 0) + sizeBytes);
  const held = [...bytes].map(([dtype, sizeBytes]) => `${inBytes(sizeBytes)} in ${dtype.toLowerCase()}`).join(', ');
  const config = await readJson(store, `${folder}/config.json`, z.looseObject({ architecture: z.string() }));
  const { architecture } = config;
  const cost = Object.hasOwn(costs, architecture) ? costs[architecture]!(config) : undefined;
  const rows: [string, string][] = [
    [folder, `${config.architecture}, ${millions(count)} in ${Object.keys(shapes).length} tensors, ${held}`],
    ...(cost
      ? [['', `a forward: ${forwardCost(cost)}, activations ${bothDTypes(cost.activations)}`] as [string, string]]
      : []),
  ];
  return { folder, shapes, rows };
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
  const held = await heldOutCount(store, manifest);
  const partitioned = await store.exists('partition/partition.json');
  return lines([
    ['data', `${manifest.count - held} pictures for training, ${held} held out, ${manifest.size} px`],
    ['vocabulary', `${manifest.vocabulary.length - 2} words`],
    ...encodingRows(manifest),
    ['skipped', `${manifest.skipped.length} files`],
    ['partition', partitioned ? 'made' : 'not yet: paris partition'],
  ]);
}

/** A codec that `paris train codec` wrote. */
async function describeCodec(store: FileSource): Promise<string> {
  const { training, heldOut, files } = await readCodecReport(store);
  const { architecture, ...config } = await readJson(store, 'config.json', z.record(z.string(), z.json()));
  const { entries } = await readHeader(store, 'model.safetensors');
  const count = countParameters(unpackedShapes(entries));
  const drawn = ({ pictures, psnr }: typeof training) =>
    `${pictures} pictures drawn from latents: ${psnr.toFixed(1)} dB`;
  return lines([
    ['codec', `${architecture}, ${millions(count)} in ${entries.length} tensors`],
    ['training', drawn(training)],
    ...(heldOut ? [['held out', drawn(heldOut)] as [string, string]] : []),
    ['weights', files['model.safetensors'] ?? ''],
    ...pairs(config),
  ]);
}

/** What a data folder has besides pictures and words. */
function encodingRows({ latents, text, classes, size }: Manifest): [string, string][] {
  const part = ({ architecture, sha256 }: PartRecord) => `${architecture} ${sha256.slice(0, 8)}…`;
  const rows: [string, string][] = [];
  if (latents) {
    const { channels, height, width, pictureSize, codec } = latents;
    const shape = `${channels} × ${height} × ${width} of ${pictureSize} px, by ${part(codec)}`;
    rows.push(['latents', `${shape}; pictures of ${size} px to look at`]);
  }
  if (text) rows.push(['text', `features of ${text.length} × ${text.width}, by ${part(text.encoder)}`]);
  if (classes) {
    const { classes: count, names } = classes;
    rows.push(['classes', names ? `${count}: ${names.slice(0, 8).join(', ')}${count > 8 ? ', …' : ''}` : `${count}`]);
  }
  return rows;
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

function millions(count: number): string {
  return `${count.toLocaleString('en')} parameters`;
}

function cell(text: string, most: number): string {
  return printable(text.length > most ? `${text.slice(0, most)}…` : text);
}

/** A row never becomes two: names, licences and provenance are whatever somebody wrote into a file. */
function lines(unsafe: readonly (readonly [string, string])[]): string {
  const rows = unsafe.map(([name, value]) => [cell(name, 100), cell(value, 2000)] as const);
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`.trimEnd()).join('\n');
}
