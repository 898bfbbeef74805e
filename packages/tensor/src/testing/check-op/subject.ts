// The op under test on its device: how a sample becomes a call, and what its gradients are.
import { grad } from '../../autodiff/gradient.js';
import type { Device } from '../../device/device.js';
import { type HostArray, isFloat } from '../../graph/dtype.js';
import type { Value } from '../../graph/node.js';
import type { Op } from '../../graph/op.js';
import { hostNormal, key } from '../../random/index.js';
import { Tensor } from '../../tensor.js';
import { hostTensor, type StoredTensor } from '../parity.js';
import type { OpSample } from '../samples.js';
import type { Tolerance } from './comparison.js';

/** A sample as a call. */
export type Apply = (inputs: readonly Tensor[], attrs: OpSample['attrs']) => Tensor | readonly Tensor[];

/** Data of a graph's leaves, for its reading in JavaScript. */
export type Leaves = ReadonlyMap<Value, ArrayLike<number>>;

/** Tensors on the device, and their elements on the host. */
export interface Uploaded {
  readonly inputs: readonly Tensor[];
  readonly leaves: Leaves;
}

/** Results to compute on the device, and what they are compared with. All jobs of a phase run in one submit. */
export interface Job {
  readonly results: readonly Tensor[];
  verify(actual: readonly HostArray[]): void;
}

export class Subject {
  constructor(
    readonly device: Device,
    readonly op: Op | undefined,
    private readonly apply: Apply,
    readonly tolerance: Tolerance,
  ) {}

  call(inputs: readonly Tensor[], { attrs }: OpSample): Tensor[] {
    const result = this.apply(inputs, attrs);
    return result instanceof Tensor ? [result] : [...result];
  }

  upload(stored: readonly StoredTensor[]): Uploaded {
    // Both sides start from the same f32: a fixture's text is the shortest that gives it, not its exact value.
    const leaves = new Map<Value, ArrayLike<number>>();
    const inputs = stored.map((tensor) => {
      const { data, shape, dtype } = hostTensor(tensor);
      const input = this.device.tensor(data, { shape, dtype });
      leaves.set(input, data);
      return input;
    });
    return { inputs, leaves };
  }

  /** Gradients of Σ outputs · cotangents by the float inputs, each of which `prepare` is applied to first. */
  gradientsOf(
    inputs: readonly Tensor[],
    cotangents: readonly Tensor[],
    sample: OpSample,
    prepare: (x: Tensor) => Tensor = (x) => x,
  ): Tensor[] {
    return grad((floats: Tensor[]) => {
      const all = withFloats(inputs, floats).map(prepare);
      return weighted(this.call(all, sample), cotangents);
    })(floatsOf(inputs));
  }

  /** Integers and truth values are exact. */
  bound({ dtype }: { readonly dtype: Tensor['dtype'] }): Tolerance {
    return isFloat(dtype) ? this.tolerance : { relative: 0, absolute: 0 };
  }
}

export function floatsOf(inputs: readonly Tensor[]): Tensor[] {
  return inputs.filter(({ dtype }) => isFloat(dtype));
}

/** `inputs` with the float ones replaced, in order. */
export function withFloats(inputs: readonly Tensor[], floats: readonly Tensor[]): Tensor[] {
  const rest = [...floats];
  return inputs.map((input) => (isFloat(input.dtype) ? rest.shift()! : input));
}

/** Σ outputs · cotangents over the float outputs: a scalar. */
export function weighted(outputs: readonly Tensor[], cotangents: readonly Tensor[]): Tensor {
  const terms = outputs.flatMap((output, i) => (isFloat(output.dtype) ? [output.mul(cotangents[i]!).sum()] : []));
  return terms.reduce((a, b) => a.add(b));
}

export function drawCotangents(outputs: readonly Tensor[], seed: number): StoredTensor[] {
  return outputs.map(({ shape, size }, i) => ({
    shape,
    dtype: 'f32',
    data: [...hostNormal(key(7000 + seed * 10 + i), size)],
  }));
}

export function total(lists: readonly ArrayLike<number>[]): number {
  return lists.reduce((sum, { length }) => sum + length, 0);
}
