// Writes scheduled nodes as WebAssembly.
import type { FunctionBuilder, Label, ModuleBuilder, ValueType } from '../wasm/module.js';
import { Helpers } from './helpers.js';
import { atomics, COUNT, FIRST, SCRATCH, specials } from './instructions.js';
import type { BlockNode, Body, IfNode, Kind, Node, RegionNode, Value } from './ir.js';
import { collectiveLanes, laneInstruction } from './lane-instructions.js';
import { Masks } from './masks.js';
import { type BodyInfo, bodiesOf, type Schedule, schedule } from './place-values.js';
import { isCollective } from './structure.js';
import { collective } from './subgroups.js';

/** Where things are in scratch memory, in bytes from its start. */
export interface Layout {
  readonly workgroup: number;
  readonly workgroupBytes: number;
  readonly frame: number;
  /** Bytes of one invocation's (or four's) own memory. */
  readonly frameBytes: number;
  readonly invocations: number;
  readonly lanes: 1 | 4;
  readonly subgroup: number;
  /** Whether values live across regions, so that every invocation needs memory of its own. */
  readonly synchronizes: boolean;
}

const slotType = ({ kind }: Value) => machine(kind);
const machine = (kind: Kind): ValueType => (kind === 'f32' || kind === 'v128' ? kind : 'i32');

export class Emitter {
  readonly f: FunctionBuilder;
  readonly helpers: Helpers;
  readonly masks: Masks = new Masks(this);
  private readonly plan: Schedule;
  private readonly locals = new Map<Value, number>();
  private readonly labels = new Map<BlockNode, Label>();
  private readonly slots = new Map<unknown, number>();
  /** Bytes used of scratch memory. */
  private used: number;
  /** Values that the next node has to find computed. */
  private pending = new Set<Value>();
  private region?: { readonly info: BodyInfo; readonly left: readonly BlockNode[]; readonly end: Label } | undefined;
  readonly group: number;
  readonly linear: number;

  constructor(
    module: ModuleBuilder,
    private readonly root: Body,
    readonly layout: Layout,
    varies: (phi: Value) => boolean,
  ) {
    this.f = module.function(['i32', 'i32', 'i32', 'i32'], [], 'run');
    this.helpers = new Helpers(module);
    this.plan = schedule(root, varies);
    const { frame, frameBytes, synchronizes } = layout;
    this.used = frame + frameBytes * (synchronizes ? this.groups : 1);
    this.findLeft(root);
    this.group = this.f.local('i32');
    this.linear = this.f.local('i32');
  }

  /** The whole function: a loop over workgroups. Says how many bytes of scratch memory it needs. */
  run(): number {
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
    return this.used;
  }

  private clearWorkgroup(): void {
    const { workgroup, workgroupBytes } = this.layout;
    if (!workgroupBytes) return;
    this.f.get(SCRATCH).i32(workgroup).op('i32.add').i32(0).i32(workgroupBytes).op('memory.fill', 0);
  }

  private get groups(): number {
    return Math.ceil(this.layout.invocations / this.layout.lanes);
  }

  /** Blocks that invocations leave one by one. */
  private readonly leftBlocks = new Set<BlockNode>();

  private findLeft(body: Body): void {
    for (const node of body.nodes) {
      if (node.kind === 'region') for (const block of node.left) this.leftBlocks.add(block);
      for (const child of bodiesOf(node)) this.findLeft(child);
    }
  }

  /** Room for one value of each invocation (or four); its offset in scratch memory. */
  private slot(key: unknown): number {
    let offset = this.slots.get(key);
    if (offset === undefined) {
      offset = this.used;
      this.slots.set(key, offset);
      this.used += 16 * Math.ceil((this.groups * this.slotBytes) / 16);
    }
    return offset;
  }

  private get slotBytes(): number {
    return 4 * this.layout.lanes;
  }

  /** The address that a slot's offset is added to: the invocation's. */
  private slotBase(member = this.group): void {
    this.f.get(SCRATCH).get(member).i32(this.slotBytes).op('i32.mul').op('i32.add');
  }

  private loadSlot(value: Value, member = this.group): void {
    this.slotBase(member);
    this.f.memory(`${slotType(value)}.load`, this.slot(value));
  }

  /** A value of another invocation. */
  pushOf(value: Value, member: number): void {
    this.loadSlot(value, member);
  }

  /** Keeps a value that another region needs. */
  private keep(value: Value): void {
    if (!this.plan.crossing.has(value) || this.plan.kept.has(value)) return;
    this.slotBase();
    this.f.get(this.local(value)).memory(`${slotType(value)}.store`, this.slot(value));
  }

  private before(body: Body, index: number): void {
    this.pending = new Set(this.plan.infos.get(body)!.before.get(index));
    // A move computes what it needs one value after another: fewer of them are alive at a time.
    if (body.nodes[index]!.kind === 'move') return;
    for (const value of this.pending) this.settle(value);
  }

  /** Computes what a value needs and has no local yet. */
  private settle(value: Value): void {
    const { pending } = this;
    if (pending.size === 0 || value.op === 'phi' || value.pinned) return;
    const own = pending.has(value);
    if (!own && this.plan.locals.has(value)) return;
    for (const arg of value.args) this.settle(arg);
    if (!own || !pending.delete(value)) return;
    this.compute(value);
    this.f.set(this.local(value));
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
    const joint = !this.region && this.layout.synchronizes;
    body.nodes.forEach((node, i) => {
      // What the workgroup decides together is read from its first invocation.
      if (joint && node.kind === 'if') this.f.i32(0).set(this.group);
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
        this.branch(node);
        for (const phi of node.phis) this.keep(phi);
        break;
      case 'block':
        this.block(node);
        for (const phi of node.phis) this.keep(phi);
        break;
      case 'loop': {
        this.masks.prepare(node);
        const again = f.begin('loop');
        this.body(node.body);
        f.br(again).end();
        break;
      }
      case 'break':
        this.leave(node.target);
        break;
      case 'region':
        this.regionLoop(node);
        break;
    }
  }

  private branch(node: IfNode): void {
    const { f } = this;
    if (node.condition.kind === 'v128') {
      this.masks.if(node);
      return;
    }
    if (this.region) this.masks.prepare(node);
    this.push(node.condition);
    f.begin('if');
    this.body(node.taken);
    if (node.otherwise.nodes.length) f.otherwise();
    this.body(node.otherwise);
    f.end();
  }

  private block(node: BlockNode): void {
    const { f } = this;
    if (this.leftBlocks.has(node)) this.clearLeft(node);
    const begin = () => {
      const label = f.begin('block');
      this.labels.set(node, label);
      return label;
    };
    if (node.divergent && this.region) {
      this.masks.block(node, begin, () => f.end());
      return;
    }
    if (this.region) this.masks.prepare(node);
    begin();
    this.body(node.body);
    f.end();
  }

  private clearLeft(block: BlockNode): void {
    this.f.get(SCRATCH).i32(this.slot(block)).op('i32.add').i32(0);
    this.f.i32(this.groups * this.slotBytes).op('memory.fill', 0);
  }

  private leave(target: BlockNode): void {
    const { f, region } = this;
    const kept = region?.left.includes(target);
    const slot = { address: () => this.slotBase(), offset: kept ? this.slot(target) : 0 };
    if (this.layout.lanes === 4 && region && target.divergent) this.masks.leave(target, kept ? slot : undefined);
    else if (!kept) f.br(this.labels.get(target)!);
    else {
      slot.address();
      f.i32(1).memory('i32.store', slot.offset).br(region!.end);
    }
  }

  /** Every invocation in turn, or every four. */
  private regionLoop({ body, left }: RegionNode): void {
    const { f, group, groups } = this;
    f.i32(0).set(group);
    const next = f.begin('loop');
    const end = f.begin('block');
    this.region = { info: this.plan.infos.get(body)!, left, end };
    if (this.layout.lanes === 4) this.enterLanes(left, end);
    else {
      for (const block of left) {
        this.slotBase();
        f.memory('i32.load', this.slot(block)).brIf(end);
      }
    }
    this.body(body);
    this.region = undefined;
    f.end();
    f.get(group).i32(1).op('i32.add').tee(group).i32(groups).op('i32.lt_u');
    if (groups > 1) f.brIf(next);
    else f.op('drop');
    f.end();
  }

  /** Which of four invocations exist, and have not left. */
  private enterLanes(left: readonly BlockNode[], end: Label): void {
    const { f, group } = this;
    const { invocations } = this.layout;
    const partial = invocations % 4 !== 0;
    const live = partial || left.length ? f.local('v128') : undefined;
    if (live !== undefined) {
      if (partial) {
        f.get(group).i32(2).op('i32.shl').op('i32x4.splat').i32x4(0, 1, 2, 3).op('i32x4.add');
        f.i32x4(invocations).op('i32x4.lt_u').set(live);
      } else f.i32x4(-1).set(live);
    }
    this.masks.enter(live, end);
    for (const block of left) {
      f.get(live!);
      this.slotBase();
      f.memory('v128.load', this.slot(block)).op('v128.andnot').set(live!);
    }
    if (left.length) this.masks.skipIfNone(live!);
  }

  private effect(value: Value): void {
    if (!this.plan.live.has(value)) return;
    this.compute(value);
    if (value.kind === 'none') return;
    this.f.set(this.local(value));
    this.keep(value);
  }

  private move({ phis, values }: Extract<Node, { kind: 'move' }>): void {
    const moved = phis.filter((phi, i) => this.plan.live.has(phi) && values[i] !== phi);
    for (const phi of moved) {
      const kept = this.plan.kept.has(phi);
      this.settle(values[phis.indexOf(phi)]!);
      if (kept) this.slotBase();
      this.push(values[phis.indexOf(phi)]!);
      if (this.region) this.masks.blend(phi, () => (kept ? this.loadSlot(phi) : this.f.get(this.local(phi))));
    }
    for (const value of this.pending) this.settle(value);
    for (const phi of moved.reverse()) {
      if (this.plan.kept.has(phi)) this.f.memory(`${slotType(phi)}.store`, this.slot(phi));
      else this.f.set(this.local(phi));
    }
  }

  /** Puts a value on the stack. */
  push(value: Value): void {
    const { locals, kept, crossing } = this.plan;
    const foreign = crossing.has(value) && this.plan.regionOf(value) !== this.region?.info;
    if (foreign || kept.has(value)) this.loadSlot(value);
    else if (locals.has(value) || value.pinned || value.op === 'phi') this.f.get(this.local(value));
    else this.compute(value);
  }

  private compute(value: Value): void {
    const { op } = value;
    const special = specials[op] ?? laneInstruction(op);
    if (special) special(this, value);
    else if (op.startsWith('math.') || op.startsWith('f16.')) this.callVector(value);
    else if (op.startsWith('atomic')) this.atomic(value);
    else if (isCollective(value)) (value.kind === 'v128' ? collectiveLanes : collective)(this, value);
    else if (op.includes('.store')) this.store(value);
    else {
      for (const arg of value.args) this.push(arg);
      if (op.includes('.load')) this.f.memory(op, value.imm, op.includes('16') ? 1 : 2);
      else this.f.op(op);
    }
  }

  /** A function on vectors, perhaps for one scalar. */
  private callVector({ op, kind, args }: Value): void {
    for (const arg of args) {
      this.push(arg);
      if (kind !== 'v128') this.f.op(arg.kind === 'f32' ? 'f32x4.splat' : 'i32x4.splat');
    }
    this.helpers.apply(this.f, op);
    if (kind !== 'v128') this.f.op(kind === 'f32' ? 'f32x4.extract_lane' : 'i32x4.extract_lane', 0);
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
