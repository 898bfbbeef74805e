import type { Value } from './node.js';
import { type Shape, sizeOf, stridesOf } from './shape.js';

/** A window on a buffer: element c is at offset + Σ c_i · strides_i, in elements. */
export interface Strided {
  readonly shape: Shape;
  readonly strides: readonly number[];
  readonly offset: number;
}

function contiguous(shape: Shape): Strided {
  return { shape, strides: stridesOf(shape), offset: 0 };
}

/** Whether the window is one unbroken row-major run. Strides of axes of size 1 do not matter. */
export function isContiguous(window: Strided): boolean {
  const expected = stridesOf(window.shape);
  return sizeOf(window.shape) === 0 || window.shape.every((n, i) => n === 1 || window.strides[i] === expected[i]);
}

/** The same elements in another shape, if strides can express it (axes are split and merged where they are dense). */
export function reshapeStrided(window: Strided, shape: Shape): Strided | undefined {
  if (sizeOf(shape) === 0) return undefined;
  // Neighbours that are dense in each other are one run, of which new axes are cut off from the innermost.
  const runs: { n: number; stride: number }[] = [];
  window.shape.forEach((n, i) => {
    if (n === 1) return;
    const stride = window.strides[i]!;
    const dense = runs.at(-1)?.stride === stride * n;
    runs.push({ n: dense ? runs.pop()!.n * n : n, stride });
  });
  const strides = new Array<number>(shape.length).fill(0);
  let run = runs.pop();
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const n = shape[axis]!;
    if (n === 1) continue;
    if (run?.n === 1) run = runs.pop();
    if (!run || run.n % n !== 0) return undefined;
    strides[axis] = run.stride;
    run = { n: run.n / n, stride: run.stride * n };
  }
  // The stride of a batch of 1 does not matter: it gets the one that any other batch would have, so that they share text.
  if (shape[0] === 1 && shape.length > 1) {
    strides[0] = window.shape[0] === 1 ? window.strides[0]! : strides[1]! * shape[1]!;
  }
  return { shape, strides, offset: window.offset };
}

/** A value as what its views show of another one, as long as strides can express them. */
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
