// The initial weights of a run: drawn from its seed, or taken from a checkpoint.

import { type ParameterShapes, parisLayout, remadeGroups, warmStart } from '@paris/dit';
import type { FileSource } from '@paris/files';
import { sha256 } from '@paris/files';
import { parseSafetensors } from '@paris/files/safetensors';
import { type KeyMap, type Params, packedName } from '@paris/model';
import { CheckpointError } from '@paris/tensor';
import type { Json } from '../run/record.js';
import type { HostTensor } from './recipe.js';

/** A checkpoint to start from. */
export interface InitialWeights {
  store: FileSource;
  /** A safetensors file in it. */
  path: string;
  /** Whose names it has: `facebookLayout` and `pixartLayout` of @paris/dit, or your own. Default Paris'. */
  layout?: KeyMap;
  /** What is reinitialised, see `warmStart` of @paris/dit. Default: head and text, and cross-attention if the file has none. */
  remake?: readonly string[];
}

/**
 * The parameters that are taken, and their record in run.json: with another file it is another run.
 * @throws CheckpointError if the file cannot be read or does not fit the network; ValueError for an unknown group
 */
export async function readInitialWeights(
  params: Params,
  { store, path, layout = parisLayout, remake }: InitialWeights,
): Promise<{ initial: { [path: string]: HostTensor }; identity: Json }> {
  if (!(await store.exists(path))) {
    throw new CheckpointError('train', `the weights to start from are missing: there is no file ${path}.`);
  }
  const bytes = await store.read(path);
  const theirs = parseSafetensors(bytes, path);
  const packed = Object.keys(theirs).find((name) => packedName(name) && theirs[name]!.dtype === 'u32');
  if (packed !== undefined) {
    const what = `${path} holds packed weights (${packed}), which cannot be trained`;
    throw new CheckpointError('train', `${what}. Start from the weights in f32 or f16 that they were made from.`);
  }
  const groups = [...(remake ?? remadeGroups(theirs))];
  const shapes: ParameterShapes = Object.fromEntries(Object.entries(params).map(([name, { shape }]) => [name, shape]));
  const kept = Object.entries(warmStart(shapes, theirs, { layout, remake: groups }));
  const initial = Object.fromEntries(
    kept.map(([name, { data, shape }]) => [name, { data: data as Float32Array, shape }]),
  );
  return { initial, identity: { sha256: await sha256(bytes), layout: layout.name, remake: groups } };
}
