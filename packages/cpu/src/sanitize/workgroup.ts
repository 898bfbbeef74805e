// Runs the invocations of one workgroup: each until it meets others or ends, then those that have met continue together.
import { meet } from './collectives.js';
import type { Site } from './finding.js';
import type { Order } from './order.js';
import type { Now } from './shadow.js';
import type { Meeting } from './text.js';

/** One run of a program: a generator of the numbers of its meetings, if it has any. */
export type Invocation = (
  index: number,
  x: number,
  y: number,
  z: number,
) => Generator<number, void, number> | undefined;

/** An invocation at a meeting, or (undefined) at its end. */
export interface Arrival {
  readonly index: number;
  readonly meeting: Meeting | undefined;
}

export interface WorkgroupRun {
  readonly invocation: Invocation;
  readonly meetings: readonly Meeting[];
  readonly now: Now;
  readonly invocations: number;
  readonly subgroupSize: number;
  readonly shown: Float64Array;
  readonly lanes: Int32Array;
  readonly roundF16: (value: number) => number;
  readonly order: Order;
  /** Called where two invocations that should meet do not. */
  readonly diverged: (here: Arrival, elsewhere: Arrival) => void;
}

const ENDED = -1;

/** @param linear - the workgroup's number, @param position - its `workgroup_id` */
export function runWorkgroup(run: WorkgroupRun, linear: number, position: readonly [number, number, number]): void {
  const { invocation, meetings, now, invocations, order } = run;
  now.epoch.storage = 0;
  now.epoch.workgroup = 0;
  const base = linear * invocations;
  now.first = base;
  if (meetings.length === 0) {
    const numbers = order.numbers(invocations);
    for (let k = 0; k < invocations; k++) {
      now.invocation = base + numbers[k]!;
      invocation(numbers[k]!, ...position);
    }
    return;
  }
  new Meetings(run, base, position).run();
}

class Meetings {
  private readonly coroutines: Generator<number, void, number>[];
  /** Where each invocation waits, as the number of a meeting. */
  private readonly at: number[] = [];

  constructor(
    private readonly r: WorkgroupRun,
    private readonly base: number,
    position: readonly [number, number, number],
  ) {
    this.coroutines = Array.from({ length: r.invocations }, (_, index) => r.invocation(index, ...position)!);
  }

  run(): void {
    const { invocations, order, meetings, subgroupSize } = this.r;
    const subgroups = meetings.some(({ kind }) => kind === 'collective') ? invocations : 0;
    let running = order.numbers(invocations);
    for (;;) {
      for (let k = 0; k < running.length; k++) this.resume(running[k]!, 0);
      for (let first = 0; first < subgroups; first += subgroupSize) this.settleSubgroup(first);
      const waiting = this.atBarrier();
      if (waiting.length === 0) return;
      const shuffled = order.numbers(waiting.length);
      running = Array.from(shuffled, (k) => waiting[k]!);
    }
  }

  private resume(index: number, value: number): void {
    this.r.now.invocation = this.base + index;
    const step = this.coroutines[index]!.next(value);
    this.at[index] = step.done ? ENDED : step.value;
  }

  private meeting(index: number): Meeting | undefined {
    return this.r.meetings[this.at[index]!];
  }

  /** Carries out subgroup operations until no member waits at one. */
  private settleSubgroup(first: number): void {
    const { subgroupSize, invocations, meetings, shown, lanes, order, roundF16 } = this.r;
    const all = Array.from({ length: Math.min(subgroupSize, invocations - first) }, (_, k) => first + k);
    for (;;) {
      const waiting = all.filter((index) => this.meeting(index)?.kind === 'collective');
      if (waiting.length === 0) return;
      // The one that comes first in the text, where they wait at several.
      const number = Math.min(...waiting.map((index) => this.at[index]!));
      const members = waiting.filter((index) => this.at[index] === number);
      const absent = all.find((index) => this.at[index] !== number);
      if (absent !== undefined) this.diverge(members[0]!, absent);
      const collective = meetings[number] as Extract<Meeting, { kind: 'collective' }>;
      const results = meet(collective, { values: shown, lanes, roundF16 }, first, members);
      const numbers = order.numbers(members.length);
      for (let k = 0; k < numbers.length; k++) this.resume(members[numbers[k]!]!, results[numbers[k]!]!);
    }
  }

  /** Those that wait at a barrier, all of which pass it. */
  private atBarrier(): number[] {
    const { at } = this;
    const waiting: number[] = [];
    const here = at.findIndex((number) => number !== ENDED);
    if (here < 0) return waiting;
    let elsewhere = -1;
    for (let index = 0; index < at.length; index++) {
      if (at[index] !== ENDED) waiting.push(index);
      if (at[index] !== at[here] && elsewhere < 0) elsewhere = index;
    }
    if (elsewhere >= 0) this.diverge(here, elsewhere);
    const { epoch } = this.r.now;
    const { name } = this.meeting(here)!.source;
    if (name === 'storageBarrier') epoch.storage++;
    else if (name !== 'textureBarrier') epoch.workgroup++;
    return waiting;
  }

  private diverge(here: number, elsewhere: number): void {
    this.r.diverged(
      { index: here, meeting: this.meeting(here) },
      { index: elsewhere, meeting: this.meeting(elsewhere) },
    );
  }
}

/** Where an invocation waits, as a place that a finding can name. */
export function siteOf({ source }: Meeting): Site {
  return { ...source, space: 'private' };
}
