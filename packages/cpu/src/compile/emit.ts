// Writes scheduled nodes as WebAssembly.
import type { FunctionBuilder, Label, ModuleBuilder, ValueType } from '../wasm/module.js';
import { Helpers } from './helpers.js';
import type { BlockNode, Body, Kind, Node, Value } from './ir.js';
import { BLOCK_HEADER_WORDS } from './kernel.js';
import { type Schedule, schedule } from './schedule.js';

/** Where things lie in scratch memory, in bytes from its start. */
export interface Layout {
  readonly workgroup: number;
  readonly workgroupBytes: number;
  readonly frame: number;
  /** Bytes of one invocation's (or four's) own memory. */
  readonly frameBytes: number;
  readonly invocations: number;
  readonly lanes: 1 | 4;
}

/** Parameters of the exported function. */
const BLOCK = 0;
const SCRATCH = 1;
const FIRST = 2;
const COUNT = 3;

const machine = (kind: Kind): ValueType => (kind === 'f32' || kind === 'v128' ? kind : 'i32');

export class Emitter {
  readonly f: FunctionBuilder;
  readonly helpers: Helpers;
  private readonly plan: Schedule;
  private readonly locals = new Map<Value, number>();
  private readonly labels = new Map<BlockNode, Label>();
  readonly group: number;
  readonly linear: number;

  constructor(
    module: ModuleBuilder,
    private readonly root: Body,
    readonly layout: Layout,
  ) {
    this.f = module.function(['i32', 'i32', 'i32', 'i32'], [], 'run');
    this.helpers = new Helpers(module);
    this.plan = schedule(root);
    this.group = this.f.local('i32');
    this.linear = this.f.local('i32');
  }

  /** The whole function: a loop over workgroups. */
  run(): void {
    const { f, linear } = this;
    f.get(SCRATCH).i32(0).i32(96).op('memory.fill', 0);
    this.before(this.root, 0);
    const end = f.local('i32');
    f.get(FIRST).tee(linear).get(COUNT).op('i32.add').set(end);
    const workgroups = this.root.nodes[0] as Extract<Node, { kind: 'loop' }>;
    const done = f.begin('block');
    const next = f.begin('loop');
    f.get(linear).get(end).op('i32.ge_u').brIf(done);
    this.clearWorkgroup();
    this.body(workgroups.body);
    f.get(linear).i32(1).op('i32.add').set(linear).br(next);
    f.end().end();
  }

  private clearWorkgroup(): void {
    const { workgroup, workgroupBytes } = this.layout;
    if (!workgroupBytes) return;
    this.f.get(SCRATCH).i32(workgroup).op('i32.add').i32(0).i32(workgroupBytes).op('memory.fill', 0);
  }

  private before(body: Body, index: number): void {
    for (const value of this.plan.infos.get(body)!.before.get(index) ?? []) {
      this.compute(value);
      this.f.set(this.local(value));
    }
  }

  local(value: Value): number {
    let local = this.locals.get(value);
    if (local === undefined) {
      local = this.f.local(machine(value.kind));
      this.locals.set(value, local);
    }
    return local;
  }

  body(body: Body): void {
    body.nodes.forEach((node, i) => {
      this.before(body, i);
      this.node(node);
    });
  }

  private node(node: Node): void {
    const { f } = this;
    switch (node.kind) {
      case 'op':
        this.effect(node.value);
        break;
      case 'move':
        this.move(node);
        break;
      case 'if':
        this.push(node.condition);
        f.begin('if');
        this.body(node.taken);
        if (node.otherwise.nodes.length) f.otherwise();
        this.body(node.otherwise);
        f.end();
        return;
      case 'block':
        this.labels.set(node, f.begin('block'));
        this.body(node.body);
        f.end();
        return;
      case 'loop': {
        const again = f.begin('loop');
        this.body(node.body);
        f.br(again).end();
        return;
      }
      case 'break':
        f.br(this.labels.get(node.target)!);
        return;
      case 'region':
        this.region(node.body);
        break;
    }
  }

  /** Every invocation in turn. */
  private region(body: Body): void {
    const { f, group } = this;
    const { invocations, lanes } = this.layout;
    const groups = Math.ceil(invocations / lanes);
    f.i32(0).set(group);
    const next = f.begin('loop');
    this.body(body);
    f.get(group).i32(1).op('i32.add').tee(group).i32(groups).op('i32.lt_u');
    if (groups > 1) f.brIf(next);
    else f.op('drop');
    f.end();
  }

  private effect(value: Value): void {
    if (!this.plan.live.has(value)) return;
    this.compute(value);
    if (value.kind !== 'none') this.f.set(this.local(value));
  }

  private move({ phis, values }: Extract<Node, { kind: 'move' }>): void {
    const moved = phis.filter((phi, i) => this.plan.live.has(phi) && values[i] !== phi);
    for (const phi of moved) this.push(values[phis.indexOf(phi)]!);
    for (const phi of moved.reverse()) this.f.set(this.local(phi));
  }

  /** Puts a value on the stack. */
  push(value: Value): void {
    if (this.plan.locals.has(value) || value.pinned || value.op === 'phi') this.f.get(this.local(value));
    else this.compute(value);
  }

  private compute(value: Value): void {
    const { op } = value;
    const special = specials[op];
    if (special) special(this, value);
    else if (op.startsWith('math.') || op.startsWith('f16.')) this.callVector(value);
    else if (op.startsWith('atomic')) this.atomic(value);
    else if (op.includes('.store')) this.store(value);
    else {
      for (const arg of value.args) this.push(arg);
      if (op.includes('.load')) this.f.memory(op, value.imm, op.includes('16') ? 1 : 2);
      else this.f.op(op);
    }
  }

  /** A function on vectors, for one scalar. */
  private callVector({ op, kind, args }: Value): void {
    for (const arg of args) {
      this.push(arg);
      this.f.op(arg.kind === 'f32' ? 'f32x4.splat' : 'i32x4.splat');
    }
    this.f.call(this.helpers.get(op)).op(kind === 'f32' ? 'f32x4.extract_lane' : 'i32x4.extract_lane', 0);
  }

  private store({ op, args, imm }: Value): void {
    const { f } = this;
    const [address, value, inBounds] = args as [Value, Value, Value?];
    if (inBounds) {
      this.push(inBounds);
      f.begin('if');
    }
    this.push(address);
    this.push(value);
    f.memory(op, imm, op.includes('16') ? 1 : 2);
    if (inBounds) f.end();
  }

  private atomic({ op, args, imm }: Value): void {
    const { f } = this;
    const [address, inBounds, ...operands] = args as [Value, Value, ...Value[]];
    const always = inBounds.op === 'const' && inBounds.imm;
    if (!always) {
      this.push(inBounds);
      f.begin('if', 'i32');
    }
    this.push(address);
    if (op.includes(' ')) f.i32(imm).op('i32.add');
    for (const operand of operands) this.push(operand);
    this.atomicInstruction(op, imm);
    if (!always) f.otherwise().i32(0).end();
  }

  /** Operands are on the stack; leaves the old value (after a store: 0). */
  atomicInstruction(op: string, imm: number): void {
    const { f } = this;
    const instruction = atomics[op];
    if (!instruction) f.call(this.helpers.get(op));
    else f.memory(`i32.atomic.${instruction}`, imm);
    if (op === 'atomicStore') f.i32(0);
  }
}

const atomics: Record<string, string> = {
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
const specials: Record<string, (e: Emitter, value: Value) => void> = {
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
  frame: inScratch(({ frame }) => frame),
  workgroup_linear: (e) => void e.f.get(e.linear),
  local_index: (e) => void e.f.get(e.group),
  clear(e, { args, imm }) {
    e.push(args[0]!);
    e.f.i32(0).i32(imm).op('memory.fill', 0);
  },
};
