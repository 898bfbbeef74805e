// From other people's state dicts to ours and back: a key map says for each of our parameters which of theirs hold its
// rows. Both directions follow from it. Numbers on the host; no device.

import { shortList } from '@paris/files';
import type { HostTensor } from '@paris/files/safetensors';
import { CheckpointError } from '@paris/tensor';
import type { ParameterShapes } from '@paris/tensor/nn';

/** A foreign tensor that holds some of a parameter's rows. */
export interface Piece {
  readonly key: string;
  /** How many of the parameter's parts it holds: 1 of 3 are the query's rows of `in_proj_weight`. */
  readonly parts: number;
}

/** How the names of another state dict correspond to ours. */
export interface KeyMap {
  /** Whose layout it is; errors say it. */
  readonly name: string;
  /** The foreign tensors that make up a parameter of ours, in the order of their rows. */
  pieces(name: string): readonly Piece[];
  /** Foreign keys that are no parameter of the network. */
  readonly ignored?: readonly (string | RegExp)[];
  /** By our name: parameters that no foreign tensor holds as it is. They come before `pieces`. */
  readonly computed?: Readonly<Record<string, ComputedParameter>>;
}

/** A parameter that is worked out from foreign tensors, or from nothing. */
export interface ComputedParameter {
  /** The foreign tensors that it is made of, and their shapes. */
  readonly from: ParameterShapes;
  /** Its numbers, row-major, from those tensors in the order of `from`. */
  compute(tensors: readonly HostTensor[]): Float32Array;
}

/** Whether a foreign key is one that the map leaves out on purpose. */
export function isIgnored({ ignored = [] }: KeyMap, key: string): boolean {
  return ignored.some((each) => (typeof each === 'string' ? each === key : each.test(key)));
}

/** What one of our parameters is made of. */
export interface Recipe {
  readonly name: string;
  readonly shape: readonly number[];
  /** Foreign tensors and their shapes. */
  readonly from: ParameterShapes;
  make(tensors: readonly HostTensor[]): HostTensor;
}

/** How a parameter comes from the foreign tensors of a map. */
export function recipeOf(map: KeyMap, name: string, shape: readonly number[]): Recipe {
  const computed = computedOf(map, name);
  if (computed) {
    const make = (tensors: readonly HostTensor[]): HostTensor => ({
      data: computed.compute(tensors),
      shape,
      dtype: 'f32',
    });
    return { name, shape, from: computed.from, make };
  }
  const pieces = map.pieces(name);
  const total = pieces.reduce((sum, { parts }) => sum + parts, 0);
  const from = pieces.map(({ key, parts }) => [key, [(shape[0]! * parts) / total, ...shape.slice(1)]] as const);
  return { name, shape, from: Object.fromEntries(from), make: (tensors) => concatRows(tensors, shape) };
}

/** Tensors by key. */
export type StateDict = Readonly<Record<string, HostTensor>>;

/** What a name that matches becomes: another name (`$1` is the first group), or several and the parts each holds. */
export type RenamingRule = readonly [pattern: RegExp, to: string | readonly Piece[]];

/** The pieces of a key map from rules, of which the first that matches counts. A name without one stays as it is. */
export function renaming(rules: readonly RenamingRule[]): KeyMap['pieces'] {
  return (name) => {
    const rule = rules.find(([pattern]) => pattern.test(name));
    if (!rule) return [{ key: name, parts: 1 }];
    const [pattern, to] = rule;
    const pieces = typeof to === 'string' ? [{ key: to, parts: 1 }] : to;
    return pieces.map(({ key, parts }) => ({ key: name.replace(pattern, key), parts }));
  };
}

/**
 * A foreign state dict under our names.
 * @param shapes - what the network needs, such as `ditParameterShapes` of a config
 * @param advice - a sentence that ends the error's text
 * @throws CheckpointError that lists what is missing, what is left over and what has another shape
 */
export function fromStateDict(
  map: KeyMap,
  shapes: ParameterShapes,
  theirs: StateDict,
  advice = '',
): Record<string, HostTensor> {
  const left = new Set(Object.keys(theirs).filter((key) => !isIgnored(map, key)));
  const missing: string[] = [];
  const wrong: string[] = [];
  const ours: Record<string, HostTensor> = {};
  for (const [name, shape] of Object.entries(shapes)) {
    const { from, make } = recipeOf(map, name, shape);
    const found: HostTensor[] = [];
    for (const [key, wanted] of Object.entries(from)) {
      left.delete(key);
      const tensor = theirs[key];
      if (!tensor) missing.push(key);
      else if (!(tensor.data instanceof Float32Array)) wrong.push(`${key} is ${tensor.dtype}, not a float`);
      else if (tensor.shape.join() !== wanted.join())
        wrong.push(`${key} is ${show(tensor.shape)}, not ${show(wanted)}`);
      else found.push(tensor);
    }
    if (found.length < Object.keys(from).length) continue;
    const tensor = make(found);
    // Positions, say, are computed for the grid of the layout's own config.
    if (tensor.data.length === sizeOf(shape)) ours[name] = tensor;
    else wrong.push(`${name} is computed with ${tensor.data.length} numbers, not ${show(shape)}`);
  }
  const problems = [list('missing', missing), list('unexpected', [...left]), list('unfit', wrong)].filter(Boolean);
  if (problems.length === 0) return ours;
  throw new CheckpointError(
    'fromStateDict',
    `the state dict is not ${map.name}'s of this config: ${problems.join('; ')}.${advice && ` ${advice}`}`,
  );
}

/** Our parameters under the foreign names: the inverse of {@link fromStateDict}, without what the map ignores or computes. */
export function toStateDict(map: KeyMap, ours: StateDict): Record<string, HostTensor> {
  const theirs: Record<string, HostTensor> = {};
  for (const [name, { data, shape, dtype }] of Object.entries(ours)) {
    if (computedOf(map, name)) continue;
    const pieces = map.pieces(name);
    const total = pieces.reduce((sum, { parts }) => sum + parts, 0);
    let start = 0;
    for (const { key, parts } of pieces) {
      const end = start + (data.length * parts) / total;
      theirs[key] = { dtype, shape: [(shape[0]! * parts) / total, ...shape.slice(1)], data: data.slice(start, end) };
      start = end;
    }
  }
  return theirs;
}

function computedOf({ computed }: KeyMap, name: string): ComputedParameter | undefined {
  return computed && Object.hasOwn(computed, name) ? computed[name] : undefined;
}

/** A parameter from the tensors that hold its rows, in their order. */
function concatRows(pieces: readonly HostTensor[], shape: readonly number[]): HostTensor {
  if (pieces.length === 1) return pieces[0]!;
  const data = new Float32Array(sizeOf(shape));
  let at = 0;
  for (const piece of pieces) {
    data.set(piece.data, at);
    at += piece.data.length;
  }
  const [dtype, ...others] = new Set(pieces.map((piece) => piece.dtype));
  return { dtype: others.length > 0 ? 'f32' : dtype!, shape, data };
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, n) => size * n, 1);
}

function list(what: string, entries: readonly string[]): string {
  return entries.length === 0 ? '' : `${what} ${shortList(entries)}`;
}

function show(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}
