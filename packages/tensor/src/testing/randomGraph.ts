// Graphs drawn by a seed, built through the public API: what the compiler is fuzzed with. Values stay of size 1, so
// that a float64 reading and the device agree to rounding.
import { rematerialise } from '../autodiff/rematerialise.js';
import { type Shape, sizeOf } from '../graph/shape.js';
import { relu } from '../ops/activation/relu.js';
import { sigmoid } from '../ops/activation/sigmoid.js';
import { silu } from '../ops/activation/silu.js';
import { tanh } from '../ops/activation/tanh.js';
import { abs } from '../ops/arithmetic/abs.js';
import { exp } from '../ops/arithmetic/exp.js';
import { rsqrt } from '../ops/arithmetic/rsqrt.js';
import { attention } from '../ops/attention/attention.js';
import { embedding } from '../ops/index/embedding.js';
import { scatterAdd } from '../ops/index/scatterAdd.js';
import { layerNorm } from '../ops/normalize/layerNorm.js';
import { rmsNorm } from '../ops/normalize/rmsNorm.js';
import { softmax } from '../ops/normalize/softmax.js';
import { pack, unpack } from '../ops/pack.js';
import { cumsum } from '../ops/reduce/cumsum.js';
import { logSumExp } from '../ops/reduce/logSumExp.js';
import { sin } from '../ops/trigonometry/sin.js';
import { barrier } from '../ops/view/barrier.js';
import { concat, split } from '../ops/view/concat.js';
import { stopGradient } from '../ops/view/identity.js';
import { where } from '../ops/where.js';
import { hostBits, type Key } from '../random/index.js';
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

export interface RandomGraph {
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

const moves: readonly Move[] = [
  ...Object.entries(unaries).map(([name, fn]): Move => ({ name, apply: (x) => fn(x) })),
  ...Object.entries(binaries).flatMap(([name, fn]): Move[] => {
    const move: Move = {
      name,
      apply(x, dice, pool) {
        const other = partner(x, dice, pool);
        return other && (dice.roll(2) ? fn(x, other) : fn(other, x));
      },
    };
    return [move, move];
  }),
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
  { name: 'barrier', apply: (x, dice, pool) => barrier(x, [dice.pick(pool), dice.pick(pool)]) },
  { name: 'again', apply: (x, dice, pool) => again(x, dice.pick(pool)) },
  { name: 'reshape', apply: (x, dice) => x.reshape(dice.pick(shapesOf(x.size))) },
  { name: 'permute', apply: (x, dice) => x.permute(shuffled(x.rank, dice)) },
  { name: 'flip', apply: (x, dice) => (x.rank ? x.flip([dice.roll(x.rank)]) : undefined) },
  { name: 'slice', apply: (x, dice) => x.slice(x.shape.map((n) => rangeOf(n, dice))) },
  {
    name: 'pad',
    apply: (x, dice) => (x.size > 400 ? undefined : x.pad(x.shape.map(() => [dice.roll(2), dice.roll(3)] as const))),
  },
  { name: 'expand', apply: (x, dice) => (x.size > 200 ? undefined : x.expand([1 + dice.roll(3), ...x.shape])) },
  {
    name: 'concat',
    apply: (x, dice) => (x.rank && x.size < 400 ? concat([x, sin(x), x], dice.roll(x.rank)) : undefined),
  },
  { name: 'pack', apply: (x) => unpack(pack([x, sin(x), x.mul(0.5)]), [x.shape, x.shape, x.shape])[1] },
  { name: 'split', apply: (x, dice) => parts(x, dice) },
  { name: 'stop', apply: (x) => stopGradient(x).add(x).mul(0.5) },
  { name: 'clone', apply: (x) => x.clone() },
  { name: 'attention', apply: (x) => (x.rank === 2 ? selfAttention(x) : undefined) },
  { name: 'matmul', apply: (x, dice, pool) => product(x, dice, pool) },
  { name: 'square matmul', apply: (x) => (x.rank < 2 ? undefined : x.matmul(x.transpose()).mul(0.25)) },
  {
    name: 'embedding',
    apply: (x, dice) => (x.rank === 2 ? embedding(x, idsOf(x, 5 + dice.roll(5), dice)) : undefined),
  },
  {
    name: 'scatterAdd',
    apply: (x, dice) =>
      x.rank === 2 ? scatterAdd(x, idsOf(x, x.shape[0]!, dice), 1 + dice.roll(6)).mul(0.5) : undefined,
  },
];

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

/** A graph of about `length` operations on the given tensors (f32). */
export function randomGraph(inputs: readonly Tensor[], length: number, dice: Dice): RandomGraph {
  const pool = [...inputs];
  const steps: string[] = [];
  while (steps.length < length) {
    // The last value more often than others: chains are what fuses.
    const at = dice.roll(2) ? pool.length - 1 : dice.roll(pool.length);
    const move = dice.pick(moves);
    const result = move.apply(pool[at]!, dice, pool);
    if (!result || result.size > 1500 || result.size === 0 || result.rank > 5) continue;
    pool.push(result);
    steps.push(`${pool.length - 1} = ${move.name}(${at}) [${result.shape}]`);
  }
  const results = pool.slice(inputs.length).filter((_, i, all) => i === all.length - 1 || dice.roll(6) === 0);
  return { results, steps };
}

/** A value that broadcasts with x, if the pool has one. */
function partner(x: Tensor, dice: Dice, pool: readonly Tensor[]): Tensor | undefined {
  const fitting = pool.filter(({ shape }) => {
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
  const other = pool.filter((y) => y.rank === 2 && y.shape[0] === x.shape.at(-1));
  return other.length ? x.matmul(dice.pick(other)).mul(0.25) : undefined;
}

/** Ids made of a value: where it stands among thresholds far from anything a rounding could reach. */
function idsOf(x: Tensor, count: number, dice: Dice): Tensor {
  const pattern = Array.from({ length: count }, () => dice.roll(Math.max(1, x.shape[0]!)));
  return x.device!.tensor(Uint32Array.from(pattern));
}

/** Elements of a graph's inputs. */
export function inputShapes(dice: Dice): Shape[] {
  const [a, b, c] = [1 + dice.roll(5), 1 + dice.roll(7), dice.pick([1, 3, 8, 17])];
  return [[a, b], [b, c], [c], [a, b, c], [a, 1, c], [dice.pick([64, 65, 257])]].filter((s) => sizeOf(s) <= 1500);
}
