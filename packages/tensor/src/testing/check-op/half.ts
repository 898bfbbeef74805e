// Results and gradients in f16 storage against f32 ones of the same rounded inputs.
import { fromHalf, toHalf } from '@paris/files';
import { type HostArray, isFloat } from '../../graph/dtype.js';
import type { Tensor } from '../../tensor.js';
import { type Elements, interpret } from '../interpret.js';
import type { OpSample } from '../samples.js';
import type { Comparison, Tolerance } from './comparison.js';
import { drawCotangents, type Job, type Subject, total } from './subject.js';

const halfway: Tolerance = { relative: 4e-3, absolute: 4e-3 };
/** The largest number of f16. */
const largestHalf = 65504;

export function halfJobs(
  subject: Subject,
  comparison: Comparison,
  sample: OpSample,
  name: string,
  seed: number,
  chosen: Partial<Tolerance> = {},
): Job[] {
  if (!subject.device.hasFeature('shader-f16') || sample.inputs.some(({ dtype }) => dtype === 'f16')) return [];
  const job = (results: readonly Tensor[], expected: readonly Elements[], of: string) =>
    compareHalf(comparison, results, expected, of, { ...halfway, ...chosen });
  // The same rounded inputs for both, so that only what f16 does to results is measured.
  const rounded = sample.inputs.map((input) =>
    isFloat(input.dtype) ? { ...input, data: input.data.map((x) => fromHalf(toHalf(x))) } : input,
  );
  const wide = subject.upload(rounded);
  const narrow = subject.upload(rounded.map((input) => (isFloat(input.dtype) ? { ...input, dtype: 'f16' } : input)));
  const outputs = subject.call(narrow.inputs, sample);
  const forward = job(outputs, interpret(subject.call(wide.inputs, sample), wide), name);
  if (subject.op && typeof subject.op.vjp !== 'function') return [forward];
  const cotangents = subject.upload(drawCotangents(outputs, seed));
  const gradients = subject.gradientsOf(narrow.inputs, cotangents.inputs, sample);
  const leaves = new Map([...wide.leaves, ...cotangents.leaves]);
  const expected = interpret(subject.gradientsOf(wide.inputs, cotangents.inputs, sample), { leaves });
  return [forward, job(gradients, expected, `${name} (gradient)`)];
}

function compareHalf(
  comparison: Comparison,
  results: readonly Tensor[],
  expected: readonly Elements[],
  name: string,
  { relative, absolute }: Tolerance,
): Job {
  comparison.plan('half', total(expected));
  const verify = (actual: readonly HostArray[]) => {
    actual.forEach((elements, i) => {
      // The absolute part grows with the largest element, from which rounding in sums comes.
      const largest = expected[i]!.reduce(
        (most, x) => (Number.isNaN(x) ? most : Math.max(most, Math.min(Math.abs(x), largestHalf))),
        1,
      );
      const beyond = expected[i]!.map((x) => (Math.abs(x) > largestHalf ? Math.sign(x) * Number.POSITIVE_INFINITY : x));
      comparison.compare('half', name, elements, beyond, { relative, absolute: absolute * largest });
    });
  };
  return { results, verify };
}
