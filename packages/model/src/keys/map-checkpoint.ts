// A foreign checkpoint under our names, a tensor at a time: the whole is never in memory.

import { shortList } from '@paris/files';
import type { Checkpoint } from '@paris/files/checkpoint';
import type { HostTensor } from '@paris/files/safetensors';
import { CheckpointError } from '@paris/tensor';
import type { ParameterShapes } from '@paris/tensor/nn';
import { isIgnored, type KeyMap, type Recipe, recipeOf } from './key-map.js';

/** A checkpoint whose names and shapes are those of a network. */
export interface MappedCheckpoint {
  /** Its tensors that are not of this network, and are not read. */
  readonly unused: readonly string[];
  /** Our parameters, each when all that it is made of was read. Throws a CheckpointError for values that do not fit the host. */
  stream(): AsyncGenerator<[name: string, tensor: HostTensor]>;
}

const floats = ['F64', 'F32', 'F16', 'BF16'];

/**
 * Finds every parameter of a network in a checkpoint, by the names of a key map. Numbers are not read before `stream`.
 * @param shapes - every parameter of the network
 * @param where - the checkpoint, as a message names it
 * @throws CheckpointError that lists all tensors that are missing, of another shape or no floats
 */
export function mapCheckpoint(
  map: KeyMap,
  shapes: ParameterShapes,
  checkpoint: Checkpoint,
  where: string,
): MappedCheckpoint {
  const recipes = Object.entries(shapes).map(([name, shape]) => recipeOf(map, name, shape));
  const found = new Map(checkpoint.entries.map((entry) => [entry.name, entry]));
  const missing: string[] = [];
  const unfit: string[] = [];
  const users = new Map<string, Recipe[]>();
  for (const recipe of recipes) {
    for (const [key, shape] of Object.entries(recipe.from)) {
      const entry = found.get(key);
      const known = users.get(key);
      users.set(key, [...(known ?? []), recipe]);
      if (!entry) missing.push(key);
      else if (!floats.includes(entry.dtype)) unfit.push(`${key} is ${entry.dtype}, not a float`);
      else if (entry.shape.join() !== shape.join()) unfit.push(`${key} is ${show(entry.shape)}, not ${show(shape)}`);
    }
  }
  if (missing.length + unfit.length > 0) {
    const problems = [...list('missing', missing), ...list('unfit', unfit)].join('; ');
    throw new CheckpointError('checkpoint', `${where} does not fit the layout of ${map.name}: ${problems}.`);
  }
  return {
    unused: [...found.keys()].filter((key) => !users.has(key) && !isIgnored(map, key)),
    stream: () => assemble(recipes, users, checkpoint),
  };
}

async function* assemble(
  recipes: readonly Recipe[],
  users: ReadonlyMap<string, readonly Recipe[]>,
  checkpoint: Checkpoint,
): AsyncGenerator<[name: string, tensor: HostTensor]> {
  for (const { name, from, make } of recipes) if (Object.keys(from).length === 0) yield [name, make([])];
  const waiting = new Map<string, HostTensor>();
  const left = new Set(recipes);
  for await (const [key, tensor] of checkpoint.stream((name) => users.has(name))) {
    waiting.set(key, tensor);
    for (const recipe of users.get(key)!) {
      const keys = Object.keys(recipe.from);
      if (!keys.every((each) => waiting.has(each))) continue;
      yield [recipe.name, recipe.make(keys.map((each) => waiting.get(each)!))];
      left.delete(recipe);
      for (const each of keys) if (!users.get(each)!.some((user) => left.has(user))) waiting.delete(each);
    }
  }
}

function list(what: string, names: readonly string[]): string[] {
  return names.length === 0 ? [] : [`${what} ${shortList(names)}`];
}

function show(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}
