import { type Shape, sizeOf, stridesOf } from './shape.js';

/** A window on a buffer: element c stands at offset + Σ c_i · strides_i, in elements. */
export interface Strided {
  readonly shape: Shape;
  readonly strides: readonly number[];
  readonly offset: number;
}

export function contiguous(shape: Shape): Strided {
  return { shape, strides: stridesOf(shape), offset: 0 };
}

/** Whether the window is one unbroken row-major run. Strides of axes of size 1 do not matter. */
export function isContiguous(window: Strided): boolean {
  const expected = stridesOf(window.shape);
  return sizeOf(window.shape) === 0 || window.shape.every((n, i) => n === 1 || window.strides[i] === expected[i]);
}

/** The same elements under another shape, if strides can say it (axes are split and merged where they are dense). */
export function reshapeStrided(window: Strided, shape: Shape): Strided | undefined {
  if (sizeOf(shape) === 0) return undefined;
  const from = window.shape.map((n, i) => ({ n, stride: window.strides[i]! })).filter((axis) => axis.n !== 1);
  const strides = new Array<number>(shape.length).fill(0);
  let i = 0;
  let j = 0;
  while (j < shape.length) {
    if (shape[j] === 1) {
      j++;
      continue;
    }
    // Take axes from both sides until their products agree: a group.
    const firstTo = j;
    const firstFrom = i;
    let to = shape[j++]!;
    let source = from[i++]?.n;
    if (source === undefined) return undefined;
    while (to !== source) {
      if (to < source) {
        if (j >= shape.length) return undefined;
        to *= shape[j++]!;
      } else {
        const next = from[i++];
        if (!next) return undefined;
        source *= next.n;
      }
    }
    // Within a group the old axes must be dense in each other.
    for (let a = firstFrom; a + 1 < i; a++) {
      if (from[a]!.stride !== from[a + 1]!.stride * from[a + 1]!.n) return undefined;
    }
    let stride = from[i - 1]!.stride;
    for (let b = j - 1; b >= firstTo; b--) {
      strides[b] = stride;
      stride *= shape[b]!;
    }
  }
  // The stride of a batch of 1 does not matter: it gets the one that any other batch would have, so that they share text.
  if (shape[0] === 1 && shape.length > 1) {
    strides[0] = window.shape[0] === 1 ? window.strides[0]! : strides[1]! * shape[1]!;
  }
  return { shape, strides, offset: window.offset };
}
