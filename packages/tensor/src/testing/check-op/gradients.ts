// The gradient of an op, bare and fused, against its independent reading and against differences; and its own gradient.
import { grad } from '../../autodiff/gradient.js';
import { type HostArray, isFloat } from '../../graph/dtype.js';
import type { Tensor } from '../../tensor.js';
import { interpret } from '../interpret.js';
import type { OpSample } from '../samples.js';
import type { Comparison, Tolerance } from './comparison.js';
import { alongDirection, centralDifferences, type Difference } from './differences.js';
import {
  drawCotangents,
  floatsOf,
  type Job,
  type Leaves,
  type Subject,
  total,
  type Uploaded,
  weighted,
  withFloats,
} from './subject.js';
import { before, producer } from './surroundings.js';

interface GradientOptions {
  readonly tolerance: Tolerance;
  /** Whether the gradient's own gradient is checked. */
  readonly second: boolean;
}

/** A sample with what it was uploaded to, and the cotangents of its results. */
interface Trial {
  readonly sample: OpSample;
  readonly name: string;
  readonly seed: number;
  readonly inputs: readonly Tensor[];
  readonly cotangents: readonly Tensor[];
  readonly leaves: Leaves;
}

/** What is to be computed for a sample. */
export interface GradientJobs {
  readonly gradient: Job;
  readonly second: Job | undefined;
  readonly fusedGradient: Job | undefined;
}

export class Gradients {
  /** Directions left out, since the op has a kink or a step there. */
  kinks = 0;
  /** Whether the op has a gradient that is not zero everywhere. */
  found = false;
  private hasSecond = false;

  constructor(
    private readonly subject: Subject,
    private readonly comparison: Comparison,
    private readonly options: GradientOptions,
  ) {}

  /** What to compute for a sample; `fusedGradient` only for those that are `chosen`, `second` for one of all. */
  jobs(sample: OpSample, { inputs, leaves }: Uploaded, name: string, seed: number, chosen: boolean): GradientJobs {
    const { subject } = this;
    const cotangents = subject.upload(sample.cotangents ?? drawCotangents(subject.call(inputs, sample), seed));
    const all = new Map([...leaves, ...cotangents.leaves]);
    const trial: Trial = { sample, name, seed, inputs, cotangents: cotangents.inputs, leaves: all };
    const gradients = subject.gradientsOf(inputs, cotangents.inputs, sample);
    const reference = interpret(gradients, { leaves: all });
    const stored = sample.inputs.flatMap(({ dtype }, i) => (isFloat(dtype) ? [sample.gradients?.[i]?.data] : []));
    const expected = reference.map((elements, i) => stored[i] ?? elements);
    this.found ||= total(expected) > 0 && typeof (subject.op?.vjp ?? (() => [])) === 'function';
    return {
      gradient: this.bare(trial, gradients, expected),
      second: this.second(trial),
      fusedGradient: chosen ? this.fused(trial, expected) : undefined,
    };
  }

  private bare(trial: Trial, gradients: readonly Tensor[], expected: readonly ArrayLike<number>[]): Job {
    const { comparison, options } = this;
    const differences = this.differences(trial);
    comparison.plan('gradient', total(expected));
    return {
      results: gradients,
      verify: (actual) => {
        actual.forEach((elements, i) => {
          comparison.compare('gradient', trial.name, elements, expected[i]!, options.tolerance);
        });
        this.compareDifferences('differences', differences, actual, trial.name);
      },
    };
  }

  private fused({ sample, name, cotangents }: Trial, expected: readonly ArrayLike<number>[]): Job {
    const { subject, comparison, options } = this;
    comparison.plan('fusedGradient', total(expected));
    // Producers halve what was doubled, so gradients by the doubled inputs are halves.
    const doubled = subject.upload(sample.inputs.map(before));
    return {
      results: subject.gradientsOf(doubled.inputs, cotangents, sample, producer),
      verify: (actual) => {
        actual.forEach((elements, i) => {
          const undone = Array.from(elements, (x) => x * 2);
          comparison.compare('fusedGradient', name, undone, expected[i]!, options.tolerance);
        });
      },
    };
  }

  /** The gradient of the gradient along a direction. */
  private second({ sample, name, seed, inputs, cotangents, leaves }: Trial): Job | undefined {
    const params = floatsOf(inputs);
    if (this.hasSecond || !this.options.second || params.every(({ size }) => size === 0)) return undefined;
    this.hasSecond = true;
    const along = this.subject.upload(drawCotangents(params, seed + 500));
    const slope = (floats: readonly Tensor[]) =>
      weighted(this.subject.gradientsOf(withFloats(inputs, floats), cotangents, sample), along.inputs);
    const { found } = centralDifferences(slope(params), params, new Map([...leaves, ...along.leaves]), seed);
    this.comparison.plan('second', found.length);
    return {
      results: grad(slope)(params),
      verify: (actual) => this.compareDifferences('second', found, actual, name),
    };
  }

  /** Slopes of the float64 reading along three random directions. */
  private differences({ sample, seed, inputs, cotangents, leaves }: Trial): readonly Difference[] {
    const params = floatsOf(inputs);
    if (params.every(({ size }) => size === 0)) return [];
    const loss = weighted(this.subject.call(inputs, sample), cotangents);
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
      this.comparison.compare(kind, name, [along], [slope], { relative: 0, absolute: 1e-4 * scale + 1e-6 });
    }
  }
}
