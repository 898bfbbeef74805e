// Views as windows: removes views from a value as long as strides can express them.
import type { Value } from './node.js';
import { contiguous, type Strided } from './strided.js';

export interface Windowed {
  readonly base: Value;
  readonly window: Strided;
}

/** The deepest value of which this one is a strided window that `accept` takes; at worst the value itself. */
export function windowOf(value: Value, accept: (window: Strided) => boolean = () => true): Windowed {
  // From the top down: each step composes one more view, so windows are rebuilt from the base upwards.
  const chain: Value[] = [value];
  for (let at = value; at.node.op.kind === 'pointwise' && at.node.op.strided; ) {
    at = at.node.inputs[0]!;
    chain.push(at);
  }
  for (let start = chain.length - 1; start > 0; start--) {
    const base = chain[start]!;
    if (base.operand) continue;
    let window: Strided | undefined = contiguous(base.shape);
    for (let i = start - 1; i >= 0 && window; i--) {
      const { op, attributes } = chain[i]!.node;
      window = op.kind === 'pointwise' ? op.strided?.(window, { attributes, output: chain[i]! }) : undefined;
    }
    if (window && accept(window)) return { base, window };
  }
  return { base: value, window: contiguous(value.shape) };
}
