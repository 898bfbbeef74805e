// Subgroup operations in scalar mode: every invocation has put its operand where the others of its subgroup find it.
import type { Label } from '../wasm/module.js';
import type { Emitter } from './emit.js';
import type { Value } from './ir.js';

/** How two operands of a reduction become one, for floats and integers (`?`: s or u), and what changes nothing. */
export const reductions: Record<
  string,
  { readonly float?: string; readonly integer: string; readonly identity: number }
> = {
  Add: { float: 'add', integer: 'add', identity: 0 },
  Mul: { float: 'mul', integer: 'mul', identity: 1 },
  Min: { float: 'lt', integer: 'lt_?', identity: 0 },
  Max: { float: 'gt', integer: 'gt_?', identity: 0 },
  And: { integer: 'and', identity: 0 },
  Or: { integer: 'or', identity: 0 },
  Xor: { integer: 'xor', identity: 0 },
  All: { integer: 'and', identity: 1 },
  Any: { integer: 'or', identity: 0 },
};

/** Where a shuffle reads, from the lane's own number and its operand; quads are four neighbours. */
export const shuffles: Record<string, { readonly op?: string; readonly quad?: number }> = {
  subgroupBroadcast: {},
  subgroupBroadcastFirst: {},
  subgroupShuffle: {},
  subgroupShuffleXor: { op: 'xor' },
  subgroupShuffleUp: { op: 'sub' },
  subgroupShuffleDown: { op: 'add' },
  quadBroadcast: { quad: -1 },
  quadSwapX: { quad: 1 },
  quadSwapY: { quad: 2 },
  quadSwapDiagonal: { quad: 3 },
};

/** Leaves the result for the current invocation on the stack. */
export function collective(e: Emitter, value: Value): void {
  const { f, group } = e;
  const { subgroup, invocations } = e.layout;
  const [name, of = 'u32'] = value.op.split(' ') as [string, string?];
  const [shown, lane] = value.args;
  const first = f.local('i32');
  const end = f.local('i32');
  f.get(group).get(group).i32(subgroup).op('i32.rem_u').op('i32.sub').set(first);
  f.get(first).i32(subgroup).op('i32.add').i32(invocations).get(first).i32(subgroup).op('i32.add').i32(invocations);
  f.op('i32.lt_u').op('select').set(end);
  const member = f.local('i32');
  if (name === 'subgroupElect') f.get(group).get(first).op('i32.eq');
  else if (name === 'subgroupBallot') ballot(e, shown!, value.imm, { first, end, member });
  else if (shuffles[name]) shuffle(e, name, shown!, lane, { first, end, member });
  else reduce(e, name, of, shown!, { first, end, member });
}

interface Members {
  readonly first: number;
  readonly end: number;
  readonly member: number;
}

/** `each` for every member from the local's present value on; it stops before `end` (a local). */
function members(e: Emitter, member: number, end: number, each: () => void): void {
  const { f } = e;
  const done: Label = f.begin('block');
  const next = f.begin('loop');
  f.get(member).get(end).op('i32.ge_u').brIf(done);
  each();
  f.get(member).i32(1).op('i32.add').set(member).br(next).end().end();
}

function ballot(e: Emitter, shown: Value, word: number, { first, end, member }: Members): void {
  const { f } = e;
  const bits = f.local('i32');
  f.i32(0).set(bits).get(first).set(member);
  members(e, member, end, () => {
    const place = () => f.get(member).get(first).op('i32.sub');
    place().i32(5).op('i32.shr_u').i32(word).op('i32.eq');
    e.pushOf(shown, member);
    f.op('i32.and');
    place().i32(31).op('i32.and').op('i32.shl').get(bits).op('i32.or').set(bits);
  });
  f.get(bits);
}

function shuffle(
  e: Emitter,
  name: string,
  shown: Value,
  lane: Value | undefined,
  { first, end, member }: Members,
): void {
  const { f, group } = e;
  const { op, quad } = shuffles[name]!;
  const own = () => f.get(group).get(first).op('i32.sub');
  if (quad === undefined) {
    if (op) own();
    if (lane) e.push(lane);
    else f.i32(0);
    if (op) f.op(`i32.${op}`);
  } else if (quad > 0) own().i32(quad).op('i32.xor');
  else {
    own().i32(-4).op('i32.and');
    e.push(lane!);
    f.i32(3).op('i32.and').op('i32.or');
  }
  // Beyond the subgroup there is nothing: an invocation sees its own value.
  f.get(first).op('i32.add').set(member);
  f.get(member).get(group).get(member).get(first).op('i32.ge_u').get(member).get(end).op('i32.lt_u').op('i32.and');
  f.op('select').set(member);
  e.pushOf(shown, member);
}

function reduce(e: Emitter, name: string, of: string, shown: Value, { first, end, member }: Members): void {
  const { f, group } = e;
  const [, form, kind] = /^subgroup(Exclusive|Inclusive)?(\w+)$/.exec(name) as unknown as [string, string?, string?];
  const { float, integer, identity } = reductions[kind!]!;
  const isFloat = of === 'f32' || of === 'f16';
  const acc = f.local(isFloat ? 'f32' : 'i32');
  const type = isFloat ? 'f32' : 'i32';
  const combine = `${type}.${isFloat ? float : integer.replace('?', of === 'i32' ? 's' : 'u')}`;
  if (form === 'Exclusive') {
    if (isFloat) f.f32(identity);
    else f.i32(identity);
    f.set(acc).get(first).set(member);
  } else {
    e.pushOf(shown, first);
    f.set(acc).get(first).i32(1).op('i32.add').set(member);
  }
  const last = f.local('i32');
  if (form)
    f.get(group)
      .i32(form === 'Inclusive' ? 1 : 0)
      .op('i32.add')
      .set(last);
  else f.get(end).set(last);
  members(e, member, last, () => {
    const extremum = kind === 'Min' || kind === 'Max';
    e.pushOf(shown, member);
    if (extremum) {
      f.get(acc);
      e.pushOf(shown, member);
    }
    f.get(acc).op(combine);
    if (extremum) f.op('select');
    if (of === 'f16') f.op('f32x4.splat').call(e.helpers.get('f16.round')).op('f32x4.extract_lane', 0);
    f.set(acc);
  });
  f.get(acc);
}
