// What an op does at the edges of its domain, tried on every op from its own samples: infinities, axes of no elements,
// numbers far from 0, long rows. checkOp calls it, so that nobody has to remember.
import { grad } from '../../autodiff/gradient.js';
import type { Device } from '../../device/device.js';
import { ParisError } from '../../errors.js';
import { isFloat } from '../../graph/dtype.js';
import type { Value } from '../../graph/node.js';
import type { Op } from '../../graph/op.js';
import { sizeOf } from '../../graph/shape.js';
import type { Tensor } from '../../tensor.js';
import { interpret } from '../interpret.js';
import { hostTensor, type StoredTensor } from '../parity.js';
import type { OpSample } from '../samples.js';
import type { Comparison, Tolerance } from './comparison.js';

/**
 * An edge of an op's domain.
 * - infinities: −∞ as the first element of the float inputs, +∞ as the last
 * - empty: each axis of the inputs without elements, forward and gradient
 * - offset: floats far from 0, where differences of squares cancel
 * - long: each axis with 10,007 equal elements, where a sum of one variable loses digits
 */
export type EdgeKind = 'infinities' | 'empty' | 'offset' | 'long';
/** Another tolerance at an edge, or why the op is undefined there: which its docstring says, too. */
export type Edges = Partial<Record<EdgeKind, Partial<Tolerance> | { readonly none: string }>>;

interface EdgeCheck {
  readonly device: Device;
  readonly op: Op | undefined;
  readonly samples: readonly OpSample[];
  readonly edges: Edges;
  readonly comparison: Comparison;
  bound(output: Tensor, other: Partial<Tolerance>): Tolerance;
  call(inputs: readonly Tensor[], sample: OpSample): readonly Tensor[];
}

const edgeKinds: readonly EdgeKind[] = ['infinities', 'empty', 'offset', 'long'];
const far = 2 ** 20; // f32 keeps eighths there
const length = 10_007; // prime: no block, lane or part divides it
/** More elements, or multiplications, than that take the reading in JavaScript too long. */
const most = 250_000;
const mostFlops = 2e7;

/** @throws CheckError where the device and the reading in float64 differ, and any error that is not one of ours */
export async function checkEdges(check: EdgeCheck): Promise<void> {
  for (const kind of edgeKinds) {
    const options = check.edges[kind] ?? {};
    if ('none' in options) continue;
    for (const sample of variants(kind, check.samples)) {
      await compareAt(check, kind, sample, options);
    }
  }
}

async function compareAt(
  { device, op, comparison, bound, call }: EdgeCheck,
  kind: EdgeKind,
  sample: OpSample,
  tolerance: Partial<Tolerance>,
): Promise<void> {
  const name = `${kind} ${sample.name}`;
  const leaves = new Map<Value, ArrayLike<number>>();
  const inputs = sample.inputs.map((stored) => {
    const { data, shape, dtype } = hostTensor(stored);
    const input = device.tensor(data, { shape, dtype });
    leaves.set(input, data);
    return input;
  });
  try {
    const outputs = call(inputs, sample);
    if (kind === 'long' && tooLong(op, inputs, outputs)) return;
    const results = [...outputs, ...(kind === 'empty' ? gradientsOf(op, inputs, (fresh) => call(fresh, sample)) : [])];
    const expected = interpret(results, { leaves }).map((elements, i) =>
      isFloat(results[i]!.dtype) ? Array.from(elements, Math.fround) : elements,
    );
    await device.run(results);
    for (const [i, result] of results.entries()) {
      const actual = await device.download(result);
      comparison.plan('edges', actual.length);
      comparison.compare('edges', name, actual, expected[i]!, bound(result, tolerance));
    }
  } catch (error) {
    // A typed error is an answer; so is a limit of the check. What does not agree is not.
    if (!(error instanceof ParisError) || error.message.includes('internal:') || error.name === 'ParisError')
      throw error;
  } finally {
    for (const input of inputs) input.dispose();
  }
}

/** Gradients of the sum of all float results, by the float inputs. */
function gradientsOf(
  op: Op | undefined,
  inputs: readonly Tensor[],
  call: (inputs: readonly Tensor[]) => readonly Tensor[],
): readonly Tensor[] {
  const floats = inputs.filter(({ dtype }) => isFloat(dtype));
  if (floats.length === 0 || (op && typeof op.vjp !== 'function' && !op.vjp.zero)) return [];
  return grad((list: Tensor[]) => {
    const rest = [...list];
    const results = call(inputs.map((input) => (isFloat(input.dtype) ? rest.shift()! : input)));
    const sums = results.flatMap((result) => (isFloat(result.dtype) ? [result.cast('f32').sum()] : []));
    return sums.reduce((a, b) => a.add(b), list[0]!.cast('f32').sum().mul(0));
  })(floats);
}

function tooLong(op: Op | undefined, inputs: readonly Tensor[], outputs: readonly Tensor[]): boolean {
  const elements = [...inputs, ...outputs].reduce((sum, { size }) => sum + size, 0);
  const flops = op?.kind === 'tiled' ? (op.flops?.(inputs, outputs) ?? 0) : 0;
  return elements > most || flops > mostFlops;
}

/** Calls at an edge, made of the op's first sample and its last that have elements. */
function variants(kind: EdgeKind, samples: readonly OpSample[]): OpSample[] {
  const full = samples.filter(
    ({ inputs }) => inputs.length > 0 && inputs.every(({ data, dtype }) => data.length > 0 && dtype !== 'f16'),
  );
  const withFloats = full.filter(({ inputs }) => inputs.some(({ dtype }) => isFloat(dtype)));
  const from = kind === 'empty' || kind === 'long' ? full : withFloats;
  const chosen = [...new Set([from[0], from.at(-1)])].flatMap((sample) => sample ?? []);
  return chosen.flatMap((sample) => {
    const changed = (change: (input: StoredTensor) => StoredTensor, name: string): OpSample => ({
      attrs: sample.attrs,
      inputs: sample.inputs.map(change),
      name: `of ${sample.name ?? 'a sample'}, ${name}`,
    });
    const floats = (change: (data: readonly number[]) => readonly number[], name: string) =>
      changed((input) => (isFloat(input.dtype) ? { ...input, data: change(input.data) } : input), name);
    if (kind === 'offset') return [floats((data) => data.map((x) => Math.fround(x + far)), 'far from 0')];
    if (kind === 'infinities') {
      return [
        floats(([, ...rest]) => [Number.NEGATIVE_INFINITY, ...rest], '−∞ first'),
        floats((data) => [...data.slice(0, -1), Number.POSITIVE_INFINITY], '+∞ last'),
      ];
    }
    const to = kind === 'empty' ? 0 : length;
    const sizes = [...new Set(sample.inputs.flatMap(({ shape }) => shape))].filter((n) => n !== to).slice(0, 3);
    return sizes.flatMap((size) => {
      const count = Math.max(...sample.inputs.map(({ shape }) => sizeOf(resized(shape, size, to))));
      return count > most ? [] : [changed((input) => ofSize(input, size, to), `${to} for ${size}`)];
    });
  });
}

/** An input with another size for all axes of one size: floats of 0.1, other elements over and over. */
function ofSize({ shape, dtype, data }: StoredTensor, from: number, to: number): StoredTensor {
  const wanted = resized(shape, from, to);
  const element = (_: unknown, i: number) => (isFloat(dtype) ? Math.fround(0.1) : data[i % data.length]!);
  return { shape: wanted, dtype, data: Array.from({ length: sizeOf(wanted) }, element) };
}

function resized(shape: readonly number[], from: number, to: number): number[] {
  return shape.map((n) => (n === from ? to : n));
}
