// Proves one op: its results and its gradient against independent values, bare and fused. Knows of no test runner.

import type { Device } from '../../device/device.js';
import type { Op } from '../../graph/op.js';
import type { OpHandle } from '../../ops/define/names.js';
import type { Tensor } from '../../tensor.js';
import type { OpFixture, OpSample } from '../samples.js';
import { Check } from './check.js';
import { type CheckKind, Comparison, type Counts, type Tolerance, type WorstElement } from './comparison.js';
import type { Edges } from './edges.js';
import { type Apply, Subject } from './subject.js';

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

/**
 * Checks an op on every sample of its fixture and on `samples`:
 * - reading: the JavaScript reading of the graph, which replaces a missing fixture, against the fixture;
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
  const subject = new Subject(options.device, op, apply, { ...exact, ...options.tolerance });
  const check = new Check(subject, comparison, options);
  samples.forEach((sample, i) => {
    check.add(sample, [sample.name || i, ...showAttrs(sample)].join(' '), i);
  });
  await check.run();
  await check.atEdges(samples);
  const hasSlopes = check.hasGradient && !options.differences;
  const required: CheckKind[] = ['forward', 'fused'];
  if (op?.kind === 'tiled') required.push('reference');
  if (check.hasScalarBody) required.push('cpu');
  if (check.hasGradient) required.push('gradient', 'fusedGradient');
  if (hasSlopes) required.push('differences');
  if (hasSlopes && !options.second) required.push('second');
  comparison.finish(required);
  return { op: name, compared: comparison.compared, kinks: check.kinks, worst: comparison.worst };
}

function showAttrs({ attrs }: OpSample): string[] {
  return Object.keys(attrs).length === 0 ? [] : [JSON.stringify(attrs)];
}
