// What each op means, in plain JavaScript: definitions, not algorithms. Written from the ops' documentation.
import { fromHalf, toHalf } from '@paris/files';
import { isFloat, wholeRanges } from '../graph/dtype.js';
import type { Node } from '../graph/node.js';
import { type Shape, sizeOf } from '../graph/shape.js';
import { rowsOf } from '../ops/define/reduction.js';
import { hostBits, hostNormal, hostUniform, Key } from '../random/index.js';
import type { Elements, Interpreted } from './interpret.js';

type Interpreter = (context: Interpreted) => readonly Elements[];

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const cdf = (x: number) => Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3));

/** Gelu's derivative: the product rule on x/2 · (1 + tanh u), u′ = √(2/π) · (1 + 3 · 0.044715 · x²). */
function geluSlope(x: number): number {
  const t = cdf(x);
  return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x * x);
}

/** The error function: its series, and beyond 3 Legendre's continued fraction of erfc. */
function erf(x: number): number {
  const a = Math.abs(x);
  if (a > 6) return Math.sign(x);
  let total = 0;
  if (a < 3) {
    for (let n = 0, term = a; n < 100; n++, term *= -(a * a) / n) total += term / (2 * n + 1);
    return (Math.sign(x) * 2 * total) / Math.sqrt(Math.PI);
  }
  for (let n = 60; n > 0; n--) total = n / 2 / (a + total);
  return Math.sign(x) * (1 - Math.exp(-a * a) / ((a + total) * Math.sqrt(Math.PI)));
}

function unary(fn: (x: number) => number): Interpreter {
  return ({ inputs }) => [inputs[0]!.map(fn)];
}

function binary(fn: (a: number, b: number) => number): Interpreter {
  return ({ inputs: [a, b] }) => [a!.map((x, i) => fn(x, b![i]!))];
}

/** Elements by their numbers. (`Float64Array.from` takes ten times as long.) */
export function elementsBy(count: number, element: (index: number) => number): Float64Array {
  const elements = new Float64Array(count);
  for (let i = 0; i < count; i++) elements[i] = element(i);
  return elements;
}

/** The coordinates of element `index` of a shape. */
export function coordinatesOf(index: number, shape: Shape): number[] {
  const coordinates = new Array<number>(shape.length);
  let rest = index;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    coordinates[axis] = rest % shape[axis]!;
    rest = Math.floor(rest / shape[axis]!);
  }
  return coordinates;
}

function indexOf(coordinates: readonly number[], shape: Shape): number {
  return coordinates.reduce((index, c, axis) => index * shape[axis]! + c, 0);
}

/** Where each element of a node's output comes from. Graphs are interpreted many times, with other inputs. */
const sources = new WeakMap<Node, Float64Array>();

/** Output element by element: where it comes from in the first input, whatever the inputs are; undefined for a zero. */
function moved(from: (c: readonly number[], context: Interpreted) => readonly number[] | undefined): Interpreter {
  return (context) => {
    const { node, inputs } = context;
    const known = sources.get(node) ?? sourcesOf(node, (c) => from(c, context));
    sources.set(node, known);
    return [taken(inputs[0]!, known)];
  };
}

const taken = (from: Elements, places: Float64Array) =>
  elementsBy(places.length, (i) => (places[i]! < 0 ? 0 : from[places[i]!]!));

function sourcesOf(node: Node, from: (c: readonly number[]) => readonly number[] | undefined): Float64Array {
  const { shape } = node.outputs[0]!;
  return elementsBy(sizeOf(shape), (i) => {
    const at = from(coordinatesOf(i, shape));
    return at ? indexOf(at, node.inputs[0]!.shape) : -1;
  });
}

/** The largest or smallest element; of nothing what every element of the dtype is at least, or at most. */
function extremum(best: (...xs: number[]) => number, end: 0 | 1): Interpreter {
  return (context) => {
    const { dtype } = context.node.inputs[0]!;
    const nothing = isFloat(dtype) ? best() : wholeRanges[dtype][end];
    return reduce((xs) => xs.reduce((a, b) => best(a, b), nothing))(context);
  };
}

/** One result for the elements along the axes. */
function reduce(fn: (elements: readonly number[]) => number): Interpreter {
  return ({ node, inputs, attribute }) => {
    const { shape } = node.inputs[0]!;
    return [
      new Float64Array(rowsOf({ shape, data: inputs[0]! }, attribute<readonly number[]>('axes')).map((row) => fn(row))),
    ];
  };
}

const whole = new Set(['i32', 'u32']);
const multiply: Interpreter = ({ node, inputs: [a, b] }) => [
  a!.map((x, i) => (whole.has(node.outputs[0]!.dtype) ? Math.imul(x, b![i]!) : x * b![i]!)),
];

const matmul: Interpreter = ({ node, inputs: [a, b] }) => {
  const [m, k] = node.inputs[0]!.shape.slice(-2) as [number, number];
  const n = node.inputs[1]!.shape.at(-1)!;
  const batch = sizeOf(node.outputs[0]!.shape.slice(0, -2));
  const result = new Float64Array(batch * m * n);
  for (let at = 0; at < batch * m; at++) {
    const matrix = Math.floor(at / m);
    for (let j = 0; j < n; j++) {
      let total = 0;
      for (let i = 0; i < k; i++) total += a![at * k + i]! * b![(matrix * k + i) * n + j]!;
      result[at * n + j] = total;
    }
  }
  return [result];
};

const concat: Interpreter = ({ node, inputs, attribute }) => {
  const axis = attribute<number>('axis');
  const { shape } = node.outputs[0]!;
  return [
    elementsBy(sizeOf(shape), (i) => {
      const c = coordinatesOf(i, shape);
      let part = 0;
      while (c[axis]! >= node.inputs[part]!.shape[axis]!) c[axis]! -= node.inputs[part++]!.shape[axis]!;
      return inputs[part]![indexOf(c, node.inputs[part]!.shape)]!;
    }),
  ];
};

const pad = moved((c, { node, attribute }) => {
  const [low, interior] = [attribute<number[]>('low'), attribute<number[]>('interior')];
  const at = c.map((x, i) => (x - low[i]!) / (interior[i]! + 1));
  return at.every((x, i) => Number.isInteger(x) && x >= 0 && x < node.inputs[0]!.shape[i]!) ? at : undefined;
});

const gather: Interpreter = ({ node, inputs, attribute }) => {
  const axis = attribute<number>('axis');
  const found = sourcesOf(node, (c) => {
    const index = inputs[1]![indexOf(c, node.outputs[0]!.shape)]!;
    return index < node.inputs[0]!.shape[axis]! ? c.map((x, i) => (i === axis ? index : x)) : undefined;
  });
  return [taken(inputs[0]!, found)];
};

const windows = moved(([b, c, i, j, y, x], { attribute }) => {
  const [[sy, sx], [dy, dx]] = [attribute<number[]>('stride'), attribute<number[]>('dilation')];
  return [b!, c!, y! * sy! + i! * dy!, x! * sx! + j! * dx!];
});

const seen = moved(([b, c, y, x, i, j], { node, attribute }) => {
  const [[sy, sx], [dy, dx]] = [attribute<number[]>('stride'), attribute<number[]>('dilation')];
  const at = [(y! - i! * dy!) / sy!, (x! - j! * dx!) / sx!];
  const fits = at.every((n, axis) => Number.isInteger(n) && n >= 0 && n < node.inputs[0]!.shape[4 + axis]!);
  return fits ? [b!, c!, i!, j!, ...at] : undefined;
});

const resize: Interpreter = ({ node, inputs, attribute }) => {
  const from = node.inputs[0]!.shape;
  const { shape } = node.outputs[0]!;
  const result = new Float64Array(sizeOf(shape)).map((_, index) => {
    const [b, c, ...at] = coordinatesOf(index, shape) as [number, number, number, number];
    if (attribute('mode') === 'nearest') {
      const near = at.map((n, i) => Math.floor((n * from[2 + i]!) / shape[2 + i]!));
      return inputs[0]![indexOf([b, c, ...near], from)]!;
    }
    const centers = at.map((n, i) => Math.max(((n + 0.5) * from[2 + i]!) / shape[2 + i]! - 0.5, 0));
    let total = 0;
    for (const [dy, dx] of [
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ]) {
      const place = [dy!, dx!].map((d, i) => Math.min(Math.floor(centers[i]!) + d, from[2 + i]! - 1));
      const shares = [dy!, dx!].map((d, i) => (d === 1 ? centers[i]! % 1 : 1 - (centers[i]! % 1)));
      total += inputs[0]![indexOf([b, c, ...place], from)]! * shares[0]! * shares[1]!;
    }
    return total;
  });
  return [result];
};

const embedding: Interpreter = ({ node, inputs: [table, ids] }) => {
  const [rows, width] = node.inputs[0]!.shape as [number, number];
  const result: number[] = [];
  for (const id of ids!) {
    for (let i = 0; i < width; i++) result.push(id < rows ? table![id * width + i]! : 0);
  }
  return [new Float64Array(result)];
};

const scatterAdd: Interpreter = ({ node, inputs: [rows, ids], attribute }) => {
  const count = attribute<number>('count');
  const width = node.outputs[0]!.shape[1]!;
  const result = new Float64Array(count * width);
  ids!.forEach((id, at) => {
    if (id >= count) return;
    for (let i = 0; i < width; i++) result[id * width + i]! += rows![at * width + i]!;
  });
  return [result];
};

const cast: Interpreter = ({ node, inputs }) => {
  const { dtype } = node.outputs[0]!;
  if (dtype === 'bool') return [inputs[0]!.map((x) => +(x !== 0))];
  if (dtype === 'f16') return [inputs[0]!.map((x) => fromHalf(toHalf(x)))];
  if (dtype === 'f32' || !isFloat(node.inputs[0]!.dtype)) return [inputs[0]!.slice()];
  const [low, high] = wholeRanges[dtype];
  return [inputs[0]!.map((x) => Math.min(Math.max(Math.trunc(x), low), high))];
};

const unpackIntegers: Interpreter = ({ inputs: [words], attribute }) => {
  const bits = attribute<number>('bits');
  const numbers = [...words!].flatMap((word) =>
    Array.from({ length: 32 / bits }, (_, i) => {
      const number = Math.floor(word / 2 ** (bits * i)) % 2 ** bits;
      return number < 2 ** (bits - 1) ? number : number - 2 ** bits;
    }),
  );
  return [new Float64Array(numbers)];
};

function keyed(fn: (key: Key, context: Interpreted) => ArrayLike<number>): Interpreter {
  return (context) => [Float64Array.from(fn(new Key([context.inputs[0]![0]!, context.inputs[0]![1]!]), context))];
}

const drawn = (draw: (key: Key, size: number) => ArrayLike<number>) =>
  keyed((key, { node }) => draw(key, sizeOf(node.outputs[0]!.shape)));

/** By op name. Composite ops are not here: they say what they are made of. */
export const interpreters: Readonly<Record<string, Interpreter>> = {
  abs: unary(Math.abs),
  exp: unary(Math.exp),
  floor: unary(Math.floor),
  log: unary(Math.log),
  negate: unary((x) => -x),
  reciprocal: unary((x) => 1 / x),
  rsqrt: unary((x) => 1 / Math.sqrt(x)),
  sign: unary(Math.sign),
  sqrt: unary(Math.sqrt),
  square: unary((x) => x * x),
  pow: ({ inputs, attribute }) => [inputs[0]!.map((x) => x ** attribute<number>('exponent'))],
  power: binary((x, y) => (x === 1 || (x === -1 && !Number.isFinite(y)) ? 1 : x ** y)),
  gelu: unary((x) => 0.5 * x * (1 + cdf(x))),
  geluSlope: unary(geluSlope),
  erf: unary(erf),
  geluExact: unary((x) => 0.5 * x * (1 + erf(x * Math.SQRT1_2))),
  softplus: unary((x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))),
  leakyRelu: binary((x, slope) => (x > 0 ? x : slope * x)),
  elu: binary((x, alpha) => (x > 0 ? x : alpha * Math.expm1(x))),
  ceil: unary(Math.ceil),
  round: unary((x) => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x))),
  relu: unary((x) => Math.max(x, 0)),
  sigmoid: unary(sigmoid),
  silu: unary((x) => x * sigmoid(x)),
  tanh: unary(Math.tanh),
  sin: unary(Math.sin),
  cos: unary(Math.cos),
  logicalNot: unary((x) => +!x),
  cast,
  unpackIntegers,

  add: binary((a, b) => a + b),
  subtract: binary((a, b) => a - b),
  multiply,
  divide: binary((a, b) => a / b),
  maximum: binary(Math.max),
  minimum: binary(Math.min),
  equal: binary((a, b) => +(a === b)),
  notEqual: binary((a, b) => +(a !== b)),
  finite: unary((x) => +Number.isFinite(x)),
  less: binary((a, b) => +(a < b)),
  lessEqual: binary((a, b) => +(a <= b)),
  greater: binary((a, b) => +(a > b)),
  greaterEqual: binary((a, b) => +(a >= b)),
  logicalAnd: binary((a, b) => +(a && b)),
  logicalOr: binary((a, b) => +(a || b)),
  where: ({ inputs: [condition, a, b] }) => [condition!.map((flag, i) => (flag ? a![i]! : b![i]!))],

  barrier: ({ inputs }) => [inputs[0]!],
  copy: ({ inputs }) => [inputs[0]!],
  identity: ({ inputs }) => [inputs[0]!],
  stopGradient: ({ inputs }) => [inputs[0]!],
  reshape: ({ inputs }) => [inputs[0]!],
  permute: moved((c, { attribute }) => {
    const from: number[] = [];
    attribute<number[]>('axes').forEach((axis, i) => {
      from[axis] = c[i]!;
    });
    return from;
  }),
  expand: moved((c, { node }) => {
    const { shape } = node.inputs[0]!;
    return shape.map((n, i) => (n === 1 ? 0 : c[c.length - shape.length + i]!));
  }),
  slice: moved((c, { attribute }) =>
    c.map((x, i) => attribute<number[]>('starts')[i]! + x * attribute<number[]>('steps')[i]!),
  ),
  flip: moved((c, { node, attribute }) =>
    c.map((x, i) => (attribute<number[]>('axes').includes(i) ? node.inputs[0]!.shape[i]! - 1 - x : x)),
  ),
  pad,
  concat,

  sum: reduce((xs) => xs.reduce((a, b) => a + b, 0)),
  prod: ({ node, ...rest }) => {
    const times = whole.has(node.outputs[0]!.dtype) ? Math.imul : (a: number, b: number) => a * b;
    return reduce((xs) => xs.reduce(times, 1))({ node, ...rest });
  },
  max: extremum(Math.max, 0),
  min: extremum(Math.min, 1),
  argmax: reduce((xs) => xs.reduce((best, x, i) => (x > xs[best]! ? i : best), 0)),
  argmin: reduce((xs) => xs.reduce((best, x, i) => (x < xs[best]! ? i : best), 0)),
  matmul,

  constant: ({ node, attribute }) => [
    new Float64Array(sizeOf(node.outputs[0]!.shape)).fill(attribute<number>('value')),
  ],
  arange: ({ node }) => [elementsBy(sizeOf(node.outputs[0]!.shape), (i) => i)],
  windows,
  seen,
  resize,
  embedding,
  gather,
  scatterAdd,
  pack: ({ node, inputs }) => {
    const result = new Float64Array(sizeOf(node.outputs[0]!.shape));
    let offset = 0;
    for (const part of inputs) {
      result.set(part, offset);
      offset += Math.ceil(part.length / 64) * 64;
    }
    return [result];
  },

  uniform: drawn(hostUniform),
  normal: drawn(hostNormal),
  randomBits: drawn(hostBits),
  foldIn: keyed((key, { inputs }) => key.foldIn(inputs[1]![0]!).words),
  splitKey: keyed((key, { inputs }) => key.split(inputs[1]![0]! + 1).at(-1)!.words),
};
