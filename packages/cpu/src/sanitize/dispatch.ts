// One dispatch under watch: run in the natural order, and once more in another one on the same memory.
import {
  type Finding,
  type FindingInvocation,
  type FindingKind,
  makeFinding,
  type Side,
  type Site,
} from './finding.js';
import type { WatchedKernel } from './kernel.js';
import { helpersOf, transcendentalsOf } from './operations.js';
import { natural, type Order, Shuffled } from './order.js';
import { type Access, type Now, Shadow } from './shadow.js';
import { type Arrival, type Invocation, runWorkgroup, siteOf } from './workgroup.js';

/** Where a dispatch reads and writes. */
export interface DispatchRange {
  readonly address: number;
  readonly size: number;
}

export interface Dispatch {
  readonly kernel: WatchedKernel;
  readonly groups: readonly [number, number, number];
  readonly bindings: readonly DispatchRange[];
  readonly memory: ArrayBuffer;
  /** Address of `scratchBytes` bytes. */
  readonly scratch: number;
  readonly seed: number;
  readonly report: (finding: Finding) => void;
}

/** The results are those of the natural order. */
export function runWatched(dispatch: Dispatch): void {
  const { kernel, bindings, memory, groups } = dispatch;
  const written = bindings.flatMap((range, binding) =>
    kernel.bindings[binding]!.kind === 'storage' ? [{ ...range, binding }] : [],
  );
  const copy = () => written.map(({ address, size }) => new Uint8Array(memory.slice(address, address + size)));
  const put = (copies: readonly Uint8Array[]) =>
    written.forEach(({ address }, k) => void new Uint8Array(memory).set(copies[k]!, address));
  const before = copy();
  const first = new WatchedRun(dispatch, natural);
  first.run();
  if (kernel.invocations * groups[0] * groups[1] * groups[2] === 1) return;
  const after = copy();
  put(before);
  const second = new WatchedRun(dispatch, new Shuffled(dispatch.seed));
  second.run();
  const other = copy();
  written.forEach(({ address, binding }, k) => {
    const at = after[k]!.findIndex((byte, i) => byte !== other[k]![i]);
    if (at >= 0) first.reportOrder(second, binding, address, at - (at % 4), after[k]!, other[k]!);
  });
  put(after);
}

class WatchedRun {
  private readonly now: Now;
  private readonly storage: Shadow;
  private readonly workgroup: Shadow;

  constructor(
    private readonly dispatch: Dispatch,
    private readonly order: Order,
  ) {
    const { kernel } = dispatch;
    this.now = { invocation: 0, first: 0, perWorkgroup: kernel.invocations, epoch: { storage: 0, workgroup: 0 } };
    const shadow = (space: 'storage' | 'workgroup') =>
      new Shadow(this.now, space, kernel.halves, {
        race: (a, b) => this.race(a, b),
        uninitialized: (site) => this.uninitialized(kernel.sites[site]!),
      });
    this.storage = shadow('storage');
    this.workgroup = shadow('workgroup');
  }

  run(): void {
    const { kernel, groups, memory, scratch } = this.dispatch;
    const { invocations, meetings, subgroupSize, workgroupBytes } = kernel;
    const { roundF16 } = kernel.parts;
    const shown = new Float64Array(invocations);
    const lanes = new Int32Array(invocations);
    const invocation = this.make(shown, lanes);
    const diverged = (here: Arrival, elsewhere: Arrival) => this.diverged(here, elsewhere);
    const { now, order } = this;
    const run = { invocation, meetings, now, invocations, subgroupSize, shown, lanes, order, roundF16, diverged };
    const [x, y, z] = groups;
    const numbers = order.numbers(x * y * z);
    for (let k = 0; k < numbers.length; k++) {
      const linear = numbers[k]!;
      new Uint8Array(memory, scratch, workgroupBytes).fill(0);
      this.workgroup.clear();
      runWorkgroup(run, linear, position(linear, groups));
    }
  }

  private make(shown: Float64Array, lanes: Int32Array): Invocation {
    const { kernel, bindings, memory, scratch, groups } = this.dispatch;
    const views = {
      f: new Float32Array(memory),
      i: new Int32Array(memory),
      h: new Uint16Array(memory),
      address: bindings.map(({ address }) => address),
      size: bindings.map(({ size }) => size),
      workgroup: scratch,
      frame: (scratch + kernel.workgroupBytes) / 4,
    };
    const beyond = (site: number, index: number, count: number) => this.beyond(kernel.sites[site]!, index, count);
    const watch = { storage: this.storage, workgroup: this.workgroup, beyond };
    const { parts } = kernel;
    return kernel.make(views, watch, helpersOf(parts), transcendentalsOf(parts), shown, lanes, groups) as Invocation;
  }

  // -------------------------------------------------------------------------------------------------------- findings

  private report(kind: FindingKind, sides: readonly Side[], say: (shown: readonly string[]) => string): void {
    this.dispatch.report(makeFinding(kind, this.dispatch.kernel.origin, sides, say));
  }

  private side(site: Site, does: string, invocation = this.now.invocation): Side {
    return { site, does, invocation: this.invocation(invocation) };
  }

  private invocation(linear: number): FindingInvocation {
    const { kernel, groups } = this.dispatch;
    const workgroup = position(Math.floor(linear / kernel.invocations), groups);
    const local = position(linear % kernel.invocations, kernel.workgroupSize);
    const global = [0, 1, 2].map((axis) => workgroup[axis]! * kernel.workgroupSize[axis]! + local[axis]!);
    return { global: global as [number, number, number], workgroup };
  }

  private race(a: Access, b: Access): void {
    const { sites } = this.dispatch.kernel;
    const sides = [a, b].map(({ site, writes, atomic, invocation }) =>
      this.side(sites[site]!, `${writes ? 'writes' : 'reads'}${atomic ? ' atomically' : ''}`, invocation),
    );
    const { name, space } = sides[1]!.site;
    const [one, two] = sides.map(({ invocation }) => invocation.workgroup.join());
    const why = one === two ? `no ${space}Barrier lies between them` : 'nothing orders the workgroups of a dispatch';
    this.report('race', sides, ([first, second]) => `of "${name}", ${first}, and ${second}; ${why}.`);
  }

  private uninitialized(site: Site): void {
    this.report(
      'uninitialized',
      [this.side(site, 'reads')],
      ([shown]) => `${shown}, what no invocation of its workgroup has written to "${site.name}".`,
    );
  }

  private beyond(site: Site, index: number, count: number): void {
    const unsigned = index < 0 ? `${index} (${index >>> 0} as u32)` : `${index}`;
    this.report(
      'out-of-bounds',
      [this.side(site, `takes element ${unsigned} of ${count}`)],
      ([shown]) => `of "${site.name}", ${shown}.`,
    );
  }

  private diverged(here: Arrival, elsewhere: Arrival): void {
    const base = this.now.invocation - (this.now.invocation % this.dispatch.kernel.invocations);
    const meeting = here.meeting ?? elsewhere.meeting!;
    const does = ({ meeting: at }: Arrival) =>
      !at ? 'has ended' : at.kind === 'barrier' ? `waits at ${at.source.name}` : `calls ${at.source.name}`;
    const sides = [here, elsewhere].map((arrival) =>
      this.side(siteOf(arrival.meeting ?? meeting), does(arrival), base + arrival.index),
    );
    const scope = meeting.kind === 'barrier' ? 'workgroup' : 'subgroup';
    const { name } = meeting.source;
    this.report(
      'divergence',
      sides,
      ([first, second]) =>
        `not all invocations of the ${scope} reach ${name}: ${first}, ${elsewhere.meeting ? second : `and invocation (${sides[1]!.invocation.global.join(', ')}) has ended`}.`,
    );
  }

  /** @param at - byte of the binding where the results differ first */
  reportOrder(
    other: WatchedRun,
    binding: number,
    address: number,
    at: number,
    mine: Uint8Array,
    theirs: Uint8Array,
  ): void {
    const { names, sites } = this.dispatch.kernel;
    const writers = [this, other].map((run) => run.storage.lastWrite(address + at));
    const sides = writers.flatMap((writer) =>
      writer ? [this.side(sites[writer.site]!, 'wrote last', writer.invocation)] : [],
    );
    const words = [mine, theirs].map((bytes) => new DataView(bytes.buffer).getUint32(at, true));
    const shown = words.map((word) => `0x${word.toString(16).padStart(8, '0')}`);
    const name = names[binding]!;
    const site: Site = { name, at: { line: 0, column: 0 }, space: 'storage' };
    this.report(
      'order',
      sides.length > 0 ? sides : [this.side(site, 'wrote')],
      (places) =>
        `byte ${at} of "${name}" begins ${shown[0]} in one order of invocations and ${shown[1]} in another; ${places.join(', and ')}.`,
    );
  }
}

/** A linear number as three coordinates, x fastest. */
function position(linear: number, [x, y]: readonly [number, number, number]): [number, number, number] {
  return [linear % x, Math.floor(linear / x) % y, Math.floor(linear / (x * y))];
}
