// Computes an op's samples on the device, phase by phase, and compares them with what is expected.
import { type HostArray, isFloat } from '../../graph/dtype.js';
import { topologicalOrder } from '../../graph/node.js';
import { sizeOf } from '../../graph/shape.js';
import type { Tensor } from '../../tensor.js';
import { interpret } from '../interpret.js';
import type { OpSample } from '../samples.js';
import type { CheckOptions } from './check-op.js';
import type { Comparison } from './comparison.js';
import { checkEdges } from './edges.js';
import { Gradients } from './gradients.js';
import { halfJobs } from './half.js';
import { runScalarBody } from './scalar-body.js';
import { type Job, type Leaves, type Subject, total } from './subject.js';
import { after, before, consumer, producer } from './surroundings.js';

const phases = ['bare', 'fused', 'gradient', 'fusedGradient', 'second', 'half'] as const;
type Phase = (typeof phases)[number];

export class Check {
  /** Whether the op's shader function has run as JavaScript. */
  hasScalarBody = false;
  private readonly jobs = Object.fromEntries(phases.map((phase) => [phase, []])) as unknown as Record<Phase, Job[]>;
  private readonly withFloats: ((chosen: boolean) => void)[] = [];
  private readonly gradients: Gradients;

  constructor(
    private readonly subject: Subject,
    private readonly comparison: Comparison,
    private readonly options: CheckOptions,
  ) {
    this.gradients = new Gradients(subject, comparison, {
      tolerance: { ...subject.tolerance, ...options.gradientTolerance },
      second: !options.second && !options.differences,
    });
  }

  get kinks(): number {
    return this.gradients.kinks;
  }

  get hasGradient(): boolean {
    return this.gradients.found;
  }

  async run(): Promise<void> {
    const { device } = this.subject;
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
    return result.device ? result.read() : this.subject.device.download(result);
  }

  add(sample: OpSample, name: string, seed: number): void {
    const { comparison, subject } = this;
    const uploaded = subject.upload(sample.inputs);
    const outputs = subject.call(uploaded.inputs, sample);
    this.checkTypes(outputs, sample, name);
    const read = interpret(outputs, uploaded);
    const expected = sample.outputs?.map(({ data }) => data) ?? read;
    for (const kind of ['forward', 'fused'] as const) comparison.plan(kind, total(expected));
    // A reading that disagrees with the fixture would prove nothing about the other samples.
    if (sample.outputs) {
      read.forEach((elements, i) => {
        comparison.compare('reading', name, elements, expected[i]!, subject.bound(outputs[i]!));
      });
    }
    this.checkScalarBody(outputs, uploaded.leaves, name);
    if ([sample.inputs, outputs].every((list) => list.some(({ dtype }) => isFloat(dtype)))) {
      this.withFloats.push((chosen) => {
        this.addGradients(sample, uploaded, name, seed, chosen);
        if (chosen) this.addHalf(sample, name, seed);
      });
    }
    this.addFused(sample, expected, name);
    this.addBare(outputs, expected, read, name);
  }

  atEdges(samples: readonly OpSample[]): Promise<void> {
    const { subject, comparison } = this;
    return checkEdges({
      device: subject.device,
      op: subject.op,
      samples,
      edges: this.options.edges ?? {},
      comparison,
      bound: (output, other) =>
        isFloat(output.dtype) ? { ...subject.bound(output), ...other } : subject.bound(output),
      call: (inputs, sample) => subject.call(inputs, sample),
    });
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
    const { op } = this.subject;
    if (op?.kind !== 'pointwise') return;
    for (const node of topologicalOrder(outputs)) {
      const result = node.outputs[0]!;
      if (result.dtype === 'f16') continue; // rounded when it is stored, not by the body
      if (node.op !== op || !node.inputs.every(({ shape }) => sizeOf(shape) === sizeOf(result.shape))) continue;
      const elements = interpret([...node.inputs, result], { leaves });
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
      this.comparison.compare('cpu', name, actual, expected, this.subject.bound(result));
    }
  }

  private addBare(
    outputs: readonly Tensor[],
    expected: readonly ArrayLike<number>[],
    read: readonly ArrayLike<number>[],
    name: string,
  ): void {
    const { comparison, subject } = this;
    this.jobs.bare.push({
      results: outputs,
      verify: (actual) => {
        actual.forEach((elements, i) => {
          const bound = subject.bound(outputs[i]!);
          comparison.compare('forward', name, elements, expected[i]!, bound);
          if (subject.op?.kind === 'tiled') comparison.compare('reference', name, elements, read[i]!, bound);
        });
      },
    });
  }

  private addFused(sample: OpSample, expected: readonly ArrayLike<number>[], name: string): void {
    const { comparison, subject } = this;
    const { inputs } = subject.upload(sample.inputs.map(before));
    const results = subject.call(inputs.map(producer), sample).map(consumer);
    this.jobs.fused.push({
      results,
      verify: (actual) => {
        actual.forEach((elements, i) => {
          const undone = Array.from(elements, after(results[i]!.dtype));
          comparison.compare('fused', name, undone, expected[i]!, subject.bound(results[i]!));
        });
      },
    });
  }

  private addGradients(...[sample, uploaded, name, seed, chosen]: Parameters<Gradients['jobs']>): void {
    const { op } = this.subject;
    if (op && typeof op.vjp !== 'function' && !op.vjp.zero) return;
    for (const [phase, job] of Object.entries(this.gradients.jobs(sample, uploaded, name, seed, chosen))) {
      if (job) this.jobs[phase as Phase].push(job);
    }
  }

  private addHalf(sample: OpSample, name: string, seed: number): void {
    const { half } = this.options;
    if (half && 'none' in half) return;
    this.jobs.half.push(...halfJobs(this.subject, this.comparison, sample, name, seed, half));
  }
}

/** Whether sample i is one of four spread over all: what takes most kernels is checked on these. */
function spread(i: number, count: number): boolean {
  const every = Math.max(1, (count - 1) / 3);
  return Math.floor(i / every) !== Math.floor((i - 1) / every);
}
