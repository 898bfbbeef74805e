// Sums of padded parts that fill a tensor side by side, as in the gradient of a sliced parameter. A pack takes the parts
// themselves, so that their producers write them in place and nothing has to be added.
import type { Value } from '../graph/node.js';
import { sizeOf } from '../graph/shape.js';
import { add } from '../ops/arithmetic/arithmetic.js';
import { packAlignment } from '../ops/pack.js';
import { pad } from '../ops/view/parts.js';
import { reshape } from '../ops/view/views.js';

interface Part {
  readonly value: Value;
  /** Where it begins, in elements of the whole. */
  readonly start: number;
}

/** The parts of which a value consists in memory, in order, if each but the last fills whole units of a pack. */
export function adjoiningParts(value: Value): readonly Value[] {
  const parts = paddedParts(value)?.sort((a, b) => a.start - b.start);
  if (!parts) return [value];
  let end = 0;
  for (const part of parts) {
    if (part.start !== end || end % packAlignment !== 0) return [value];
    end += sizeOf(part.value.shape);
  }
  return end === sizeOf(value.shape) ? parts.map((part) => part.value) : [value];
}

/** The addends of a sum, if every one of them is padded along its first axis alone. */
function paddedParts(value: Value): Part[] | undefined {
  const { op, inputs, attributes } = value.node;
  if (op === reshape.op) return paddedParts(inputs[0]!);
  if (op === add.op) {
    const [a, b] = inputs.map(paddedParts);
    return a && b && [...a, ...b];
  }
  if (op !== pad.op) return undefined;
  const { low, high, interior } = attributes as Record<'low' | 'high' | 'interior', readonly number[]>;
  const whole = (n: number, axis: number) => axis === 0 || (n === 0 && high![axis] === 0);
  if (!low!.every(whole) || interior!.some((n) => n !== 0)) return undefined;
  return [{ value: inputs[0]!, start: low![0]! * sizeOf(value.shape.slice(1)) }];
}
