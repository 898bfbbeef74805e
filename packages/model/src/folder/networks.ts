// A model folder's networks: what its config.json files describe, and whether the weights beside them fit. No weight is read.
import { type FileSource, parseJson } from '@paris/files';
import { type HostTensor, readHeader, type SafetensorsEntry } from '@paris/files/safetensors';
import { CheckpointError, flattenTree, type Tensor } from '@paris/tensor';
import {
  type Architecture,
  type Companions,
  findArchitecture,
  type LazyArchitecture,
  type Network,
} from '../contracts/architecture.js';
import type { Codec } from '../contracts/codec.js';
import type { Expert } from '../contracts/expert.js';
import type { Router } from '../contracts/router.js';
import type { TextEncoder } from '../contracts/text.js';
import { limits } from '../limits.js';
import { packedExperts } from '../quantized/packed.js';
import { misfits } from './fit.js';
import { expertFolder, indexPath, type ModelIndex, parseModelIndex, presentExperts } from './format.js';
import { compareParameters, parameterShapes } from './parameters.js';

/** A network that a config.json describes. */
export interface ReadNetwork<N> {
  /** `experts/00`, `router`, … */
  readonly folder: string;
  /** Its name in config.json. */
  readonly architecture: string;
  /** The contents of its config.json. */
  readonly config: unknown;
  readonly network: N;
  /** Whether there is a file of weights to load; a network without parameters has none. */
  readonly hasWeights: boolean;
  /** The tensors that its weights are, by safetensors' names of dtypes. */
  readonly stored: readonly Pick<SafetensorsEntry, 'name' | 'dtype' | 'shape'>[];
  /** Whether it has no weights since its expert is absent; then `network` is that of another expert. */
  readonly absent?: true | undefined;
  /** Its weights, where they are not in `model.safetensors` of the folder. */
  readonly tensors?: () => AsyncIterable<[name: string, tensor: HostTensor]>;
}

/** The networks of a model. Experts with the same config share one `network`, and so its compiled plans. */
export interface ModelNetworks {
  /** By cluster. */
  readonly experts: readonly ReadNetwork<Expert>[];
  /** A model of one expert has none. */
  readonly router: ReadNetwork<Router> | undefined;
  readonly codec: ReadNetwork<Codec>;
  /** A model whose experts take no prompts has none. */
  readonly text: ReadNetwork<TextEncoder> | undefined;
}

/** What a model may consist of; of equal names the first counts. */
export interface KnownArchitectures {
  readonly experts: readonly Architecture<Expert>[];
  readonly routers: readonly Architecture<Router>[];
  readonly codecs: readonly (Architecture<Codec> | LazyArchitecture<Codec>)[];
  /** Left out: the text side is not read. */
  readonly textEncoders?: readonly (Architecture<TextEncoder> | LazyArchitecture<TextEncoder>)[] | undefined;
}

/** The index of a model folder. @throws CheckpointError if there is none, or it is not sound */
export async function readModelIndex(store: FileSource, where: string): Promise<ModelIndex> {
  if (!(await store.exists(indexPath))) {
    throw new CheckpointError('loadPipeline', `there is no ${indexPath} in ${where}. Give the folder that holds it.`);
  }
  return parseModelIndex(await store.read(indexPath, undefined, { maxBytes: limits.indexBytes }));
}

/**
 * The networks that a model folder describes.
 * @param files - see `verifiedStore`
 * @throws CheckpointError that lists every weight that is missing, left over or of another shape, and parts that do not fit
 *   each other: a codec of other latents, a text encoder of another width
 */
export async function readNetworks(
  files: FileSource,
  index: ModelIndex,
  known: KnownArchitectures,
): Promise<ModelNetworks> {
  const problems: string[] = [];
  const read = reader(files, problems);
  const experts: ReadNetwork<Expert>[] = [];
  for (const k of presentExperts(index)) {
    experts[k] = await read(expertFolder(k), known.experts, 'Give yours as architectures.', undefined, index.weights);
  }
  const any = experts.find((each) => each)!;
  for (let k = 0; k < index.clusters; k++) {
    if (!experts[k]) experts[k] = { ...any, folder: expertFolder(k), hasWeights: false, stored: [], absent: true };
  }
  const router = index.clusters > 1 ? await read('router', known.routers, 'Give yours as routers.') : undefined;
  const clusters = router?.network.clusters ?? 1;
  if (clusters !== index.clusters) {
    problems.push(`router: it knows ${clusters} clusters, the model has ${index.clusters} experts`);
  }
  // Folders without a config.json of these parts, or with one from before they had parameters, name the built-in ones.
  const codec = await read('codec', known.codecs, 'Give yours as codecs.', index.codec);
  if (codec.architecture !== index.codec) {
    problems.push(`codec: ${indexPath} says "${index.codec}", its config.json "${codec.architecture}"`);
  }
  const hasText = known.textEncoders && index.files.some(({ path }) => path.startsWith('text/'));
  const text = hasText
    ? await read('text', known.textEncoders, 'Give yours as textEncoders, or a promptEncoder.', 'word-list')
    : undefined;
  const networks = { experts: index.weights ? packedExperts(experts) : experts, router, codec, text };
  if (problems.length === 0) problems.push(...misfits(networks, index));
  if (problems.length === 0) return networks;
  throw new CheckpointError('loadPipeline', `the model does not fit together. ${problems.join('; ')}.`);
}

/**
 * One network of a model folder, or of a folder of its own: `codec`, `text`. Its weights are read by a `WeightLoader`.
 * @param files - where the folder is
 * @param fix - what to do where the architecture is not known: a sentence
 * @throws CheckpointError if the folder has no config.json, or one of another kind, or weights that are not its network's
 */
export async function readNetwork<N extends Network>(
  files: FileSource,
  folder: string,
  architectures: readonly (Architecture<N> | LazyArchitecture<N>)[],
  fix: string,
): Promise<ReadNetwork<N>> {
  const problems: string[] = [];
  const network = await reader(files, problems)(folder, architectures, fix);
  if (problems.length === 0) return network;
  throw new CheckpointError('readNetwork', `the weights are not those of its config.json. ${problems.join('; ')}.`);
}

function reader(files: FileSource, problems: string[]) {
  const byConfig = new Map<string, unknown>();
  return async <N extends Network>(
    folder: string,
    architectures: readonly (Architecture<N> | LazyArchitecture<N>)[],
    fix: string,
    fallback?: string,
    format?: ModelIndex['weights'],
  ): Promise<ReadNetwork<N>> => {
    const origin = { tag: 'loadPipeline', path: `${folder}/config.json`, fix };
    const json = await readConfig(files, origin, fallback);
    const found = findArchitecture(json, architectures, origin);
    const architecture = 'load' in found ? await found.load() : found;
    // Experts of one config are one network; files beside config.json are each folder's own.
    const kind = architecture.companions ? folder : folder.split('/')[0];
    const key = `${kind} ${JSON.stringify(json)}`;
    const network =
      (byConfig.get(key) as N | undefined) ??
      architecture.fromConfig(json, await readCompanions(files, folder, architecture.companions));
    byConfig.set(key, network);

    const parameters = parameterShapes(network);
    const weights = `${folder}/model.safetensors`;
    const hasWeights = flattenTree<Tensor>(parameters).length > 0 || (await files.exists(weights));
    const stored = hasWeights ? (await readHeader(files, weights)).entries : [];
    if (hasWeights) {
      const misfits = compareParameters(parameters, stored, format);
      problems.push(...misfits.map((problem) => `${folder}: ${problem}`));
    }
    return { folder, architecture: architecture.architecture, config: json, network, hasWeights, stored };
  };
}

async function readConfig(
  files: FileSource,
  origin: { tag: string; path: string },
  fallback?: string,
): Promise<unknown> {
  const read = async () =>
    parseJson(await files.read(origin.path, undefined, { maxBytes: limits.configBytes }), origin);
  if (fallback === undefined) return read();
  const json = (await files.exists(origin.path)) ? await read() : {};
  const isNamed = typeof json === 'object' && json !== null && 'architecture' in json;
  return isNamed ? json : { architecture: fallback };
}

async function readCompanions(files: FileSource, folder: string, names: readonly string[] = []): Promise<Companions> {
  const found: Record<string, Uint8Array> = {};
  for (const name of names) {
    const path = `${folder}/${name}`;
    if (await files.exists(path)) found[name] = await files.read(path, undefined, { maxBytes: limits.companionBytes });
  }
  return found;
}
