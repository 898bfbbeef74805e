// Compiled functions: traced once for each kind of arguments, replayed after that.
import { type Signature, signatureOf } from '../compile/signature.js';
import { StaleTraceError, TraceError, ValueError } from '../errors.js';
import { topologicalOrder, type Value } from '../graph/node.js';
import { leafValue, operandLeaf, parameterLeaf } from '../ops/leaf.js';
import { TensorKey } from '../ops/random/random.js';
import type { Key } from '../random/key.js';
import { Tensor } from '../tensor.js';
import { flattenTree, type TreeOf } from '../tree.js';
import { Arguments, isLeaf, type Leaf, templateOf } from './arguments.js';
import type { Device } from './device.js';
import { programOf } from './plan.js';
import { Recent } from './recent.js';

/** What a compiled function may do with its arguments and with memory. */
export interface CompileOptions {
  /** Which arguments, by position, give their memory back: after the call they cannot be used any more. */
  readonly donate?: readonly number[];
  /**
   * How many bytes a call may take for temporaries and results, not counting its arguments and the tensors of the closure.
   * If it would take more, as few values as possible are recomputed instead of kept. If that is not enough, the call throws
   * a LimitError that states the smallest budget that works.
   */
  readonly memoryBudgetBytes?: number;
}

/** A compiled function takes what the function takes (keys instead of tensor keys) and resolves to its results. */
export type CompiledFunction<A extends readonly unknown[], R> = (...args: CompiledArguments<A>) => Promise<R>;

/** The arguments of the compiled function, for given arguments of the function. */
export type CompiledArguments<A extends readonly unknown[]> = { [K in keyof A]: HostArgument<A[K]> };

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

interface Trace {
  readonly signature: Signature;
  readonly roots: readonly Value[];
  /** For each leaf of the graph: the argument that it stands for, or a tensor of the closure. */
  readonly leaves: readonly (number | Value)[];
  /** What depends on no argument and is not computed yet: once it is, the graph begins there. */
  readonly pending: readonly Value[];
  /** Rebuilds the function's result around new tensors. */
  rebuild(tensors: readonly Tensor[]): unknown;
}

/** Kinds of arguments that a function remembers, the last used. */
const tracesKept = 256;

/** @throws ValueError for a budget that would be none, and for what is no position of an argument */
function checkOptions({ donate = [], memoryBudgetBytes = 0 }: CompileOptions): void {
  let wrong: string | undefined;
  if (!(memoryBudgetBytes >= 0)) wrong = `memoryBudgetBytes is ${memoryBudgetBytes}. Give a number`;
  if (donate.some((at) => !(at >= 0 && Number.isInteger(at)))) wrong = `donate is [${donate}]. Give positions`;
  if (wrong) throw new ValueError('compile', `${wrong} from 0 on.`);
}

export function compileFunction<A extends readonly unknown[], R>(
  device: Device,
  fn: (...args: A) => R,
  options: CompileOptions,
): CompiledFunction<A, R> {
  checkOptions(options);
  const { donate = [], memoryBudgetBytes } = options;
  const traces = new Recent<Trace>(tracesKept);
  return async (...args) => {
    device.check();
    const given = new Arguments(args, donate);
    const retrace = () => traceFunction(device, fn, args, given, memoryBudgetBytes);
    let trace = traces.get(given.key, retrace);
    if (trace.pending.some(({ node }) => node.op.kind === 'leaf')) {
      traces.delete(given.key);
      trace = traces.get(given.key, retrace);
    }
    if (device.debug) requireSame(trace, retrace());
    const leaves = trace.leaves.map((leaf) => (typeof leaf === 'number' ? given.values[leaf]! : leaf));
    if (donate.length > 0) given.requireApart(trace.leaves);
    const storages = await device.execute(trace.signature, trace.roots, leaves, () => {
      // Last first: the pool hands out what came back last, so the next call's results find the same buffers in turn.
      for (const storage of given.donated.reverse()) storage.end('donated');
    });
    return trace.rebuild(storages.map((storage) => device.tensorIn(storage))) as R;
  };
}

/** The function of a call's arguments that says, without running it, which program {@link compileFunction} makes of it. */
export function explainFunction<A extends readonly unknown[], R>(
  device: Device,
  fn: (...args: A) => R,
  options: CompileOptions,
): (...args: CompiledArguments<A>) => Promise<string> {
  checkOptions(options);
  const { donate = [], memoryBudgetBytes } = options;
  return async (...args) => {
    device.check();
    const given = new Arguments(args, donate);
    const { signature, roots, leaves } = traceFunction(device, fn, args, given, memoryBudgetBytes);
    const names = leaves.map((leaf) => (typeof leaf === 'number' ? `argument ${leaf + 1}` : 'the closure'));
    const { showProgram } = await import('../compile/show.js'); // no page pays for what few programs ask
    return showProgram(programOf(roots, signature, device), names);
  };
}

function traceFunction<A extends readonly unknown[], R>(
  device: Device,
  fn: (...args: A) => R,
  args: readonly unknown[],
  given: Arguments,
  memoryBudgetBytes: number | undefined,
): Trace {
  const parameters = new Map<Value, number>();
  const inputs = given.leaves.map((leaf, i) => {
    const real = given.values[i];
    if (!real) return leaf;
    const value = leafValue(real.operand ? operandLeaf : parameterLeaf, real);
    // The words themselves come with each call; their number is part of the trace.
    if (real.operand) value.operand = new Uint32Array(real.operand.length);
    value.device = device;
    parameters.set(value, i);
    return leaf instanceof Tensor ? value : new TensorKey(value);
  });
  const traced = templateOf(args, [])(inputs) as unknown as A;
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
  flattenTree(result, isLeaf); // says where something is neither leaf nor branch
  const outputs: Leaf[] = [];
  const rebuild = templateOf(result, outputs);
  const tensors = outputs.filter((leaf): leaf is Tensor => leaf instanceof Tensor);
  if (tensors.length === 0)
    throw new TraceError('compile', 'the function returned no tensor. Return what it computes.');
  const roots = tensors.map((tensor) => tensor.usable('compile'));
  const signature = signatureOf(roots, memoryBudgetBytes);
  return {
    signature,
    roots,
    leaves: signature.leaves.map((leaf) => parameters.get(leaf) ?? leaf),
    pending: pendingOf(roots, new Set(parameters.keys())),
    rebuild: (fresh) => {
      let next = 0;
      return rebuild(outputs.map((leaf) => (leaf instanceof Tensor ? fresh[next++] : leaf)));
    },
  };
}

function pendingOf(roots: readonly Value[], moving: Set<Value>): Value[] {
  const pending: Value[] = [];
  for (const { op, inputs, outputs } of topologicalOrder(roots)) {
    if (inputs.some((input) => moving.has(input))) for (const output of outputs) moving.add(output);
    else if (op.kind !== 'leaf') pending.push(...outputs);
  }
  return pending;
}

function requireSame(trace: Trace, fresh: Trace): void {
  if (trace.signature.key !== fresh.signature.key) {
    throw new StaleTraceError(
      'compile',
      'the function traced to another graph than before for the same kind of arguments. Pass what changes as an argument.',
    );
  }
  if (closureNumbers(trace) !== closureNumbers(fresh)) {
    throw new StaleTraceError(
      'compile',
      'the function uses another number than when it was traced. Pass it as an argument, with scalar(x).',
    );
  }
}

/** The numbers that a trace took from its closure, as bits. */
function closureNumbers({ leaves }: Trace): string {
  return leaves.map((leaf) => (typeof leaf === 'number' ? '' : (leaf.operand?.join(' ') ?? ''))).join();
}
