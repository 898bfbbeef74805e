// What one walk over a compiled call's arguments finds, and how trees like them are built again. Both go through records
// by sorted key, so that a call's results come in the order in which the next call finds them.
import { DonatedTensorError, ValueError } from '../errors.js';
import type { Value } from '../graph/node.js';
import { TensorKey } from '../ops/random/random.js';
import { Key } from '../random/key.js';
import { Tensor } from '../tensor.js';
import { flattenTree } from '../tree.js';
import { type Storage, storageOf } from './storage.js';

export type Leaf = Tensor | Key | TensorKey | string | boolean | null;

export class Arguments {
  /** Equal for arguments that can share a plan: the tree's structure, shapes, dtypes, strings and booleans. */
  readonly key: string;
  readonly leaves: Leaf[] = [];
  /** Each leaf's value in the graph; undefined for what is part of the plan. */
  readonly values: (Value | undefined)[] = [];
  /** The memory that is donated. */
  readonly donated: Storage[] = [];

  /**
   * @param donate - the positions of the arguments whose memory is donated
   * @throws TypeError for a plain number; DonatedTensorError for a donated tensor that occurs twice
   */
  constructor(args: readonly unknown[], donate: readonly number[]) {
    let key = '';
    const seen = new Map<Storage, boolean>();
    args.forEach((arg, position) => {
      const start = this.values.length;
      key += `${this.walk(arg, args, 0)};`;
      if (donate.length > 0) this.claim(start, donate.includes(position), seen);
    });
    this.key = key;
  }

  private walk(tree: unknown, args: readonly unknown[], depth: number): string {
    if (isLeaf(tree)) return this.leaf(tree);
    if (tree === undefined) return '';
    if (typeof tree !== 'object' || depth > deepest || !isBranch(tree)) throw refusal(tree, args);
    if (Array.isArray(tree)) {
      let key = '[';
      for (const child of tree) key += `${this.walk(child, args, depth + 1)},`;
      return `${key}]`;
    }
    let key = '{';
    for (const name of Object.keys(tree).sort()) {
      const child = (tree as Record<string, unknown>)[name];
      if (child !== undefined) key += `${JSON.stringify(name)}${this.walk(child, args, depth + 1)},`;
    }
    return `${key}}`;
  }

  private leaf(leaf: Leaf): string {
    const value = graphValue(leaf);
    this.leaves.push(leaf);
    this.values.push(value);
    if (!value) return JSON.stringify(leaf);
    const kind = `${leaf instanceof Tensor ? 't' : 'k'}${value.operand ? 'o' : 'b'}`;
    return `${kind}${value.dtype}(${value.shape.join()})`;
  }

  /** @throws DonatedTensorError if the closure also holds a donated tensor */
  requireApart(leaves: readonly (number | Value)[]): void {
    for (const leaf of leaves) {
      const storage = typeof leaf === 'number' ? undefined : storageOf(leaf);
      if (storage && this.donated.includes(storage)) throw standsTwice();
    }
  }

  private claim(start: number, donated: boolean, seen: Map<Storage, boolean>): void {
    for (const value of this.values.slice(start)) {
      const storage = value && storageOf(value);
      if (!storage) continue;
      const before = seen.get(storage);
      if (before || (before !== undefined && donated)) throw standsTwice();
      seen.set(storage, donated);
      if (donated) this.donated.push(storage);
    }
  }
}

function standsTwice(): DonatedTensorError {
  return new DonatedTensorError(
    'compile',
    'a tensor is in a donated argument and a second time in the same call. Pass a clone().',
  );
}

/** Adds the leaves of a tree to `leaves`; the function rebuilds the tree around others in their place. */
export function templateOf(tree: unknown, leaves: Leaf[]): (fresh: readonly unknown[]) => unknown {
  if (tree === undefined) return () => undefined;
  if (isLeaf(tree)) {
    const at = leaves.push(tree) - 1;
    return (fresh) => fresh[at];
  }
  if (Array.isArray(tree)) {
    const parts = tree.map((child) => templateOf(child, leaves));
    return (fresh) => parts.map((part) => part(fresh));
  }
  const record = tree as Record<string, unknown>;
  const names = Object.keys(record); // in the order of the original
  const parts = new Map([...names].sort().map((name) => [name, templateOf(record[name], leaves)]));
  return (fresh) => Object.fromEntries(names.map((name) => [name, parts.get(name)!(fresh)]));
}

export function isLeaf(x: unknown): x is Leaf {
  if (x instanceof Tensor || x instanceof Key || x instanceof TensorKey) return true;
  return typeof x === 'string' || typeof x === 'boolean' || x === null;
}

/** A tree that is nested deeper than this contains itself. */
const deepest = 200;

function isBranch(x: object): boolean {
  if (Array.isArray(x)) return true;
  const prototype = Object.getPrototypeOf(x);
  return prototype === Object.prototype || prototype === null;
}

function graphValue(leaf: Leaf): Value | undefined {
  if (leaf instanceof Tensor) return requireReady(leaf.usable('compile'));
  if (leaf instanceof TensorKey) return requireReady(leaf.words.usable('compile'));
  if (leaf instanceof Key) return TensorKey.of(leaf).words;
  return undefined;
}

function requireReady(value: Value): Value {
  if (value.storage || value.operand) return value;
  throw new ValueError(
    'compile',
    'an argument is not computed yet. Await device.run(tensor) first, or build it inside the function.',
  );
}

/** Why something is not a valid argument. */
function refusal(found: unknown, args: readonly unknown[]): Error {
  if (typeof found === 'number') {
    return new TypeError('[compile] an argument is a plain number, which would be compiled in. Write scalar(x).');
  }
  if (typeof found !== 'object') {
    return new TypeError(`[compile] an argument is a ${typeof found}. Pass tensors, keys, strings and booleans.`);
  }
  try {
    flattenTree(args, isLeaf); // says where
  } catch (error) {
    return error as Error;
  }
  return new ValueError('compile', `an argument is nested more than ${deepest} deep.`);
}
