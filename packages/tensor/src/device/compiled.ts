// Compiled functions: traced once for each kind of arguments, replayed after that.
import { type Signature, signatureOf } from '../compile/signature.js';
import { DonatedTensorError, StaleTraceError, TraceError, ValueError } from '../errors.js';
import { apply, type Value } from '../graph/node.js';
import { bufferLeaf, operandLeaf, parameterLeaf } from '../ops/leaf.js';
import { Key } from '../random/key.js';
import { TensorKey } from '../random/tensorKey.js';
import { Tensor } from '../tensor.js';
import { flattenTree, mapTree, type TreeOf } from '../tree.js';
import type { Device } from './device.js';
import { materialize, type Storage } from './storage.js';

export interface CompileOptions {
  /** Which arguments, by position, give their memory back: after the call they cannot be used any more. */
  readonly donate?: readonly number[];
}

/** A compiled function takes what the function takes (keys instead of tensor keys) and resolves to its results. */
export type CompiledFunction<A extends readonly unknown[], R> = (
  ...args: { [K in keyof A]: HostArgument<A[K]> }
) => Promise<R>;
// A general tree of tensors stays as it is: unfolding it would never end.
type HostArgument<T> =
  TreeOf<Tensor> extends T
    ? T
    : T extends TensorKey
      ? Key | TensorKey
      : T extends Tensor
        ? T
        : T extends object
          ? { [K in keyof T]: HostArgument<T[K]> }
          : T;

type Leaf = Tensor | Key | TensorKey | string | boolean | null;

interface Trace {
  readonly signature: Signature;
  readonly roots: readonly Value[];
  /** For each leaf of the graph: the argument that it stands for, or a tensor of the closure. */
  readonly leaves: readonly (number | Value)[];
  /** Rebuilds the function's result around new tensors. */
  rebuild(tensors: readonly Tensor[]): unknown;
}

export function compileFunction<A extends readonly unknown[], R>(
  device: Device,
  fn: (...args: A) => R,
  options: CompileOptions,
): CompiledFunction<A, R> {
  const traces = new Map<string, Trace>();
  return async (...args) => {
    device.check();
    const given = flattenArguments(args);
    const values = given.map(({ value }) => graphValue(value));
    const leafKeys = given.map(({ path, value }, i) => `${path}:${describe(value, values[i])}`);
    const key = `${structureOf(args)} ${leafKeys.join(';')}`;
    const donated = donatedTensors(args, options.donate ?? []);
    let trace = traces.get(key);
    if (!trace || device.debug) {
      const fresh = traceFunction(device, fn, args, given);
      if (trace && trace.signature.key !== fresh.signature.key) {
        throw new StaleTraceError(
          'compile',
          'the function traced to another graph than before for the same kind of arguments. Pass what changes as an argument.',
        );
      }
      if (trace && closureNumbers(trace) !== closureNumbers(fresh)) {
        throw new StaleTraceError(
          'compile',
          'the function uses another number than when it was traced. Pass it as an argument, with scalar(x).',
        );
      }
      trace = fresh;
      traces.set(key, trace);
    }
    const leaves = trace.leaves.map((leaf) => (typeof leaf === 'number' ? values[leaf]! : leaf));
    const storages = await device.execute(trace.signature, trace.roots, leaves, () => {
      // Last first: the pool hands out what came back last, so the next call's results find the same buffers in turn.
      for (const tensor of donated.reverse()) tensor.value.storage!.end('donated');
    });
    return trace.rebuild(trace.roots.map((root, i) => resultTensor(device, root, storages[i]!))) as R;
  };
}

function resultTensor(device: Device, root: Value, storage: Storage): Tensor {
  const value = apply(bufferLeaf, [], { shape: root.shape, dtype: root.dtype })[0]!;
  materialize(value, storage);
  return new Tensor(value, device);
}

function traceFunction<A extends readonly unknown[], R>(
  device: Device,
  fn: (...args: A) => R,
  args: readonly unknown[],
  given: readonly { path: string; value: Leaf }[],
): Trace {
  const parameters = new Map<Value, number>();
  const index = new Map(given.map(({ path }, i) => [path, i]));
  const traced = args.map((arg, position) =>
    mapTree(
      arg,
      (leaf: Leaf, path) => {
        const real = graphValue(leaf);
        if (!real) return leaf;
        const at = index.get(path === '' ? String(position) : `${position}.${path}`)!;
        const value = apply(real.operand ? operandLeaf : parameterLeaf, [], {
          shape: real.shape,
          dtype: real.dtype,
        })[0]!;
        // The words themselves come with each call; their number is part of the trace.
        if (real.operand) value.operand = new Uint32Array(real.operand.length);
        parameters.set(value, at);
        const tensor = new Tensor(value, device);
        return leaf instanceof Tensor ? tensor : new TensorKey(tensor);
      },
      isLeaf,
    ),
  ) as unknown as A;
  const outer = device.tracing;
  device.tracing = true;
  let result: R;
  try {
    result = fn(...traced);
  } finally {
    device.tracing = outer;
  }
  if (result instanceof Promise) {
    throw new TraceError('compile', 'the function is asynchronous and must not be. Read tensors outside it.');
  }
  const outputs = flattenTree(result, isLeaf).map(({ value }) => value);
  const tensors = outputs.filter((leaf): leaf is Tensor => leaf instanceof Tensor);
  if (tensors.length === 0)
    throw new TraceError('compile', 'the function returned no tensor. Return what it computes.');
  const roots = tensors.map((tensor) => tensor.valueFor('compile'));
  const signature = signatureOf(roots);
  const leaves = signature.leaves.map((leaf) => parameters.get(leaf) ?? leaf);
  return {
    signature,
    roots,
    leaves,
    rebuild(fresh) {
      const byTensor = new Map<Tensor, Tensor[]>();
      tensors.forEach((tensor, i) => {
        byTensor.set(tensor, [...(byTensor.get(tensor) ?? []), fresh[i]!]);
      });
      return mapTree(result, (leaf: Leaf) => (leaf instanceof Tensor ? byTensor.get(leaf)!.shift()! : leaf), isLeaf);
    },
  };
}

function isLeaf(x: unknown): x is Leaf {
  return (
    x instanceof Tensor ||
    x instanceof Key ||
    x instanceof TensorKey ||
    typeof x === 'string' ||
    typeof x === 'boolean' ||
    x === null
  );
}

function flattenArguments(args: readonly unknown[]): { path: string; value: Leaf }[] {
  const accept = (x: unknown): x is Leaf => {
    if (typeof x === 'number') {
      throw new TypeError('[compile] an argument is a plain number, which would be compiled in. Write scalar(x).');
    }
    if (typeof x === 'function' || typeof x === 'bigint' || typeof x === 'symbol') {
      throw new TypeError(`[compile] an argument is a ${typeof x}. Pass tensors, keys, strings and booleans.`);
    }
    return isLeaf(x);
  };
  return flattenTree<Leaf>([...args], accept).map(({ path, value }) => ({ path, value }));
}

function graphValue(leaf: Leaf): Value | undefined {
  if (leaf instanceof Tensor) return requireReady(leaf.valueFor('compile'));
  if (leaf instanceof TensorKey) return requireReady(leaf.words.valueFor('compile'));
  if (leaf instanceof Key) return TensorKey.of(leaf).words.value;
  return undefined;
}

function requireReady(value: Value): Value {
  if (value.storage || value.operand) return value;
  throw new ValueError(
    'compile',
    'an argument is not computed yet. Await device.run(tensor) first, or build it inside the function.',
  );
}

/** Records and arrays as they are nested, without their leaves: empty ones leave no path behind. */
function structureOf(tree: unknown): string {
  if (tree === undefined || isLeaf(tree)) return '';
  if (Array.isArray(tree)) return `[${tree.map(structureOf).join()}]`;
  const entries = Object.entries(tree as object).filter(([, child]) => child !== undefined);
  return `{${entries
    .map(([key, child]) => `${JSON.stringify(key)}${structureOf(child)}`)
    .sort()
    .join()}}`;
}

/** The numbers that a trace took from its closure, as bits. */
function closureNumbers({ leaves }: Trace): string {
  return leaves.map((leaf) => (typeof leaf === 'number' ? '' : (leaf.operand?.join(' ') ?? ''))).join();
}

function describe(leaf: Leaf, value: Value | undefined): string {
  if (!value) return JSON.stringify(leaf);
  const kind = leaf instanceof Tensor ? 'tensor' : 'key';
  return `${kind} ${value.operand ? 'operand' : 'buffer'} ${value.dtype}[${value.shape.join()}]`;
}

/** The tensors whose memory is given up, checked before anything happens. */
function donatedTensors(args: readonly unknown[], positions: readonly number[]): Tensor[] {
  if (positions.length === 0) return [];
  const holders = new Map<Storage, number>();
  const donated: Tensor[] = [];
  args.forEach((arg, position) => {
    for (const { value: leaf } of flattenTree(arg, isLeaf)) {
      if (!(leaf instanceof Tensor) || !leaf.value.storage) continue;
      holders.set(leaf.value.storage, (holders.get(leaf.value.storage) ?? 0) + 1);
      if (positions.includes(position)) donated.push(leaf);
    }
  });
  for (const tensor of donated) {
    if (holders.get(tensor.value.storage!)! > 1) {
      throw new DonatedTensorError(
        'compile',
        'a tensor stands in a donated argument and a second time in the same call. Pass a clone().',
      );
    }
  }
  return donated;
}
