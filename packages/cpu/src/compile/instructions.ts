// Leaves of a kernel (its arguments, its memory, its counters), and operations that are more than an instruction on their
// operands.
import type { Emitter, Layout } from './emit.js';
import type { Value } from './ir.js';
import { BLOCK_HEADER_WORDS } from './kernel.js';

/** Parameters of the exported function. */
const BLOCK = 0;
export const SCRATCH = 1;
export const FIRST = 2;
export const COUNT = 3;

/** Atomic operations that are one instruction, by the end of its name. */
export const atomics: Record<string, string> = {
  atomicLoad: 'load',
  atomicStore: 'store',
  atomicAdd: 'rmw.add',
  atomicSub: 'rmw.sub',
  atomicAnd: 'rmw.and',
  atomicOr: 'rmw.or',
  atomicXor: 'rmw.xor',
  atomicExchange: 'rmw.xchg',
  atomicCompareExchangeWeak: 'rmw.cmpxchg',
};

const fromBlock = (word: (value: Value) => number) => (e: Emitter, value: Value) =>
  void e.f.get(BLOCK).memory('i32.load', 4 * word(value));
const inScratch = (offset: (layout: Layout) => number) => (e: Emitter) =>
  void e.f.get(SCRATCH).i32(offset(e.layout)).op('i32.add');

/** Leaves, and operations that are more than an instruction on their operands. */
export const specials: Record<string, (e: Emitter, value: Value) => void> = {
  const: ({ f }, { kind, imm }) => void (kind === 'f32' ? f.f32(imm) : f.i32(imm)),
  select(e, { args: [condition, yes, no] }) {
    for (const arg of [yes!, no!, condition!]) e.push(arg);
    e.f.op('select');
  },
  binding_address: fromBlock(({ imm }) => BLOCK_HEADER_WORDS + 2 * imm),
  binding_size: fromBlock(({ imm }) => BLOCK_HEADER_WORDS + 2 * imm + 1),
  num_workgroups: fromBlock(({ imm }) => imm),
  scratch: (e) => void e.f.get(SCRATCH),
  workgroup_memory: inScratch(({ workgroup }) => workgroup),
  frame(e) {
    const { frame, frameBytes, synchronizes } = e.layout;
    e.f.get(SCRATCH).i32(frame).op('i32.add');
    if (synchronizes) e.f.get(e.group).i32(frameBytes).op('i32.mul').op('i32.add');
  },
  show: (e, { args }) => e.push(args[0]!),
  workgroup_linear: (e) => void e.f.get(e.linear),
  local_index(e) {
    e.f.get(e.group);
    if (e.layout.lanes === 4) e.f.i32(2).op('i32.shl');
  },
  clear(e, { args, imm }) {
    e.push(args[0]!);
    e.f.i32(0).i32(imm).op('memory.fill', 0);
  },
};
