// Graphs drawn by a seed, built through the public API: what the compiler is fuzzed with. Values stay of size 1, so
// that a float64 reading and the device agree to rounding.

import { fromHalf, toHalf } from '@paris/files';
import { grad } from '../autodiff/gradient.js';
import { rematerialise } from '../autodiff/rematerialise.js';
import { type DType, isFloat } from '../graph/dtype.js';
import type { Type } from '../graph/node.js';
import { type Shape, sizeOf } from '../graph/shape.js';
import { relu, sigmoid, silu, tanh } from '../ops/activation/activations.js';
import { abs, exp, rsqrt, sin } from '../ops/arithmetic/functions.js';
import { attention } from '../ops/attention/attention.js';
import { logicalAnd, logicalNot, logicalOr } from '../ops/compare/comparisons.js';
import { embedding, oneHot, scatterAdd } from '../ops/index/indices.js';
import { cumsum, softmax } from '../ops/normalize/along.js';
import { layerNorm, rmsNorm } from '../ops/normalize/norms.js';
import { sort } from '../ops/order/order.js';
import { pack, unpack } from '../ops/pack.js';
import { unpackIntegers } from '../ops/packed/unpack-integers.js';
import { argmax, logSumExp } from '../ops/reduce/reductions.js';
import { barrier, stopGradient } from '../ops/view/identity.js';
import { concat, split } from '../ops/view/parts.js';
import { where } from '../ops/where.js';
import { hostBits, hostNormal, type Key, key } from '../random/index.js';
import type { Tensor } from '../tensor.js';

/** Whole numbers and choices from a key. */
export class Dice {
  private used = 0;

  constructor(private readonly key: Key) {}

  /** 0 … count − 1. */
  roll(count: number): number {
    return hostBits(this.key.foldIn(this.used++), 1)[0]! % count;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.roll(list.length)]!;
  }
}

interface RandomGraph {
  /** Some of the values, the last one among them. */
  readonly results: readonly Tensor[];
  /** The calls, for a failure's message. */
  readonly steps: readonly string[];
}

type Move = { readonly name: string; apply(x: Tensor, dice: Dice, pool: readonly Tensor[]): Tensor | undefined };

const unaries: Record<string, (x: Tensor) => Tensor> = {
  tanh,
  sigmoid,
  silu,
  relu,
  sin,
  abs,
  negate: (x) => x.neg(),
  square: (x) => tanh(x).square(),
  exp: (x) => exp(x.minimum(1)),
  rsqrt: (x) => rsqrt(x.square().add(1)),
  reciprocal: (x) => x.square().add(1).rdiv(1),
  leaky: (x) => where(x.greater(0), x, x.mul(0.25)),
  pow: (x) => tanh(x).pow(3),
  number: (x) => x.mul(0.75).add(-0.125),
};

const binaries: Record<string, (a: Tensor, b: Tensor) => Tensor> = {
  add: (a, b) => a.add(b).mul(0.5),
  subtract: (a, b) => a.sub(b).mul(0.5),
  multiply: (a, b) => tanh(a).mul(b),
  divide: (a, b) => a.div(b.square().add(1)),
  maximum: (a, b) => a.maximum(b),
  minimum: (a, b) => a.minimum(b),
};

const floatMoves: readonly Move[] = [
  ...Object.entries(unaries).map(([name, fn]): Move => ({ name, apply: (x) => fn(x) })),
  ...pairMoves(binaries),
  ...pairMoves(binaries),
  { name: 'sum', apply: (x, dice) => overAxes(x, dice, (axes, keepDims) => x.sum(axes, { keepDims }).mul(0.125)) },
  { name: 'mean', apply: (x, dice) => overAxes(x, dice, (axes, keepDims) => x.mean(axes, { keepDims })) },
  { name: 'max', apply: (x, dice) => overAxes(x, dice, (axes, keepDims) => x.max(axes, { keepDims })) },
  { name: 'min', apply: (x, dice) => overAxes(x, dice, (axes, keepDims) => x.min(axes, { keepDims })) },
  { name: 'centre', apply: (x, dice) => overAxes(x, dice, (axes) => x.sub(x.mean(axes, { keepDims: true }))) },
  { name: 'softmax', apply: (x, dice) => (x.rank ? softmax(x, dice.roll(x.rank)) : undefined) },
  { name: 'logSumExp', apply: (x, dice) => (x.rank ? logSumExp(x, dice.roll(x.rank)) : undefined) },
  { name: 'layerNorm', apply: (x) => (x.rank ? layerNorm(x, { eps: 0.25 }) : undefined) },
  { name: 'rmsNorm', apply: (x) => (x.rank ? rmsNorm(x, { eps: 0.25 }) : undefined) },
  { name: 'cumsum', apply: (x, dice) => (x.rank ? cumsum(x, dice.roll(x.rank)).mul(0.25) : undefined) },
  { name: 'again', apply: (x, dice, pool) => again(x, dice.pick(pool.filter(({ dtype }) => dtype === 'f32'))) },
  {
    name: 'concat',
    apply: (x, dice) => (x.rank && x.size < 400 ? concat([x, sin(x), x], dice.roll(x.rank)) : undefined),
  },
  { name: 'pack', apply: (x) => unpack(pack([x, sin(x), x.mul(0.5)]), [x.shape, x.shape, x.shape])[1] },
  { name: 'split', apply: (x, dice) => parts(x, dice) },
  { name: 'stop', apply: (x) => stopGradient(x).add(x).mul(0.5) },
  { name: 'attention', apply: (x) => (x.rank === 2 ? selfAttention(x) : undefined) },
  { name: 'matmul', apply: (x, dice, pool) => product(x, dice, pool) },
  { name: 'square matmul', apply: (x) => (x.rank < 2 ? undefined : x.matmul(x.transpose()).mul(0.25)) },
  {
    name: 'embedding',
    apply: (x, dice, pool) => withIds(x, dice, pool, (ids) => embedding(x, ids)),
  },
  {
    name: 'scatterAdd',
    apply: (x, dice, pool) =>
      withIds(x, dice, pool, (ids) =>
        x.shape[0] === ids.size ? scatterAdd(x, ids, 1 + dice.roll(6)).mul(0.5) : undefined,
      ),
  },
];

/** f16 is storage: what arithmetic with f32 makes of it is f32. */
const halfMoves: readonly Move[] = [
  ...Object.entries(unaries).map(([name, fn]): Move => ({ name, apply: (x) => fn(x) })),
  ...pairMoves(binaries),
  { name: 'mean', apply: (x, dice) => overAxes(x, dice, (axes, keepDims) => x.mean(axes, { keepDims })) },
  { name: 'softmax', apply: (x, dice) => (x.rank ? softmax(x, dice.roll(x.rank)) : undefined) },
  { name: 'square matmul', apply: (x) => (x.rank < 2 ? undefined : x.matmul(x.transpose()).mul(0.25)) },
  { name: 'widen', apply: (x) => x.cast('f32') },
];

/** Whole numbers, kept from 0 (or −40) to 40: float64 and 32 bits agree on them. */
const wholeMoves: readonly Move[] = [
  ...pairMoves({
    add: (a, b) => bounded(a.add(b)),
    subtract: (a, b) => bounded(a.sub(b)),
    multiply: (a, b) => bounded(a.mul(b)),
    maximum: (a, b) => a.maximum(b),
    greater: (a, b) => a.greater(b),
    equal: (a, b) => a.equal(b),
  }),
  { name: 'number', apply: (x) => bounded(x.mul(3).add(1)) },
  { name: 'sum', apply: (x, dice) => overAxes(x, dice, (axes, keepDims) => bounded(x.sum(axes, { keepDims }))) },
  { name: 'min', apply: (x, dice) => overAxes(x, dice, (axes, keepDims) => x.min(axes, { keepDims })) },
  { name: 'argmax', apply: (x, dice) => (x.rank ? argmax(x, dice.roll(x.rank)) : undefined) },
  { name: 'cumsum', apply: (x, dice) => (x.rank ? bounded(cumsum(x, dice.roll(x.rank))) : undefined) },
  {
    name: 'sort',
    apply: (x, dice) =>
      x.rank && x.size * x.shape.at(-1)! < 3000 ? sort(x, { descending: dice.roll(2) === 0 }).values : undefined,
  },
  {
    name: 'oneHot',
    apply: (x) => (x.dtype === 'u32' && x.rank < 4 && x.size < 200 ? oneHot(x.minimum(4), 5) : undefined),
  },
  {
    name: 'unpack',
    apply: (x, dice) =>
      x.dtype === 'u32' && x.rank && x.size < 400
        ? bounded(unpackIntegers(x.mul(0x91_23_05), dice.pick([4, 8])))
        : undefined,
  },
  { name: 'float', apply: (x) => x.cast('f32').mul(0.02) },
  { name: 'whole', apply: (x) => (x.dtype === 'u32' ? x.cast('i32') : x.maximum(0).cast('u32')) },
];

const boolMoves: readonly Move[] = [
  ...pairMoves({ and: logicalAnd, or: logicalOr }),
  { name: 'not', apply: (x) => logicalNot(x) },
  { name: 'where', apply: (x, dice, pool) => chosen(x, dice, pool) },
  { name: 'where', apply: (x, dice, pool) => chosen(x, dice, pool) },
  { name: 'float', apply: (x) => x.cast('f32').sub(0.5) },
  { name: 'whole', apply: (x, dice) => x.cast(dice.pick(['i32', 'u32'])) },
];

/** What every dtype can do. */
const viewMoves: readonly Move[] = [
  { name: 'barrier', apply: (x, dice, pool) => barrier(x, [dice.pick(pool), dice.pick(pool)]) },
  { name: 'reshape', apply: (x, dice) => x.reshape(dice.pick(shapesOf(x.size))) },
  { name: 'permute', apply: (x, dice) => x.permute(shuffled(x.rank, dice)) },
  { name: 'flip', apply: (x, dice) => (x.rank ? x.flip([dice.roll(x.rank)]) : undefined) },
  { name: 'slice', apply: (x, dice) => x.slice(x.shape.map((n) => rangeOf(n, dice))) },
  {
    name: 'pad',
    apply: (x, dice) => (x.size > 400 ? undefined : x.pad(x.shape.map(() => [dice.roll(2), dice.roll(3)] as const))),
  },
  { name: 'expand', apply: (x, dice) => (x.size > 200 ? undefined : x.expand([1 + dice.roll(3), ...x.shape])) },
  { name: 'clone', apply: (x) => x.clone() },
  {
    name: 'concat',
    apply: (x, dice) => (x.rank && x.size < 400 ? concat([x, x.flip([0]), x], dice.roll(x.rank)) : undefined),
  },
];

const movesOf: Readonly<Record<DType, readonly Move[]>> = {
  f32: [...floatMoves, ...viewMoves],
  f16: [...halfMoves, ...viewMoves],
  i32: [...wholeMoves, ...viewMoves],
  u32: [...wholeMoves, ...viewMoves],
  bool: [...boolMoves, ...viewMoves],
};

/** A function of two, with whichever value of the pool fits, either way round. */
function pairMoves(functions: Readonly<Record<string, (a: Tensor, b: Tensor) => Tensor>>): Move[] {
  return Object.entries(functions).map(([name, fn]) => ({
    name,
    apply(x, dice, pool) {
      const other = partner(x, dice, pool);
      return other && (dice.roll(2) ? fn(x, other) : fn(other, x));
    },
  }));
}

function bounded(x: Tensor): Tensor {
  return x.dtype === 'u32' ? x.minimum(40) : x.minimum(40).maximum(-40);
}

/** One of two values where a mask says so. */
function chosen(mask: Tensor, dice: Dice, pool: readonly Tensor[]): Tensor | undefined {
  const numbers = pool.filter(({ dtype }) => dtype !== 'bool');
  const a = numbers.length ? partner(mask, dice, numbers, () => true) : undefined;
  return a && where(mask, a, dice.pick([0, 1]));
}

/** Rows of a matrix by ids of the pool. */
function withIds(
  x: Tensor,
  dice: Dice,
  pool: readonly Tensor[],
  fn: (ids: Tensor) => Tensor | undefined,
): Tensor | undefined {
  const ids = pool.filter(({ dtype, rank, size }) => dtype === 'u32' && rank === 1 && size <= 40);
  return x.rank === 2 && ids.length ? fn(dice.pick(ids).minimum(x.shape[0]! - 1)) : undefined;
}

/** Some layers that the gradient computes a second time. */
function again(x: Tensor, captured: Tensor): Tensor {
  const layers = (t: Tensor) =>
    tanh(
      softmax(t.reshape([-1]), 0)
        .add(t.reshape([-1]))
        .mul(captured.mean()),
    ).reshape(x.shape);
  return rematerialise(layers)(x);
}

/** A graph of about `length` operations on the given tensors. */
function randomGraph(inputs: readonly Tensor[], length: number, dice: Dice): RandomGraph {
  const pool = [...inputs];
  const steps: string[] = [];
  while (steps.length < length) {
    // The last value more often than others: chains are what fuses.
    const at = dice.roll(2) ? pool.length - 1 : dice.roll(pool.length);
    const move = dice.pick(movesOf[pool[at]!.dtype]);
    const result = move.apply(pool[at]!, dice, pool);
    if (!result || result.size > 1500 || result.size === 0 || result.rank > 5) continue;
    pool.push(result);
    steps.push(`${pool.length - 1} = ${move.name}(${at}) ${result.dtype} [${result.shape}]`);
  }
  const results = pool.slice(inputs.length).filter((_, i, all) => i === all.length - 1 || dice.roll(6) === 0);
  return { results, steps };
}

export interface RandomProblem {
  readonly roots: readonly Tensor[];
  /** What each root is, for a failure's message. */
  readonly names: readonly string[];
  readonly steps: readonly string[];
}

/** A graph of 5 to 60 operations by its seed, and for even seeds the gradients of its float results too. */
export function randomProblem(inputs: readonly Tensor[], seed: number): RandomProblem {
  const size = new Dice(key(seed).foldIn(3000));
  const length = 5 + size.roll(1 + size.roll(56)); // short ones more often: they are quick, and easy to read
  const draw = (from: readonly Tensor[]) => randomGraph(from, length, new Dice(key(seed).foldIn(2000)));
  const { results, steps } = draw(inputs);
  const names = results.map((_, i) => `result ${i}`);
  const params = inputs.filter(({ dtype }) => isFloat(dtype));
  if (seed % 2 !== 0 || !results.some(({ dtype }) => isFloat(dtype))) return { roots: results, names, steps };
  const gradients = grad((list: Tensor[]) => {
    const rest = [...list];
    return draw(inputs.map((input) => (isFloat(input.dtype) ? rest.shift()! : input)))
      .results.filter(({ dtype }) => isFloat(dtype))
      .map((result) => result.mul(result.sub(0.5)).mean())
      .reduce((a, b) => a.add(b));
  })(params);
  return {
    roots: [...results, ...gradients],
    names: [...names, ...gradients.map((_, i) => `the gradient of input ${inputs.indexOf(params[i]!)}`)],
    steps,
  };
}

/** A value that broadcasts with x, if the pool has one; of its dtype, or both floats. */
function partner(
  x: Tensor,
  dice: Dice,
  pool: readonly Tensor[],
  alike: (dtype: DType) => boolean = (dtype) => dtype === x.dtype || (isFloat(dtype) && isFloat(x.dtype)),
): Tensor | undefined {
  const fitting = pool.filter(({ shape, dtype }) => {
    if (!alike(dtype)) return false;
    const rank = Math.max(shape.length, x.rank);
    let size = 1;
    for (let i = 1; i <= rank; i++) {
      const [a, b] = [shape.at(-i) ?? 1, x.shape.at(-i) ?? 1];
      if (i <= shape.length && i <= x.rank && a !== b && a !== 1 && b !== 1) return false;
      size *= Math.max(a, b);
    }
    return size <= 1500;
  });
  return fitting.length ? dice.pick(fitting) : undefined;
}

function overAxes(x: Tensor, dice: Dice, fn: (axes: number[], keepDims: boolean) => Tensor): Tensor | undefined {
  const axes = x.shape.flatMap((_, i) => (dice.roll(2) ? [i] : []));
  return axes.length ? fn(axes, dice.roll(2) === 0) : undefined;
}

function shapesOf(size: number): Shape[] {
  const shapes: number[][] = [[size], [1, size], [size, 1]];
  for (const a of [2, 3, 4, 5]) {
    if (size % a !== 0) continue;
    shapes.push([a, size / a], [size / a, a]);
    for (const b of [2, 3]) if ((size / a) % b === 0) shapes.push([a, b, size / a / b], [b, size / a / b, a]);
  }
  return shapes;
}

function shuffled(rank: number, dice: Dice): number[] {
  const left = Array.from({ length: rank }, (_, i) => i);
  return Array.from({ length: rank }, () => left.splice(dice.roll(left.length), 1)[0]!);
}

function rangeOf(n: number, dice: Dice): readonly [number, number, number] | null {
  if (n === 1 || dice.roll(2)) return null;
  const start = dice.roll(n);
  return [start, start + 1 + dice.roll(n - start), 1 + dice.roll(2)];
}

/** Halves of an axis, swapped and joined again with work on one of them. */
function parts(x: Tensor, dice: Dice): Tensor | undefined {
  const even = x.shape.flatMap((n, i) => (n % 2 === 0 && n > 0 ? [i] : []));
  if (even.length === 0) return undefined;
  const axis = dice.pick(even);
  const [a, b] = split(x, 2, axis) as [Tensor, Tensor];
  return concat([tanh(b), a], axis);
}

function selfAttention(x: Tensor): Tensor {
  const [n, d] = x.shape as [number, number];
  const shape = [1, n, 1, d];
  return attention(x.reshape(shape), tanh(x).reshape(shape), x.mul(0.5).reshape(shape)).reshape([n, d]);
}

function product(x: Tensor, dice: Dice, pool: readonly Tensor[]): Tensor | undefined {
  if (x.rank < 2) return undefined;
  const other = pool.filter((y) => y.dtype === 'f32' && y.rank === 2 && y.shape[0] === x.shape.at(-1));
  return other.length ? x.matmul(dice.pick(other)).mul(0.25) : undefined;
}

/** A graph's inputs: floats of several shapes, f16 among them where the adapter has it, whole numbers, and a mask. */
export function graphInputs(
  dice: Dice,
  seed: Key,
  f16: boolean,
): { readonly type: Type; readonly data: Float64Array }[] {
  const [a, b, c] = [1 + dice.roll(5), 1 + dice.roll(7), dice.pick([1, 3, 8, 17])];
  const floats = [[a, b], [b, c], [c], [a, b, c], [a, 1, c], [dice.pick([64, 65, 257])]];
  const types: Type[] = floats.filter((shape) => sizeOf(shape) <= 1500).map((shape) => ({ shape, dtype: 'f32' }));
  if (f16) types.push({ shape: [b, c], dtype: 'f16' });
  types.push({ shape: [a, b], dtype: 'i32' }, { shape: [a], dtype: 'u32' }, { shape: [b], dtype: 'bool' });
  return types.map((type, i) => {
    const size = sizeOf(type.shape);
    const bits = hostBits(seed.foldIn(2 * i), size);
    const data = isFloat(type.dtype)
      ? Float64Array.from(hostNormal(seed.foldIn(2 * i + 1), size), (x) => (type.dtype === 'f16' ? half(x) : x))
      : Float64Array.from(bits, (x) => (type.dtype === 'bool' ? x % 2 : (x % 7) - (type.dtype === 'i32' ? 3 : 0)));
    return { type, data };
  });
}

/** The nearest number that f16 has. */
export function half(x: number): number {
  return fromHalf(toHalf(x));
}
