// One network of a model in somebody else's form: where its weights are, and under which names.
import { type FileSource, parseJson } from '@paris/files';
import { type Checkpoint, openCheckpoint } from '@paris/files/checkpoint';
import type { HostTensor } from '@paris/files/safetensors';
import { type KeyMap, limits, mapCheckpoint, type Network, type ReadNetwork } from '@paris/model';
import { CheckpointError, flattenTree, key, type Tensor } from '@paris/tensor';
import { countParameters, type ParameterShapes } from '@paris/tensor/nn';

/** A network whose weights are read from a foreign checkpoint. */
export interface ForeignPart<N> extends ReadNetwork<N> {
  /** Files beside config.json that it was made with: a tokenizer's. */
  readonly companions: Readonly<Record<string, Uint8Array>>;
  /** Its parameters under our names. */
  readonly tensors: () => AsyncGenerator<[name: string, tensor: HostTensor]>;
  /** How many numbers they are. */
  readonly parameters: number;
  /** Tensors of the checkpoint that it does not use. */
  readonly unused: readonly string[];
  /** Why the checkpoint is not of this network: nothing is read of it then. */
  readonly misfit: CheckpointError | undefined;
}

/** A network without parameters, or what makes a part of one that has some. */
interface PartOptions<N> {
  readonly folder: string;
  readonly config: { readonly architecture: string };
  readonly network: N;
  readonly companions?: Readonly<Record<string, Uint8Array>>;
  readonly weights?: Weights;
}

interface Weights {
  readonly checkpoint: Checkpoint;
  readonly layout: KeyMap;
  readonly where: string;
}

/**
 * A part whose parameters are looked for in the checkpoint. Those that are missing or of another shape are its `misfit`, for all
 * parts to be looked at before anything is said.
 */
export function foreignPart<N extends Network>({
  folder,
  config,
  network,
  companions = {},
  weights,
}: PartOptions<N>): ForeignPart<N> {
  const shapes = Object.fromEntries(
    flattenTree<Tensor>(network.init(key(0))).map(({ path, value }) => [path, value.shape]),
  );
  const { mapped, misfit } = weights ? mappedOf(weights, shapes) : {};
  return {
    ...{ folder, config, network, companions, architecture: config.architecture },
    hasWeights: mapped !== undefined,
    stored: Object.entries(shapes).map(([name, shape]) => ({ name, dtype: 'F32', shape })),
    parameters: countParameters(shapes),
    tensors: mapped?.stream ?? none,
    ...{ unused: mapped?.unused ?? [], misfit },
  };
}

function mappedOf({ checkpoint, layout, where }: Weights, shapes: ParameterShapes) {
  try {
    return { mapped: mapCheckpoint(layout, shapes, checkpoint, where) };
  } catch (error) {
    if (error instanceof CheckpointError) return { misfit: error };
    throw error;
  }
}

async function* none(): AsyncGenerator<[string, HostTensor]> {}

/** A layout whose names are ours. */
export const sameNames = (name: string): KeyMap => ({ name, pieces: (each) => [{ key: each, parts: 1 }] });

/** The names that diffusers and transformers give to files of weights, those that are preferred first. */
const weightFiles = ['diffusion_pytorch_model', 'model', 'pytorch_model'].flatMap((name) => [
  `${name}.safetensors`,
  `${name}.safetensors.index.json`,
  `${name}.bin`,
  `${name}.bin.index.json`,
  `${name}.fp16.safetensors`,
]);

/** The weights in a folder, by the names that others give them; `key` as `openCheckpoint` takes it. @throws CheckpointError if there are none */
export async function openWeights(
  source: FileSource,
  folder: string,
  key?: string,
): Promise<{ checkpoint: Checkpoint; path: string }> {
  for (const name of weightFiles) {
    const path = inside(folder, name);
    if (await source.exists(path)) return { checkpoint: await openCheckpoint(source, path, { key }), path };
  }
  throw new CheckpointError(
    'loadPipeline',
    `${folder || 'the folder'} has no file of weights (${weightFiles[0]}, …). Was it downloaded?`,
  );
}

/** `folder/name`; `''` is the source itself. */
export function inside(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}

/** A JSON file with an object, or undefined if it is not there. @throws CheckpointError if it is something else */
export async function readRecord(source: FileSource, path: string): Promise<Record<string, unknown> | undefined> {
  if (!(await source.exists(path))) return undefined;
  const json = parseJson(await source.read(path, undefined, { maxBytes: limits.configBytes }), {
    tag: 'loadPipeline',
    path,
  });
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as Record<string, unknown>;
  throw new CheckpointError('loadPipeline', `${path} is not what this version reads: it must be an object.`);
}
