// Operations on four lanes that are more than one instruction.
import type { Emitter } from './emit.js';
import type { Value } from './ir.js';
import { Unsupported } from './lanes.js';
import { reductions, shuffles } from './subgroups.js';

const scalarOf = (op: string) => (op.includes('f32') ? 'f32' : 'i32');

/** Puts operands into locals; they are used lane by lane. */
function temporaries(e: Emitter, args: readonly Value[]): number[] {
  return args.map((arg) => {
    const local = e.f.local(arg.kind === 'v128' ? 'v128' : 'i32');
    e.push(arg);
    e.f.set(local);
    return local;
  });
}

/** A scalar instruction on each lane. */
function each(e: Emitter, { op, args }: Value): void {
  const { f } = e;
  const name = op.slice(5);
  const operands = temporaries(e, args);
  for (let lane = 0; lane < 4; lane++) {
    for (const operand of operands) f.get(operand).op('i32x4.extract_lane', lane);
    f.op(name);
    if (lane === 0) f.op('i32x4.splat');
    else f.op('i32x4.replace_lane', lane);
  }
}

function eachAtomic(e: Emitter, { op, args, imm }: Value): void {
  const { f } = e;
  const name = op.slice(5);
  const [address, inBounds, ...operands] = temporaries(e, args) as [number, number, ...number[]];
  const result = f.local('v128');
  f.i32x4(0).set(result);
  f.get(inBounds);
  if (e.masks.live !== undefined) f.get(e.masks.live).op('v128.and');
  f.set(inBounds);
  for (let lane = 0; lane < 4; lane++) {
    f.get(inBounds).op('i32x4.extract_lane', lane);
    f.begin('if');
    f.get(result).get(address).op('i32x4.extract_lane', lane);
    if (name.includes(' ')) f.i32(imm).op('i32.add');
    for (const operand of operands) f.get(operand).op('i32x4.extract_lane', lane);
    e.atomicInstruction(name, imm);
    f.op('i32x4.replace_lane', lane).set(result).end();
  }
  f.get(result);
}

/** Four loads, or one where the addresses turn out to be side by side; every address is good. */
function gather(e: Emitter, { op, args, imm }: Value): void {
  const { f } = e;
  const [address] = temporaries(e, args) as [number];
  const perhaps = op === 'gather.perhaps32';
  if (perhaps) {
    const first = f.local('i32');
    f.get(address).op('i32x4.extract_lane', 0).tee(first).op('i32x4.splat').i32x4(0, 4, 8, 12).op('i32x4.add');
    f.get(address).op('i32x4.eq').op('i32x4.all_true').begin('if', 'v128');
    f.get(first).memory('v128.load', imm).otherwise();
  }
  for (let lane = 0; lane < 4; lane++) {
    f.get(address).op('i32x4.extract_lane', lane);
    if (op === 'gather16') f.memory('i32.load16_u', imm, 1);
    else f.memory('i32.load', imm);
    if (lane === 0) f.op('i32x4.splat');
    else f.op('i32x4.replace_lane', lane);
  }
  if (perhaps) f.end();
}

function whole16(e: Emitter, imm: number): void {
  e.f.memory('v128.load64_zero', imm, 1).op('i32x4.extend_low_i16x8_u');
}

/** Side by side, if all four are in bounds; else one by one. */
function guardedLoad(e: Emitter, { op, args, imm }: Value): void {
  const { f } = e;
  const [inBounds, address, index, count] = args as [Value, Value, Value, Value];
  e.push(inBounds);
  f.begin('if', 'v128');
  e.push(address);
  if (op.endsWith('16')) whole16(e, imm);
  else f.memory('v128.load', imm);
  f.otherwise();
  e.push(address);
  f.i32(imm).op('i32.add');
  e.push(index);
  e.push(count);
  f.call(e.helpers.get(`lanes.${op.slice(6)}`)).end();
}

/** The value's lanes on the stack go to memory side by side; the address lies under them. */
function wholeStore(e: Emitter, op: string, imm: number, value: Value): void {
  e.push(value);
  if (op.endsWith('32')) e.f.memory('v128.store', imm);
  else {
    e.push(value);
    e.f.op('i16x8.narrow_i32x4_u').memoryLane('v128.store64_lane', 0, imm, 1);
  }
}

/** Without bounds to check; where lanes are off, one by one. */
function store(e: Emitter, { op, args, imm }: Value): void {
  const { f } = e;
  const { live } = e.masks;
  const [inBounds, address, index, count, value] = (
    op.startsWith('whole') ? [undefined, args[0], undefined, undefined, args[1]] : args
  ) as [Value?, Value?, Value?, Value?, Value?];
  if (inBounds) e.push(inBounds);
  if (live !== undefined) {
    f.get(live).op('i32x4.all_true');
    if (inBounds) f.op('i32.and');
  }
  const guarded = inBounds || live !== undefined;
  if (guarded) f.begin('if');
  e.push(address!);
  wholeStore(e, op, imm, value!);
  if (!guarded) return;
  f.otherwise();
  e.push(address!);
  f.i32(imm).op('i32.add');
  if (index) e.push(index);
  else f.i32(0);
  if (count) e.push(count);
  else f.i32(4);
  if (live === undefined) f.i32x4(-1);
  else f.get(live);
  e.push(value!);
  f.call(e.helpers.get(`lanes.store${op.slice(-2)}`)).end();
}

function scatter(e: Emitter, { op, args, imm }: Value): void {
  const { f } = e;
  const [address, inBounds, value] = args as [Value, Value, Value];
  e.push(address);
  if (imm) f.i32x4(imm).op('i32x4.add');
  e.push(inBounds);
  if (e.masks.live !== undefined) f.get(e.masks.live).op('v128.and');
  e.push(value);
  f.call(e.helpers.get(`lanes.scatter${op.slice(-2)}`));
}

/** To an invocation's own memory: nothing else is next to it, so lanes that are off store their old value again. */
function frameStore(e: Emitter, { args, imm }: Value): void {
  const { f } = e;
  const [address, value, inBounds] = args as [Value, Value, Value?];
  if (inBounds) {
    e.push(inBounds);
    f.begin('if');
  }
  e.push(address);
  e.push(value);
  if (e.masks.live !== undefined) {
    e.push(address);
    f.memory('v128.load', imm).get(e.masks.live).op('v128.bitselect');
  }
  f.memory('v128.store', imm);
  if (inBounds) f.end();
}

/** Subgroup operations: the four lanes are the subgroup. */
export function collectiveLanes(e: Emitter, value: Value): void {
  const { f } = e;
  if (e.masks.live !== undefined) throw new Unsupported('subgroup operations where lanes are off');
  const [name, of = 'u32'] = value.op.split(' ') as [string, string?];
  const [shown, lane] = temporaries(e, value.args);
  if (name === 'subgroupElect') f.i32x4(-1, 0, 0, 0);
  else if (name === 'subgroupBallot') {
    if (value.imm) f.i32x4(0);
    else f.get(shown!).op('i32x4.bitmask').op('i32x4.splat');
  } else if (shuffles[name]) shuffle(e, name, shown!, lane);
  else reduce(e, name, of, shown!);
}

function shuffle(e: Emitter, name: string, shown: number, lane: number | undefined): void {
  const { f } = e;
  const { op, quad } = shuffles[name]!;
  const from = f.local('v128');
  const operand = () => (lane === undefined ? f.i32x4(0) : f.get(lane));
  if (quad === undefined) {
    if (!op) operand();
    else {
      f.i32x4(0, 1, 2, 3);
      operand().op(op === 'xor' ? 'v128.xor' : `i32x4.${op}`);
    }
  } else if (quad > 0) f.i32x4(0, 1, 2, 3).i32x4(quad).op('v128.xor');
  else operand().i32x4(3).op('v128.and');
  f.set(from);
  // Byte numbers of the lanes; beyond the subgroup an invocation sees its own value.
  f.get(shown).get(from).i32x4(0x04040404).op('i32x4.mul').i32x4(0x03020100).op('i32x4.add').op('i8x16.swizzle');
  f.get(shown).get(from).i32x4(4).op('i32x4.lt_u').op('v128.bitselect');
}

function reduce(e: Emitter, name: string, of: string, shown: number): void {
  const { f } = e;
  const [, form, kind] = /^subgroup(Exclusive|Inclusive)?(\w+)$/.exec(name) as unknown as [string, string?, string?];
  if (kind === 'All' || kind === 'Any') {
    f.i32(0)
      .get(shown)
      .op(kind === 'All' ? 'i32x4.all_true' : 'v128.any_true')
      .op('i32.sub')
      .op('i32x4.splat');
    return;
  }
  const { float, integer, identity } = reductions[kind!]!;
  const isFloat = of === 'f32' || of === 'f16';
  const type = isFloat ? 'f32' : 'i32';
  const acc = f.local(type);
  const result = f.local('v128');
  const combine = `${type}.${isFloat ? float : integer.replace('?', of === 'i32' ? 's' : 'u')}`;
  const extremum = kind === 'Min' || kind === 'Max';
  const start = form === 'Exclusive' ? 0 : 1;
  const member = (i: number) => f.get(shown).op(`${type}x4.extract_lane`, i);
  const note = (i: number) => f.get(result).get(acc).op(`${type}x4.replace_lane`, i).set(result);
  if (start) member(0);
  else if (isFloat) f.f32(identity);
  else f.i32(identity);
  f.set(acc);
  note(0);
  for (let i = start; i < (form === 'Exclusive' ? 3 : 4); i++) {
    member(i);
    if (extremum) {
      f.get(acc);
      member(i);
    }
    f.get(acc).op(combine);
    if (extremum) f.op('select');
    if (of === 'f16') f.op('f32x4.splat').call(e.helpers.get('f16.round')).op('f32x4.extract_lane', 0);
    f.set(acc);
    note(form === 'Exclusive' ? i + 1 : i);
  }
  if (form) f.get(result);
  else f.get(acc).op(`${type}x4.splat`);
}

export function laneInstruction(op: string): ((e: Emitter, value: Value) => void) | undefined {
  if (op.startsWith('each atomic')) return eachAtomic;
  if (op.startsWith('each ')) return each;
  if (op.startsWith('gather')) return gather;
  if (op.startsWith('guard.load')) return guardedLoad;
  if (op.startsWith('guard.store') || op.startsWith('whole.store')) return store;
  if (op.startsWith('scatter.')) return scatter;
  return table[op];
}

/** Whether base + factor · most + extra is below a count, without wrapping. */
function fits(e: Emitter, { args, imm }: Value): void {
  const { f } = e;
  const wide = (arg: Value) => {
    e.push(arg);
    f.op('i64.extend_i32_u');
  };
  const [base, factor, most, count] = args as [Value, Value, Value, Value];
  wide(base);
  wide(factor);
  wide(most);
  f.op('i64.mul').op('i64.add').i64(BigInt(imm)).op('i64.add');
  wide(count);
  f.op('i64.lt_u');
}

const table: Record<string, (e: Emitter, value: Value) => void> = {
  'frame.store': frameStore,
  fits,
  load16x4(e, { args, imm }) {
    e.push(args[0]!);
    whole16(e, imm);
  },
  'v128.const': ({ f }, { imm }) => void f.i32x4(imm),
  'v128.ramp': ({ f }, { imm }) => void f.i32x4(0, imm, 2 * imm, 3 * imm),
  /** By a condition that all lanes share: what is not chosen is not computed. */
  'v128.choose'(e, { args }) {
    const [condition, yes, no] = args as [Value, Value, Value];
    e.push(condition);
    e.f.begin('if', 'v128');
    e.push(yes);
    e.f.otherwise();
    e.push(no);
    e.f.end();
  },
  'i32x4.extract_lane': extract,
  'f32x4.extract_lane': extract,
};

function extract(e: Emitter, { op, args, imm }: Value): void {
  e.push(args[0]!);
  e.f.op(`${scalarOf(op)}x4.extract_lane`, imm);
}
