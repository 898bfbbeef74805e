// Proves one op: its results and its gradient against independent values, bare and fused. Knows of no test runner.

import { fromHalf, toHalf } from '@paris/files';
import { grad } from '../autodiff/gradient.js';
import type { Device } from '../device/device.js';
import { type HostArray, isFloat } from '../graph/dtype.js';
import { topologicalOrder, type Value } from '../graph/node.js';
import type { Op } from '../graph/op.js';
import { sizeOf } from '../graph/shape.js';
import type { OpHandle } from '../ops/define/names.js';
import { hostNormal, key } from '../random/index.js';
import { Tensor } from '../tensor.js';
import { type CheckKind, Comparison, type Counts, type Tolerance, type WorstElement } from './comparison.js';
import { alongDirection, centralDifferences, type Difference } from './differences.js';
import { checkEdges, type Edges } from './edges.js';
import { type Elements, interpret } from './interpret.js';
import { hostTensor, type StoredTensor } from './parity.js';
import type { OpFixture, OpSample } from './samples.js';
import { runScalarBody } from './scalarBody.js';
import { after, before, consumer, producer } from './surroundings.js';

type Apply = (inputs: readonly Tensor[], attrs: OpSample['attrs']) => Tensor | readonly Tensor[];

/** What an op is checked against, and how far it may be off. What cannot be checked needs a reason. */
export interface CheckOptions {
  readonly device: Device;
  /** Values from somewhere else (PyTorch); or why there can be none. */
  readonly fixture?: OpFixture | { readonly none: string };
  /** More calls, checked against a plain JavaScript reading of the graph in float64: an op's `reference`. */
  readonly samples?: readonly OpSample[];
  /** How a sample becomes a call. Default: the op on the inputs and, where the sample has some, the attributes. */
  readonly apply?: Apply;
  /** Of float results. Default: 2e-5 of the value and 2e-6. Integers are exact. */
  readonly tolerance?: Partial<Tolerance>;
  /** Of gradients in f32. Default: that of results. */
  readonly gradientTolerance?: Partial<Tolerance>;
  /** Why an op that has a gradient cannot be checked against differences: its values are steps. */
  readonly differences?: { readonly none: string };
  /** Why the gradient of an op has no gradient itself. */
  readonly second?: { readonly none: string };
  /** Of results and gradients in f16 against f32 ones of the same rounded inputs; or why the op has no f16. */
  readonly half?: Partial<Tolerance> | { readonly none: string };
  /** How far results may be off at the edges of the domain, or why they are undefined there: see {@link EdgeKind}. */
  readonly edges?: Edges;
}

/**
 * What was compared. On a device without f16 `half` is 0 and samples with f16 results are left out: the caller says so
 * to its test runner.
 */
export interface CheckReport {
  readonly op: string;
  readonly compared: Counts;
  /** Directions left out since the op has a kink or a step there. */
  readonly kinks: number;
  readonly worst: WorstElement | undefined;
}

const exact: Tolerance = { relative: 2e-5, absolute: 2e-6 };
const halfway: Tolerance = { relative: 4e-3, absolute: 4e-3 };

/**
 * Checks an op on every sample of its fixture and on `samples`:
 * - reading: the JavaScript reading of the graph, which stands in where there is no fixture, against the fixture;
 * - forward: on the device, from memory to memory;
 * - cpu: its shader functions run as JavaScript; reference: a tiled op against its plain form;
 * - fused: with elementwise kernels in front of it and behind it;
 * - gradient, fusedGradient: the same for its VJP (fused on four samples spread over all); differences: against central
 *   differences in float64 along three random directions, to 1e-4 of Σ |g · d|, except where the op has a kink;
 * - second: on one sample, the gradient of the gradient against differences of that in the same way;
 * - edges: with infinities, axes of no elements, numbers far from 0 and rows of 10,007, all made of the samples; a typed
 *   error is an answer, too;
 * - half: results and gradients in f16 storage on the same four, where the device has it.
 * @throws CheckError naming the worst element, or if fewer values were compared than the samples have.
 */
export async function checkOp(
  fn: ((...args: never[]) => unknown) & { readonly op?: OpHandle },
  options: CheckOptions,
): Promise<CheckReport> {
  const op = fn.op as Op | undefined;
  const { fixture = { none: 'none given' } } = options;
  const name = op?.name ?? fn.name;
  const comparison = new Comparison(name);
  const all: OpSample[] = ['samples' in fixture ? fixture.samples : [], options.samples ?? []].flat();
  const has = options.device.hasFeature('shader-f16');
  const samples = all.filter(({ outputs = [] }) => has || outputs.every(({ dtype }) => dtype !== 'f16'));
  if (samples.length === 0) comparison.fail('there is no sample. Give a fixture or samples.');
  const call = fn as unknown as (...args: readonly unknown[]) => Tensor;
  const apply: Apply =
    options.apply ?? ((inputs, attrs) => call(...inputs, ...(Object.keys(attrs).length > 0 ? [attrs] : [])));
  const check = new Check(options, comparison, op, apply);
  samples.forEach((sample, i) => {
    check.add(sample, [sample.name || i, ...showAttrs(sample)].join(' '), i);
  });
  await check.run();
  await check.atEdges(samples);
  const required: CheckKind[] = ['forward', 'fused'];
  if (op?.kind === 'tiled') required.push('reference');
  if (check.hasScalarBody) required.push('cpu');
  if (check.hasGradient) required.push('gradient', 'fusedGradient');
  if (check.hasGradient && !options.differences) required.push('differences');
  if (check.hasGradient && !options.differences && !options.second) required.push('second');
  comparison.finish(required);
  return { op: name, compared: comparison.compared, kinks: check.kinks, worst: comparison.worst };
}

/** Whether sample i is one of four spread over all: what takes most kernels is checked on these. */
function spread(i: number, count: number): boolean {
  const every = Math.max(1, (count - 1) / 3);
  return Math.floor(i / every) !== Math.floor((i - 1) / every);
}

function showAttrs({ attrs }: OpSample): string[] {
  return Object.keys(attrs).length === 0 ? [] : [JSON.stringify(attrs)];
}

/** Results to compute on the device, and what they are compared with. All jobs of a phase run in one submit. */
interface Job {
  readonly results: readonly Tensor[];
  verify(actual: readonly HostArray[]): void;
}
const phases = ['bare', 'fused', 'gradient', 'fusedGradient', 'second', 'half'] as const;

class Check {
  kinks = 0;
  hasScalarBody = false;
  hasGradient = false;
  private readonly jobs: Record<(typeof phases)[number], Job[]> = {
    bare: [],
    fused: [],
    gradient: [],
    fusedGradient: [],
    second: [],
    half: [],
  };
  private readonly withFloats: ((chosen: boolean) => void)[] = [];
  private readonly tolerance: Tolerance;

  constructor(
    private readonly options: CheckOptions,
    private readonly comparison: Comparison,
    private readonly op: Op | undefined,
    private readonly apply: Apply,
  ) {
    this.tolerance = { ...exact, ...options.tolerance };
  }

  async run(): Promise<void> {
    const { device } = this.options;
    this.withFloats.forEach((addTo, i) => {
      addTo(spread(i, this.withFloats.length));
    });
    for (const phase of phases) {
      const jobs = this.jobs[phase];
      await device.run(jobs.map(({ results }) => results));
      const actual = await Promise.all(
        jobs.map(({ results }) => Promise.all(results.map((result) => this.read(result)))),
      );
      jobs.forEach((job, i) => {
        job.verify(actual[i]!);
      });
    }
  }

  /** A result that no tensor on a device went into belongs to none, even when it was computed. */
  private read(result: Tensor): Promise<HostArray> {
    return result.device ? result.read() : this.options.device.download(result.value);
  }

  add(sample: OpSample, name: string, seed: number): void {
    const { comparison } = this;
    const { inputs, leaves } = this.upload(sample.inputs);
    const outputs = this.call(inputs, sample);
    this.checkTypes(outputs, sample, name);
    const read = interpret(outputs, { leaves });
    const expected = sample.outputs?.map(({ data }) => data) ?? read;
    const tiled = this.op?.kind === 'tiled';
    for (const kind of ['forward', 'fused'] as const) comparison.plan(kind, total(expected));
    // A reading that disagrees with the fixture would prove nothing about the other samples.
    if (sample.outputs) {
      read.forEach((elements, i) => {
        comparison.compare('reading', name, elements, expected[i]!, this.bound(outputs[i]!));
      });
    }
    this.checkScalarBody(outputs, leaves, name);
    const floats = sample.inputs.some(({ dtype }) => isFloat(dtype)) && outputs.some(({ dtype }) => isFloat(dtype));
    const differentiable = !this.op || typeof this.op.vjp === 'function' || this.op.vjp.zero;
    if (floats) {
      this.withFloats.push((chosen) => {
        if (differentiable) this.addGradient(sample, inputs, leaves, name, seed, chosen);
        if (chosen) this.addHalf(sample, name, seed);
      });
    }
    this.addFused(sample, expected, name);
    this.jobs.bare.push({
      results: outputs,
      verify: (actual) => {
        actual.forEach((elements, i) => {
          comparison.compare('forward', name, elements, expected[i]!, this.bound(outputs[i]!));
          if (tiled) comparison.compare('reference', name, elements, read[i]!, this.bound(outputs[i]!));
        });
      },
    });
  }

  /** Integers and truth values are exact. */
  private bound({ dtype }: { readonly dtype: Tensor['dtype'] }): Tolerance {
    return isFloat(dtype) ? this.tolerance : { relative: 0, absolute: 0 };
  }

  atEdges(samples: readonly OpSample[]): Promise<void> {
    const { device, edges = {} } = this.options;
    return checkEdges({
      device,
      op: this.op,
      samples,
      edges,
      comparison: this.comparison,
      bound: (output, other) => (isFloat(output.dtype) ? { ...this.bound(output), ...other } : this.bound(output)),
      call: (inputs, sample) => this.call(inputs, sample),
    });
  }

  private call(inputs: readonly Tensor[], { attrs }: OpSample): Tensor[] {
    const result = this.apply(inputs, attrs);
    return result instanceof Tensor ? [result] : [...result];
  }

  private upload(stored: readonly StoredTensor[]) {
    // Both sides start from the same f32: a fixture's text is the shortest that gives it, not its exact value.
    const leaves = new Map<Value, ArrayLike<number>>();
    const inputs = stored.map((tensor) => {
      const { data, shape, dtype } = hostTensor(tensor);
      const input = this.options.device.tensor(data, { shape, dtype });
      leaves.set(input.value, data);
      return input;
    });
    return { inputs, leaves };
  }

  private checkTypes(outputs: readonly Tensor[], { outputs: stored }: OpSample, name: string): void {
    if (!stored) return;
    const show = (tensors: readonly { dtype: string; shape: readonly number[] }[]) =>
      tensors.map(({ dtype, shape }) => `${dtype}[${shape}]`).join(' ');
    if (show(outputs) !== show(stored)) {
      this.comparison.fail(`sample ${name} gives ${show(outputs)}, expected ${show(stored)}.`);
    }
  }

  /** The op's own shader function in JavaScript against the independent reading of the same node. */
  private checkScalarBody(outputs: readonly Tensor[], leaves: Leaves, name: string): void {
    if (this.op?.kind !== 'pointwise') return;
    for (const node of topologicalOrder(outputs.map(({ value }) => value))) {
      const result = node.outputs[0]!;
      if (result.dtype === 'f16') continue; // rounded when it is stored, not by the body
      if (node.op !== this.op || !node.inputs.every(({ shape }) => sizeOf(shape) === sizeOf(result.shape))) continue;
      const wrap = [...node.inputs, result].map((value) => new Tensor(value, undefined));
      const elements = interpret(wrap, { leaves });
      const expected = elements.pop()!;
      const actual: number[] = [];
      for (let i = 0; i < expected.length; i++) {
        const value = runScalarBody(
          node,
          elements.map((input) => input[i]!),
        );
        if (value === undefined) return;
        actual.push(value);
      }
      this.hasScalarBody ||= actual.length > 0;
      this.comparison.plan('cpu', expected.length);
      this.comparison.compare('cpu', name, actual, expected, this.bound(result));
    }
  }

  private addFused(sample: OpSample, expected: readonly ArrayLike<number>[], name: string): void {
    const { inputs } = this.upload(sample.inputs.map(before));
    const results = this.call(inputs.map(producer), sample).map(consumer);
    this.jobs.fused.push({
      results,
      verify: (actual) => {
        actual.forEach((elements, i) => {
          const undone = Array.from(elements, after(results[i]!.dtype));
          this.comparison.compare('fused', name, undone, expected[i]!, this.bound(results[i]!));
        });
      },
    });
  }

  private addGradient(
    sample: OpSample,
    inputs: readonly Tensor[],
    leaves: Leaves,
    name: string,
    seed: number,
    chosen: boolean,
  ): void {
    const tolerance = { ...this.tolerance, ...this.options.gradientTolerance };
    const cotangents = this.upload(sample.cotangents ?? drawCotangents(this.call(inputs, sample), seed));
    const bound = new Map([...leaves, ...cotangents.leaves]);
    const gradients = this.gradientsOf(inputs, cotangents.inputs, sample);
    const reference = interpret(gradients, { leaves: bound });
    const stored = sample.inputs.flatMap(({ dtype }, i) => (isFloat(dtype) ? [sample.gradients?.[i]?.data] : []));
    const expected = reference.map((elements, i) => stored[i] ?? elements);
    for (const kind of chosen ? (['gradient', 'fusedGradient'] as const) : (['gradient'] as const))
      this.comparison.plan(kind, total(expected));
    this.hasGradient ||= total(expected) > 0 && typeof (this.op?.vjp ?? (() => [])) === 'function';
    const differences = this.differences(sample, inputs, cotangents.inputs, bound, seed);
    this.jobs.gradient.push({
      results: gradients,
      verify: (actual) => {
        actual.forEach((elements, i) => {
          this.comparison.compare('gradient', name, elements, expected[i]!, tolerance);
        });
        this.compareDifferences('differences', differences, actual, name);
      },
    });
    if (this.jobs.second.length === 0) this.addSecond(sample, inputs, cotangents.inputs, bound, name, seed);
    if (!chosen) return;
    // Producers halve what was doubled, so gradients by the doubled inputs are halves.
    const doubled = this.upload(sample.inputs.map(before));
    this.jobs.fusedGradient.push({
      results: this.gradientsOf(doubled.inputs, cotangents.inputs, sample, producer),
      verify: (actual) => {
        actual.forEach((elements, i) => {
          const undone = Array.from(elements, (x) => x * 2);
          this.comparison.compare('fusedGradient', name, undone, expected[i]!, tolerance);
        });
      },
    });
  }

  /** The gradient of the gradient along a direction. */
  private addSecond(
    sample: OpSample,
    inputs: readonly Tensor[],
    cotangents: readonly Tensor[],
    leaves: Leaves,
    name: string,
    seed: number,
  ): void {
    const params = inputs.filter(({ dtype }) => isFloat(dtype));
    if (this.options.second || this.options.differences || params.every(({ size }) => size === 0)) return;
    const along = this.upload(drawCotangents(params, seed + 500));
    const slope = (list: readonly Tensor[]) => {
      const rest = [...list];
      const all = inputs.map((input) => (isFloat(input.dtype) ? rest.shift()! : input));
      return weighted(this.gradientsOf(all, cotangents, sample), along.inputs);
    };
    const { found } = centralDifferences(slope(params), params, new Map([...leaves, ...along.leaves]), seed);
    this.comparison.plan('second', found.length);
    this.jobs.second.push({
      results: grad(slope)(params),
      verify: (actual) => this.compareDifferences('second', found, actual, name),
    });
  }

  /** Gradients of Σ outputs · cotangents by the float inputs. */
  private gradientsOf(
    inputs: readonly Tensor[],
    cotangents: readonly Tensor[],
    sample: OpSample,
    prepare: (x: Tensor) => Tensor = (x) => x,
  ): Tensor[] {
    const params = inputs.filter(({ dtype }) => isFloat(dtype));
    return grad((list: Tensor[]) => {
      const rest = [...list];
      const all = inputs.map((input) => prepare(isFloat(input.dtype) ? rest.shift()! : input));
      return weighted(this.call(all, sample), cotangents);
    })(params);
  }

  /** Slopes of the float64 reading along three random directions. */
  private differences(
    sample: OpSample,
    inputs: readonly Tensor[],
    cotangents: readonly Tensor[],
    leaves: Leaves,
    seed: number,
  ): readonly Difference[] {
    const params = inputs.filter(({ dtype }) => isFloat(dtype));
    if (params.every(({ size }) => size === 0)) return [];
    const loss = weighted(this.call(inputs, sample), cotangents);
    const { found, kinks } = centralDifferences(loss, params, leaves, seed);
    this.kinks += kinks;
    this.comparison.plan('differences', found.length);
    return found;
  }

  private compareDifferences(
    kind: 'differences' | 'second',
    differences: readonly Difference[],
    gradients: readonly HostArray[],
    name: string,
  ): void {
    for (const { direction, slope } of differences) {
      const { along, scale } = alongDirection(gradients, direction);
      const absolute = 1e-4 * scale + 1e-6;
      this.comparison.compare(kind, name, [along], [slope], { relative: 0, absolute });
    }
  }

  private addHalf(sample: OpSample, name: string, seed: number): void {
    const { half, device } = this.options;
    if ((half && 'none' in half) || !device.hasFeature('shader-f16')) return;
    if (sample.inputs.some(({ dtype }) => dtype === 'f16')) return;
    // The same rounded inputs for both, so that only what f16 does to results is measured.
    const rounded = sample.inputs.map((input) =>
      isFloat(input.dtype) ? { ...input, data: input.data.map((x) => fromHalf(toHalf(x))) } : input,
    );
    const wide = this.upload(rounded);
    const narrow = this.upload(rounded.map((input) => (isFloat(input.dtype) ? { ...input, dtype: 'f16' } : input)));
    const outputs = this.call(narrow.inputs, sample);
    this.jobs.half.push(this.halfJob(outputs, interpret(this.call(wide.inputs, sample), wide), name));
    if (this.op && typeof this.op.vjp !== 'function') return;
    const cotangents = this.upload(drawCotangents(outputs, seed));
    const gradients = this.gradientsOf(narrow.inputs, cotangents.inputs, sample);
    const leaves = new Map([...wide.leaves, ...cotangents.leaves]);
    const expected = interpret(this.gradientsOf(wide.inputs, cotangents.inputs, sample), { leaves });
    this.jobs.half.push(this.halfJob(gradients, expected, `${name} (gradient)`));
  }

  private halfJob(results: readonly Tensor[], expected: readonly Elements[], name: string): Job {
    const tolerance = { ...halfway, ...this.options.half };
    this.comparison.plan('half', total(expected));
    const verify = (actual: readonly HostArray[]) => {
      actual.forEach((elements, i) => {
        // The absolute part grows with the largest element, from which rounding in sums comes.
        const largest = expected[i]!.reduce(
          (most, x) => (Number.isNaN(x) ? most : Math.max(most, Math.min(Math.abs(x), 65504))),
          1,
        );
        const bound = { relative: tolerance.relative, absolute: tolerance.absolute * largest };
        const beyond = expected[i]!.map((x) => (Math.abs(x) > 65504 ? Math.sign(x) * Number.POSITIVE_INFINITY : x));
        this.comparison.compare('half', name, elements, beyond, bound);
      });
    };
    return { results, verify };
  }
}

type Leaves = ReadonlyMap<Value, ArrayLike<number>>;

function total(lists: readonly ArrayLike<number>[]): number {
  return lists.reduce((sum, { length }) => sum + length, 0);
}

function drawCotangents(outputs: readonly Tensor[], seed: number): StoredTensor[] {
  return outputs.map(({ shape, size }, i) => ({
    shape,
    dtype: 'f32',
    data: [...hostNormal(key(7000 + seed * 10 + i), size)],
  }));
}

function weighted(outputs: readonly Tensor[], cotangents: readonly Tensor[]): Tensor {
  const terms = outputs.flatMap((output, i) => (isFloat(output.dtype) ? [output.mul(cotangents[i]!).sum()] : []));
  return terms.reduce((a, b) => a.add(b));
}
