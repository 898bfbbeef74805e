// Where values are in memory. Results get buffers of their own, parts of a pack are in it, and values that live only
// within one call share an arena: two of them may share bytes if they are never needed at the same time.
import { dtypeBytes } from '../graph/dtype.js';
import { showType, type Value } from '../graph/node.js';
import { sizeOf } from '../graph/shape.js';
import { packedSize } from '../ops/pack.js';
import type { Fused } from './fuse.js';
import type { Group } from './group.js';
import type { Passes } from './passes.js';

/** A buffer of the plan: given with each call, taken from the pool for a result, or the plan's own. */
export type Slot = { readonly kind: 'leaf'; readonly leaf: number } | { readonly kind: 'arena' | 'words' } | NamedSlot;

export interface NamedSlot {
  readonly kind: 'result' | 'pack';
  readonly name: string;
  readonly sizeBytes: number;
  /** What a pack lays side by side; nothing else has parts. */
  readonly parts: readonly Part[];
}

export interface Place {
  readonly slot: Slot;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

export interface Part {
  /** Which leaf of the graph it is, if it is one. */
  readonly leaf: number | undefined;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  /** Whether its producer writes it there; otherwise it is copied. */
  readonly placed: boolean;
}

export interface Layout {
  readonly places: ReadonlyMap<Value, Place>;
  readonly arenaBytes: number;
}

export interface Interval {
  readonly first: number;
  readonly last: number;
  readonly sizeBytes: number;
}

/** The alignment of buffer offsets: no WebGPU adapter may require a larger one. */
export const align = 256;

export function bytesOf(value: Value): number {
  return Math.max(4, Math.ceil((sizeOf(value.shape) * dtypeBytes(value.dtype)) / 4) * 4);
}

/** @param leafIndex - the graph's leaves by the order in which a run takes their values */
export function layout(fused: Fused, leafIndex: ReadonlyMap<Value, number>, passes: Passes): Layout {
  const { groups, roots } = fused;
  const places = new Map<Value, Place>();
  const put = (value: Value, slot: Slot, offsetBytes = 0) => {
    places.set(value, { slot, offsetBytes, sizeBytes: bytesOf(value) });
  };
  const putLeaf = (value: Value) => {
    if (value.node.op.kind === 'leaf' && !places.has(value)) put(value, { kind: 'leaf', leaf: leafIndex.get(value)! });
  };
  const rootBases = new Set(roots.map((root) => root.base));
  // Packs first: they decide where their parts are written.
  for (const group of groups) {
    if (group.kind === 'pack') placePack(group, groups, places, rootBases, leafIndex, passes);
  }
  const { made, reads } = usesOf(groups);
  const temporary: { value: Value; interval: Interval }[] = [];
  for (const group of groups) {
    for (const value of group.stored) {
      if (places.has(value)) continue;
      if (rootBases.has(value))
        put(value, { kind: 'result', name: nameOf(value), sizeBytes: bytesOf(value), parts: [] });
      else {
        const always = { first: 0, last: groups.length };
        const first = made.get(value)!;
        const lifetime = passes.shareMemory ? { first, last: reads.get(value)?.at(-1) ?? first } : always;
        temporary.push({ value, interval: { ...lifetime, sizeBytes: bytesOf(value) } });
      }
    }
    for (const value of group.reads) putLeaf(value);
  }
  const { offsets, total } = pack(temporary.map(({ interval }) => interval));
  const arena: Slot = { kind: 'arena' };
  for (const [i, { value }] of temporary.entries()) put(value, arena, offsets[i]!);
  for (const { base } of roots) putLeaf(base);
  return { places, arenaBytes: total };
}

/** For messages: what a buffer is taken for. */
function nameOf(value: Value): string {
  return `the result of ${value.node.op.name}, ${showType(value)}`;
}

function placePack(
  group: Group,
  groups: readonly Group[],
  places: Map<Value, Place>,
  rootBases: ReadonlySet<Value>,
  leafIndex: ReadonlyMap<Value, number>,
  passes: Passes,
): void {
  const output = group.members[0]!;
  const { inputs } = group.node!;
  const parts: Part[] = [];
  let start = 0;
  inputs.forEach((value, i) => {
    const made = passes.placeParts && groups.some((other) => other.kind !== 'pack' && other.stored.has(value));
    const placed = made && !places.has(value) && !rootBases.has(value) && inputs.indexOf(value) === i;
    parts.push({ leaf: leafIndex.get(value), offsetBytes: start, sizeBytes: bytesOf(value), placed });
    start += packedSize(value.shape) * 4;
  });
  const sizeBytes = bytesOf(output);
  const slot: Slot = { kind: rootBases.has(output) ? 'result' : 'pack', name: nameOf(output), sizeBytes, parts };
  places.set(output, { slot, offsetBytes: 0, sizeBytes });
  parts.forEach(({ placed, offsetBytes, sizeBytes }, i) => {
    if (placed) places.set(inputs[i]!, { slot, offsetBytes, sizeBytes });
  });
}

/** When each value that has memory is made, and when it is read: the places of groups in their order. */
export function usesOf(groups: readonly Group[]): {
  made: ReadonlyMap<Value, number>;
  reads: ReadonlyMap<Value, readonly number[]>;
} {
  const made = new Map<Value, number>();
  const reads = new Map<Value, number[]>();
  groups.forEach((group, i) => {
    for (const value of group.stored) made.set(value, i);
    for (const value of group.reads) {
      const known = reads.get(value);
      if (known) known.push(i);
      else reads.set(value, [i]);
    }
  });
  return { made, reads };
}

/** How far above its lower bound a packing may be before another order is tried, and how many orders are tried. */
const enough = 1.05;
const attempts = 48;

/**
 * Offsets for values with lifetimes, so that values that live at the same time do not overlap. The largest value is placed
 * first. If the result needs more than the lower bound, the value at the top is placed earlier (first of all, or halfway
 * there, in turn), and the best order is kept.
 */
export function pack(intervals: readonly Interval[]): { offsets: number[]; total: number } {
  const order = intervals.map((_, i) => i).sort((a, b) => intervals[b]!.sizeBytes - intervals[a]!.sizeBytes || a - b);
  const { bytes: bound } = busiest(intervals);
  let best = placed(intervals, order);
  for (let attempt = 0, last = best; best.total > enough * bound && attempt < attempts; attempt++) {
    const at = order.findIndex((i) => last.offsets[i]! + intervals[i]!.sizeBytes === last.total);
    const [top] = order.splice(at, 1);
    order.splice(attempt % 2 === 0 ? 0 : at >> 1, 0, top!);
    last = placed(intervals, order);
    if (last.total < best.total) best = last;
  }
  return best;
}

/** The most bytes that live at one time, a lower bound of every packing, and the first time at which they do. */
export function busiest(intervals: readonly Interval[]): { bytes: number; at: number } {
  const changes = intervals.flatMap(({ first, last, sizeBytes }) => {
    const bytes = Math.ceil(sizeBytes / align) * align;
    return [
      { at: first, bytes },
      { at: last + 1, bytes: -bytes },
    ];
  });
  let [now, most] = [0, { bytes: 0, at: 0 }];
  for (const { at, bytes } of changes.sort((a, b) => a.at - b.at || a.bytes - b.bytes)) {
    now += bytes;
    if (now > most.bytes) most = { bytes: now, at };
  }
  return most;
}

/** Each in its turn at the lowest place that is free for as long as it lives. */
function placed(intervals: readonly Interval[], order: readonly number[]): { offsets: number[]; total: number } {
  const offsets = new Array<number>(intervals.length).fill(0);
  const done: number[] = [];
  let total = 0;
  for (const i of order) {
    const { first, last, sizeBytes } = intervals[i]!;
    const taken = done
      .filter((j) => intervals[j]!.first <= last && first <= intervals[j]!.last)
      .map((j) => ({ start: offsets[j]!, end: offsets[j]! + intervals[j]!.sizeBytes }))
      .sort((a, b) => a.start - b.start);
    let at = 0;
    for (const { start, end } of taken) {
      if (start >= at + sizeBytes) break;
      at = Math.max(at, Math.ceil(end / align) * align);
    }
    offsets[i] = at;
    done.push(i);
    total = Math.max(total, at + sizeBytes);
  }
  return { offsets, total };
}
