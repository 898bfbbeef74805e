// Subgroup operations on the operands of the invocations that have met, in the order of scalar mode.
import type { Meeting } from './text.js';

type Collective = Extract<Meeting, { kind: 'collective' }>;

/** What the invocations of a subgroup show each other, by their index in the workgroup. */
export interface Shown {
  readonly values: ArrayLike<number>;
  readonly lanes: ArrayLike<number>;
  readonly roundF16: (value: number) => number;
}

/**
 * The result of each member.
 * @param first - the subgroup's first invocation
 * @param members - those that have met, in rising order
 */
export function meet(
  { name, of, word }: Collective,
  { values, lanes, roundF16 }: Shown,
  first: number,
  members: readonly number[],
): readonly number[] {
  if (name === 'subgroupElect') return members.map((member) => Number(member === members[0]));
  if (name === 'subgroupBallot') {
    let bits = 0;
    for (const member of members) {
      const lane = member - first;
      if (lane >>> 5 === word && values[member]) bits |= 1 << (lane & 31);
    }
    return members.map(() => bits);
  }
  const sourceOf = sources[name];
  if (sourceOf) {
    return members.map((member) => {
      const source = first + sourceOf(member - first, lanes[member]!);
      // Beyond the subgroup there is nothing: an invocation sees its own value.
      return values[members.includes(source) ? source : member]!;
    });
  }
  return reduce(name, combineOf(name, of, roundF16), values, members);
}

/** The lane that a shuffle reads, from the invocation's own and the operand. Quads are four neighbours. */
const sources: Readonly<Record<string, (own: number, lane: number) => number>> = {
  subgroupBroadcast: (_, lane) => lane,
  subgroupBroadcastFirst: () => 0,
  subgroupShuffle: (_, lane) => lane,
  subgroupShuffleXor: (own, lane) => own ^ lane,
  subgroupShuffleUp: (own, lane) => own - lane,
  subgroupShuffleDown: (own, lane) => own + lane,
  quadBroadcast: (own, lane) => (own & -4) | (lane & 3),
  quadSwapX: (own) => own ^ 1,
  quadSwapY: (own) => own ^ 2,
  quadSwapDiagonal: (own) => own ^ 3,
};

type Combine = (a: number, b: number) => number;
const integers: Readonly<Record<string, Combine>> = {
  Add: (a, b) => (a + b) | 0,
  Mul: Math.imul,
  And: (a, b) => a & b,
  Or: (a, b) => a | b,
  Xor: (a, b) => a ^ b,
  All: (a, b) => a & b,
  Any: (a, b) => a | b,
};

const kindOf = (name: string) => name.replace(/^subgroup(Exclusive|Inclusive)?/, '');

function combineOf(name: string, of: string, roundF16: (value: number) => number): Combine {
  const kind = kindOf(name);
  const unsigned = of === 'u32' ? (x: number) => x >>> 0 : (x: number) => x;
  if (kind === 'Min') return (a, b) => (unsigned(b) < unsigned(a) ? b : a);
  if (kind === 'Max') return (a, b) => (unsigned(b) > unsigned(a) ? b : a);
  if (of !== 'f32' && of !== 'f16') return integers[kind]!;
  const round = of === 'f16' ? (x: number) => roundF16(Math.fround(x)) : Math.fround;
  return kind === 'Add' ? (a, b) => round(b + a) : (a, b) => round(b * a);
}

function reduce(name: string, combine: Combine, values: ArrayLike<number>, members: readonly number[]): number[] {
  const exclusive = name.startsWith('subgroupExclusive');
  const before: number[] = [];
  const after: number[] = [];
  let sum = kindOf(name) === 'Mul' ? 1 : 0;
  members.forEach((member, k) => {
    before.push(sum);
    // An inclusive sum begins with the first operand itself, an exclusive one with what changes nothing.
    sum = k === 0 && !exclusive ? values[member]! : combine(sum, values[member]!);
    after.push(sum);
  });
  if (exclusive) return before;
  return name.startsWith('subgroupInclusive') ? after : members.map(() => sum);
}
