// A router that another one grows from: that of a finished run, or of a model.
import { type FileSource, parseJson, sha256 } from '@paris/files';
import { parseSafetensors } from '@paris/files/safetensors';
import { indexPath, isFiniteData, type LabelSet, parseModelIndex, readVocabulary } from '@paris/model';
import { growRouter, parseRouterConfig, type RouterConfig, type RouterWeights } from '@paris/router';
import { CheckpointError, ValueError } from '@paris/tensor';
import { RunError } from '../errors.js';
import { WEIGHTS_FILE } from '../run/claim.js';
import { type Json, readRun } from '../run/record.js';

/** A router transformer with its weights on the host. */
export interface OldRouter {
  readonly config: RouterConfig;
  /** The noise path that it was trained on. */
  readonly path: string;
  readonly weights: RouterWeights;
  /** Those that it reads, by their ids; undefined if it reads none. */
  readonly words: readonly string[] | undefined;
  /** Of the file of its weights. */
  readonly sha256: string;
}

/**
 * The router in a run's folder or in a model's.
 * @throws CheckpointError if there is none, it is no router transformer, or its list of words is missing; RunError if its run is not finished
 */
export async function readOldRouter(store: FileSource): Promise<OldRouter> {
  const { json, path, file } = (await store.exists('run.json')) ? await ofRun(store) : await ofModel(store);
  const config = parseRouterConfig(json);
  const bytes = await store.read(file);
  const tensors = Object.entries(parseSafetensors(bytes, file));
  const broken = tensors.find(([, { data }]) => !(data instanceof Float32Array) || !isFiniteData(data));
  if (broken) {
    throw new CheckpointError('train', `${broken[0]} of the old router is not finite. Take another one.`);
  }
  const weights = Object.fromEntries(
    tensors.map(([name, { data, shape }]) => [name, { data: data as Float32Array, shape }]),
  );
  const words = config.condition?.kind === 'tokens' ? (await readVocabulary(store)).words : undefined;
  return { config, path, weights, words, sha256: await sha256(bytes) };
}

async function ofRun(store: FileSource): Promise<{ json: unknown; path: string; file: string }> {
  const run = (await readRun(store))!;
  if (run.kind !== 'router') {
    throw new RunError('train', `the run to start from is that of an ${run.kind}. Give a router's.`);
  }
  if (run.status !== 'finished') {
    throw new RunError('train', 'the router to start from is not finished. Run the same train command to resume it.');
  }
  const { config, architecture, path } = run.options;
  assertTransformer(architecture);
  return { json: config, path: String(path), file: WEIGHTS_FILE };
}

async function ofModel(store: FileSource): Promise<{ json: unknown; path: string; file: string }> {
  const config = 'router/config.json';
  if (!(await store.exists(indexPath)) || !(await store.exists(config))) {
    throw new CheckpointError('train', 'there is no router to start from. Give the folder of its run, or of a model.');
  }
  const { path } = parseModelIndex(await store.read(indexPath));
  const json = parseJson(await store.read(config), { tag: 'train', path: config });
  assertTransformer((json as { architecture?: unknown } | null)?.architecture);
  return { json, path, file: 'router/model.safetensors' };
}

function assertTransformer(architecture: unknown): void {
  if (architecture === 'router-transformer') return;
  const what = `the router to start from is a ${JSON.stringify(architecture)}, and a router-transformer can grow`;
  throw new CheckpointError('train', `${what}. Train yours from the start.`);
}

/** What the data has that routers read. */
export interface RouterFormat {
  readonly size: number;
  readonly channels: number;
  readonly vocabulary: readonly string[];
  readonly classes?: LabelSet | undefined;
}

/**
 * The config and weights of a router of `clusters` clusters that starts from an old one.
 * @param labels - the cluster of each picture: the new rows begin with the shares of their clusters
 * @throws ValueError if there are fewer clusters, a new one without pictures, none of an old one, or pictures, words or classes that
 *   the old router does not read
 */
export function grownFrom(
  old: OldRouter,
  clusters: number,
  labels: Uint32Array,
  format: RouterFormat,
): { config: { [name: string]: Json }; weights: RouterWeights } {
  const known = old.config.clusters;
  if (clusters < known) {
    const what = `the old router knows ${known} clusters, the data has ${clusters}`;
    throw new ValueError('train', `${what}. Give the data that it was trained on, with what came since.`);
  }
  assertReads(old, format);
  const shares = Array.from({ length: clusters - known }, (_, i) => {
    const count = labels.reduce((sum, label) => sum + (label === known + i ? 1 : 0), 0);
    if (count > 0) return count / labels.length;
    throw new ValueError('train', `cluster ${known + i} has no picture for the router to learn from. Add some.`);
  });
  if (labels.every((label) => label >= known)) {
    const what = 'the data has pictures of new clusters alone, and the router would forget the others';
    throw new ValueError('train', `${what}. Join it to the old data: paris merge DATA NEW --keep-clusters --out ALL.`);
  }
  const config = { ...old.config, clusters } as unknown as { [name: string]: Json };
  return { config, weights: shares.length > 0 ? growRouter(old.weights, shares) : old.weights };
}

function assertReads({ config, words = [] }: OldRouter, { size, channels, vocabulary, classes }: RouterFormat): void {
  const { inputSize, condition } = config;
  const refuse = (reads: string, has: string, how: string) => {
    throw new ValueError('train', `the old router reads ${reads}, the data has ${has}. ${how}.`);
  };
  const like = 'Prepare the data like the old: --like';
  if (inputSize !== size || config.channels !== channels) {
    refuse(`${config.channels} × ${inputSize} × ${inputSize}`, `${channels} × ${size} × ${size}`, like);
  }
  if (
    condition?.kind === 'tokens' &&
    (words.length !== vocabulary.length || words.some((word, i) => word !== vocabulary[i]))
  ) {
    refuse(`${words.length} words`, words.length === vocabulary.length ? 'others' : `${vocabulary.length}`, like);
  }
  if (condition?.kind === 'label' && classes && condition.classes !== classes.classes) {
    const how = 'Prepare the data with the list of classes of the old: --labels';
    refuse(`${condition.classes} classes`, `${classes.classes}`, how);
  }
}
