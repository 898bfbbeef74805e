// The plain form of every family whose kernels are text, as typed shader functions: the compiler checks them, and one
// definition runs on the CPU as JavaScript and on a device as WGSL. Each gives one element of the result at its row-major
// index. Operands are functions of an index, too.
import type { TgpuFn } from 'typegpu';
import { d, fn, std } from '../shader/fn.js';

/** An operand or a result: the element at a row-major index. */
export type Elements = TgpuFn<(at: d.U32) => d.F32>;

/** Repeatable numbers in [−1, 1], the same on the CPU and on a device but for the rounding of one division. */
export function numbers(seed: number): Elements {
  const from = seed * 10_007;
  return fn([d.u32], d.f32, (at) => {
    'use gpu';
    return d.f32((at * 7919 + from) % 2003) / 1001 - 1;
  });
}

/** [m, k] · [k, n], summed in the order of k. */
export function product({ n, k }: { readonly n: number; readonly k: number }, a: Elements, b: Elements): Elements {
  return fn([d.u32], d.f32, (at) => {
    'use gpu';
    const column = at % n;
    const row = d.u32((at - column) / n); // a whole number, so that a division of floats is exact
    let sum = d.f32(0);
    for (let i = d.u32(0); i < k; i++) {
      sum = sum + a(row * k + i) * b(i * n + column);
    }
    return sum;
  });
}

/** Sizes of {@link attention}; its operands and its result are [batch, rows, heads, headDim]. */
export interface AttentionSizes {
  readonly queries: number;
  readonly keys: number;
  readonly heads: number;
  readonly headDim: number;
}

/** softmax(q · kᵀ / √headDim) · v. */
export function attention(sizes: AttentionSizes, q: Elements, k: Elements, v: Elements): Elements {
  const { queries, keys, heads, headDim } = sizes;
  const width = heads * headDim;
  const scale = 1 / Math.sqrt(headDim);
  const score = fn([d.u32, d.u32], d.f32, (own, other) => {
    'use gpu';
    let sum = d.f32(0);
    for (let c = d.u32(0); c < headDim; c++) {
      sum = sum + q(own + c) * k(other + c);
    }
    return sum * scale;
  });
  return fn([d.u32], d.f32, (at) => {
    'use gpu';
    const c = at % headDim;
    const inRow = at % width;
    const row = d.u32((at - inRow) / width);
    const batch = d.u32((row - (row % queries)) / queries);
    const own = at - c;
    const first = batch * keys * width + (inRow - c);
    let most = score(own, first);
    for (let j = d.u32(1); j < keys; j++) {
      most = std.max(most, score(own, first + j * width));
    }
    let weights = d.f32(0);
    let sum = d.f32(0);
    for (let j = d.u32(0); j < keys; j++) {
      const weight = std.exp(score(own, first + j * width) - most);
      weights = weights + weight;
      sum = sum + weight * v(first + j * width + c);
    }
    return sum / weights;
  });
}

/** A reduction of [rows, length] to [rows]. */
type Reduced = (length: number, x: Elements) => Elements;

const add = fn([d.f32, d.f32], d.f32, (a, b) => {
  'use gpu';
  return a + b;
});
const multiply = fn([d.f32, d.f32], d.f32, (a, b) => {
  'use gpu';
  return a * b;
});
const larger = fn([d.f32, d.f32], d.f32, (a, b) => {
  'use gpu';
  return std.max(a, b);
});
const smaller = fn([d.f32, d.f32], d.f32, (a, b) => {
  'use gpu';
  return std.min(a, b);
});

/** Combines the elements of a row from the first to the last. */
function combined(combine: typeof add): Reduced {
  return (length, x) =>
    fn([d.u32], d.f32, (row) => {
      'use gpu';
      let result = x(row * length);
      for (let i = d.u32(1); i < length; i++) {
        result = combine(result, x(row * length + i));
      }
      return result;
    });
}

/** The accumulators of reductions. */
export const reductions: Readonly<Record<'sum' | 'prod' | 'max' | 'min' | 'argmax', Reduced>> = {
  sum: combined(add),
  prod: combined(multiply),
  max: combined(larger),
  min: combined(smaller),
  argmax: (length, x) =>
    fn([d.u32], d.f32, (row) => {
      'use gpu';
      let place = d.u32(0);
      for (let i = d.u32(1); i < length; i++) {
        if (x(row * length + i) > x(row * length + place)) {
          place = i;
        }
      }
      return d.f32(place);
    }),
};
