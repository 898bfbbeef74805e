// A model says once what its parameters are: a table from safetensors keys to shapes and initialisers. Counting needs
// no device and no memory, and loading a checkpoint can compare keys and shapes before it reads a byte of weights.
import { comparePaths } from '@paris/files';
import type { TensorKey } from '../ops/random/random.js';
import type { Key } from '../random/index.js';
import type { Tensor } from '../tensor.js';
import { unflattenTree } from '../tree.js';
import type { Initialiser } from './initialisers.js';

/** The shape of one parameter, and how it starts. */
export interface ParameterSpec {
  readonly shape: readonly number[];
  readonly initialise: Initialiser;
}

/** By safetensors key: `layers.0.attn.in_proj_weight`. */
export type ParameterTable = Readonly<Record<string, ParameterSpec>>;
/** By safetensors key, in the canonical order. */
export type ParameterShapes = Readonly<Record<string, readonly number[]>>;

/** The shapes alone, in the order in which files hold them. */
export function shapesOf(table: ParameterTable): ParameterShapes {
  const paths = Object.keys(table).sort(comparePaths);
  return Object.fromEntries(paths.map((path) => [path, table[path]!.shape]));
}

/** How many numbers a model has. */
export function countParameters(shapes: ParameterShapes): number {
  return Object.values(shapes).reduce((total, shape) => total + shape.reduce((size, n) => size * n, 1), 0);
}

/**
 * Fresh parameters as a nested tree. Every one draws from a key of its own, folded in by its place in the table's
 * canonical order, so the same key gives the same weights whatever else the graph holds.
 */
export function initialiseParameters<P>(table: ParameterTable, key: Key | TensorKey): P {
  const paths = Object.keys(table).sort(comparePaths);
  const entries = paths.map((path, i) => {
    const { shape, initialise } = table[path]!;
    return { path, value: initialise(key.foldIn(i), shape) };
  });
  return unflattenTree<Tensor>(entries) as P;
}
