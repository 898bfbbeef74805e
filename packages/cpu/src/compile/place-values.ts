// Gives every floating value a place: as late as its uses allow, then out of every loop in which it does not change. A value
// that all invocations of a workgroup share is computed once for it; one that differs is recomputed in each region
// that needs it, but for effects and phis, which are kept (`crossing`).
import type { Body, Node, Value } from './ir.js';

export interface BodyInfo {
  readonly parent: BodyInfo | undefined;
  /** The node of the parent that this body belongs to. */
  readonly index: number;
  readonly depth: number;
  /** A loop's body: it may run many times. */
  readonly repeats: boolean;
  /** The region around, if any. */
  readonly region: BodyInfo | undefined;
  /** Values to compute before each node. */
  readonly before: Map<number, Value[]>;
}

export interface Schedule {
  readonly infos: ReadonlyMap<Body, BodyInfo>;
  /** Values that need a local: used more than once, or elsewhere than where they are computed. */
  readonly locals: ReadonlySet<Value>;
  readonly live: ReadonlySet<Value>;
  /** Effects and phis of one region that others need, too. */
  readonly crossing: ReadonlySet<Value>;
  /** Phis outside regions that each invocation has its own value of. */
  readonly kept: ReadonlySet<Value>;
  /** The region that contains an effect or a phi. */
  regionOf(value: Value): BodyInfo | undefined;
}

/** Where leaves come from. */
const regionLeaves = new Set(['local_index', 'frame', 'group', 'v128.ramp']);
const workgroupLeaves = new Set(['workgroup_linear']);
/** What costs no more than reading a local. */
const immediate = new Set(['const', 'v128.const', 'scratch', 'local_index', 'workgroup_linear', 'group', 'v128.ramp']);
/** Too expensive to compute if the value may not be needed. */
const expensive = (op: string) =>
  op.startsWith('math.') || op.startsWith('f16.') || op.includes('div') || op.includes('rem');

interface Use {
  readonly info: BodyInfo;
  readonly index: number;
}

/** Where an effect or a phi gets its value: there from the node after `index` on. */
interface Definition extends Use {
  /** Rises from one definition to the next. */
  readonly order: number;
}

export function schedule(root: Body, varies: (phi: Value) => boolean): Schedule {
  return new Scheduler(root, varies).run();
}

class Scheduler {
  private readonly infos = new Map<Body, BodyInfo>();
  private readonly definitions = new Map<Value, Definition>();
  private readonly lastDefinitions = new Map<Value, Definition | undefined>();
  private readonly incoming = new Map<Value, Value[]>();
  private readonly live = new Set<Value>();
  private readonly uses = new Map<Value, Use[]>();
  private readonly locals = new Set<Value>();
  private readonly crossing = new Set<Value>();
  private readonly kept = new Set<Value>();
  private readonly available = new Map<BodyInfo | undefined, Map<Value, BodyInfo>>();
  private readonly rootInfo: BodyInfo;
  private workgroupInfo!: BodyInfo;

  constructor(
    private readonly root: Body,
    private readonly varies: (phi: Value) => boolean,
  ) {
    this.rootInfo = this.build(root, undefined, 0, false, undefined);
  }

  run(): Schedule {
    this.walk(this.root, (node) => this.markNode(node));
    this.walk(this.root, (node, info, index) => {
      for (const value of operands(node, this.live)) this.use(value, info, index);
    });
    const floating = [...this.live].filter(isFloating).sort((a, b) => b.id - a.id);
    for (const value of floating) this.place(value);
    for (const { before } of this.infos.values()) for (const list of before.values()) list.sort((a, b) => a.id - b.id);
    const { infos, locals, live, crossing, kept } = this;
    const regionOf = (value: Value) => this.definitions.get(value)?.info.region;
    return { infos, locals, live, crossing, kept, regionOf };
  }

  private build(
    body: Body,
    parent: BodyInfo | undefined,
    index: number,
    repeats: boolean,
    outer: BodyInfo | undefined,
    loopPhis: readonly Value[] = [],
  ): BodyInfo {
    const depth = parent ? parent.depth + 1 : 0;
    const info: BodyInfo = { parent, index, depth, repeats, region: outer, before: new Map() };
    if (depth === 1) this.workgroupInfo = info;
    this.infos.set(body, info);
    for (const phi of loopPhis) this.define(phi, info, -1);
    body.nodes.forEach((node, i) => {
      if (node.kind === 'op') this.define(node.value, info, i);
      if (node.kind === 'move') node.phis.forEach((phi, k) => void this.come(phi, node.values[k]!));
      for (const child of bodiesOf(node)) {
        const isRegion = node.kind === 'region';
        const phis = node.kind === 'loop' ? node.phis : [];
        const childInfo = this.build(child, info, i, isRegion || node.kind === 'loop', outer, phis);
        if (isRegion) this.enterRegion(child, childInfo);
      }
      if (node.kind === 'if' || node.kind === 'block') for (const phi of node.phis) this.define(phi, info, i);
    });
    return info;
  }

  private define(value: Value, info: BodyInfo, index: number): void {
    this.definitions.set(value, { info, index, order: this.definitions.size });
  }

  private enterRegion(body: Body, info: BodyInfo): void {
    (info as { region: BodyInfo | undefined }).region = info;
    this.walkInfos(body, (inner) => {
      (inner as { region: BodyInfo | undefined }).region = info;
    });
  }

  private walkInfos(body: Body, each: (info: BodyInfo) => void): void {
    for (const node of body.nodes) {
      for (const child of bodiesOf(node)) {
        each(this.infos.get(child)!);
        this.walkInfos(child, each);
      }
    }
  }

  private come(phi: Value, value: Value): void {
    const list = this.incoming.get(phi);
    if (list) list.push(value);
    else this.incoming.set(phi, [value]);
  }

  private walk(body: Body, each: (node: Node, info: BodyInfo, index: number) => void): void {
    const info = this.infos.get(body)!;
    body.nodes.forEach((node, i) => {
      each(node, info, i);
      for (const child of bodiesOf(node)) this.walk(child, each);
    });
  }

  private markNode(node: Node): void {
    if (node.kind === 'if') this.mark(node.condition);
    if (node.kind === 'op' && !isLoad(node.value)) this.mark(node.value);
  }

  private mark(value: Value): void {
    if (this.live.has(value)) return;
    this.live.add(value);
    for (const arg of value.args) this.mark(arg);
    for (const arg of this.incoming.get(value) ?? []) this.mark(arg);
  }

  private use(value: Value, info: BodyInfo, index: number): void {
    if (isFloating(value)) {
      const list = this.uses.get(value);
      if (list) list.push({ info, index });
      else this.uses.set(value, [{ info, index }]);
      return;
    }
    const defined = this.definitions.get(value)?.info;
    if (defined?.region && defined.region !== info.region) this.crossing.add(value);
    if (this.isKept(value)) this.kept.add(value);
  }

  private isKept(value: Value): boolean {
    return (
      value.op === 'phi' &&
      this.definitions.has(value) &&
      !this.definitions.get(value)!.info.region &&
      this.varies(value)
    );
  }

  /** The deepest body that a value needs to be in, seen from a region. */
  private availability(value: Value, region: BodyInfo | undefined): BodyInfo {
    let memo = this.available.get(region);
    if (!memo) {
      memo = new Map();
      this.available.set(region, memo);
    }
    const known = memo.get(value);
    if (known) return known;
    let deepest = this.rootInfo;
    if (!isFloating(value)) {
      const at = this.definitions.get(value)?.info ?? this.rootInfo;
      if (this.isKept(value)) deepest = region ?? at;
      else deepest = at.region && at.region !== region ? (region ?? at.region.parent!) : at;
    } else if (regionLeaves.has(value.op)) deepest = region ?? this.workgroupInfo;
    else if (workgroupLeaves.has(value.op)) deepest = this.workgroupInfo;
    for (const arg of value.args) {
      const at = this.availability(arg, region);
      if (at.depth > deepest.depth) deepest = at;
    }
    memo.set(value, deepest);
    return deepest;
  }

  /** The last effect or phi that a value needs. What it needs dominates its uses, so the rest come before that one. */
  private lastDefinition(value: Value): Definition | undefined {
    if (!isFloating(value)) return this.definitions.get(value);
    if (this.lastDefinitions.has(value)) return this.lastDefinitions.get(value);
    let last: Definition | undefined;
    for (const arg of value.args) {
      const found = this.lastDefinition(arg);
      if (found && !(last && last.order > found.order)) last = found;
    }
    this.lastDefinitions.set(value, last);
    return last;
  }

  private place(value: Value): void {
    const groups = new Map<BodyInfo | undefined, Use[]>();
    for (const use of this.uses.get(value) ?? []) {
      const { region } = use.info;
      const varies = region && this.availability(value, region).depth >= region.depth;
      const key = varies ? region : undefined;
      const group = groups.get(key);
      if (group) group.push(use);
      else groups.set(key, [use]);
    }
    if (groups.size > 1 && !immediate.has(value.op)) this.locals.add(value);
    for (const [region, uses] of groups) this.placeFor(value, region, uses);
  }

  private placeFor(value: Value, region: BodyInfo | undefined, uses: readonly Use[]): void {
    const last = this.lastDefinition(value);
    const needed = last?.info.region === region ? last : undefined;
    let common = uses.reduce(lowestCommon);
    // A block may give what it needs to those after it: then only what comes right after that is before all uses.
    if (needed && !precedes(needed, common)) common = { info: needed.info, index: needed.index + 1 };
    const floor = this.availability(value, region);
    let best = common;
    for (let at: BodyInfo = common.info; at !== floor && at.parent; at = at.parent) {
      if (needed && isInside(needed.info, at)) break;
      if (at.repeats) best = { info: at.parent, index: at.index };
      else if (expensive(value.op)) break;
    }
    for (const arg of value.args) this.use(arg, best.info, best.index);
    if (immediate.has(value.op)) return;
    if (uses.length > 1 || best.info !== uses[0]!.info) this.locals.add(value);
    if (!this.locals.has(value)) return;
    const { before } = best.info;
    const list = before.get(best.index);
    if (list) list.push(value);
    else before.set(best.index, [value]);
  }
}

const isFloating = (value: Value): boolean => !value.pinned && value.op !== 'phi';
export const isLoad = (value: Value): boolean => /\.load|^gather|^load16/.test(value.op);

/** The two places as they are seen from the innermost body around both. */
function inCommon(a: Use, b: Use): readonly [Use, Use] {
  let [x, y] = [a, b];
  while (x.info !== y.info) {
    if (x.info.depth >= y.info.depth) x = { info: x.info.parent!, index: x.info.index };
    else y = { info: y.info.parent!, index: y.info.index };
  }
  return [x, y];
}

function lowestCommon(a: Use, b: Use): Use {
  const [x, y] = inCommon(a, b);
  return x.index <= y.index ? x : y;
}

function precedes(definition: Definition, use: Use): boolean {
  const [x, y] = inCommon(definition, use);
  return x.index < y.index;
}

function isInside(inner: BodyInfo, outer: BodyInfo): boolean {
  let at: BodyInfo | undefined = inner;
  while (at && at.depth > outer.depth) at = at.parent;
  return at === outer;
}

export function bodiesOf(node: Node): readonly Body[] {
  switch (node.kind) {
    case 'if':
      return [node.taken, node.otherwise];
    case 'block':
    case 'loop':
    case 'region':
      return [node.body];
    default:
      return [];
  }
}

/** Values that a node itself uses. */
function operands(node: Node, live: ReadonlySet<Value>): readonly Value[] {
  if (node.kind === 'if') return [node.condition];
  if (node.kind === 'move') return node.values.filter((_, i) => live.has(node.phis[i]!));
  return node.kind === 'op' && live.has(node.value) ? node.value.args : [];
}
