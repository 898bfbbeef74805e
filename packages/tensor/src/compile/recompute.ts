// Fits a program into a memory budget. Values that are computed early and read again late are computed a second time
// instead of being kept in between. Chen et al., "Training deep nets with sublinear memory cost",
// https://arxiv.org/abs/1604.06174: segments of the way there keep their inputs only. Nobody has to say where they begin:
// they end where little is carried on, which in a deep network is between its blocks.
import { LimitError } from '../errors.js';
import { topologicalOrder, type Value } from '../graph/node.js';
import { barrier } from '../ops/view/identity.js';
import { apply, reapply } from '../tensor.js';
import type { Fused } from './fuse.js';
import { busiest, bytesOf, type Layout, usesOf } from './memory.js';

/** A graph with its kernels and their memory. */
export interface Planned {
  readonly roots: readonly Value[];
  readonly fused: Fused;
  readonly memory: Layout;
}

/**
 * The plan, changed until it takes at most `budgetBytes` in addition to its leaves, with as little recomputation as
 * possible.
 * @throws LimitError, with the smallest size that was reached, if no recomputation makes it fit
 */
export function fitMemory(first: Planned, budgetBytes: number, plan: (roots: readonly Value[]) => Planned): Planned {
  if (peakBytes(first) <= budgetBytes) return first;
  const turn = turnOf(first);
  let [best, segments] = [first, [] as Segment[]];
  for (let count = 1; count <= 64; count *= 2) {
    const tried = segmentsOf(turn, count);
    const planned = plan(withSegments(first, turn, tried));
    if (peakBytes(planned) < peakBytes(best)) [best, segments] = [planned, tried];
  }
  if (peakBytes(best) > budgetBytes) {
    throw new LimitError(
      'compile',
      `the function takes ${peakBytes(first)} bytes in addition to its arguments, and at least ${peakBytes(best)} with recomputation; its budget is ${budgetBytes}. Raise memoryBudgetBytes or use a smaller batch.`,
    );
  }
  // Fewer segments, as long as it fits: the last ones are needed again soonest, so they gain least.
  for (let [low, high] = [0, segments.length]; high - low > 1; ) {
    const middle = (low + high) >> 1;
    const planned = plan(withSegments(first, turn, segments.slice(0, middle)));
    if (peakBytes(planned) > budgetBytes) low = middle;
    else [best, high] = [planned, middle];
  }
  return best;
}

/** The bytes that a plan takes in addition to its leaves: temporaries, results and packs. */
export function peakBytes({ memory }: Planned): number {
  const slots = new Set([...memory.places.values()].map(({ slot }) => slot));
  let bytes = memory.arenaBytes;
  for (const slot of slots) if (slot.kind === 'result' || slot.kind === 'pack') bytes += slot.sizeBytes;
  return bytes;
}

/** Temporaries of one stretch of the way to the turn, which can be made again from those before it. */
interface Segment {
  readonly made: ReadonlySet<Value>;
  /** What has to be there before they are made again. */
  readonly wait: Value;
}

type Turn = ReturnType<typeof turnOf>;

/** Where a program takes most memory, and what is carried over that moment. */
function turnOf({ fused: { groups }, memory }: Planned) {
  const { made, reads } = usesOf(groups);
  // Those that live within the call only.
  const temporary = new Set([...made.keys()].filter((value) => memory.places.get(value)?.slot.kind === 'arena'));
  const last = (value: Value) => reads.get(value)?.at(-1) ?? made.get(value)!;
  const { at } = busiest(
    [...temporary].map((value) => ({ first: made.get(value)!, last: last(value), sizeBytes: bytesOf(value) })),
  );
  // Temporaries that are made before the turn and read after it.
  const waiting = [...temporary].filter((value) => made.get(value)! < at && last(value) > at);
  return { groups, at, made, reads, temporary, waiting };
}

/** Cuts the way to the turn into about so many segments of equal memory, each where least is carried on. */
function segmentsOf({ groups, at, made, reads, temporary, waiting }: Turn, count: number): Segment[] {
  // When a value is last read on the way there.
  const carriedOn = (value: Value) => reads.get(value)?.findLast((i) => i <= at) ?? -1;
  const [carried, kept] = [new Array<number>(at + 1).fill(0), new Array<number>(at + 2).fill(0)];
  for (const value of temporary) {
    for (let i = made.get(value)!; i < carriedOn(value); i++) carried[i]! += bytesOf(value);
  }
  for (const value of waiting) kept[made.get(value)!]! += bytesOf(value);
  const size = kept.reduce((sum, bytes) => sum + bytes, 0) / count;

  const segments: Segment[] = [];
  for (let start = 0; start <= at; ) {
    let [end, bytes] = [start, kept[start]!];
    while (bytes < size && end < at) bytes += kept[++end]!;
    // As far again as half a segment, for a better place to cut.
    for (let [i, more] = [end, 0]; i <= at && more <= size / 2; more += kept[++i]!) {
      if (carried[i]! < carried[end]!) end = i;
    }
    const within = (value: Value) => made.get(value)! >= start && made.get(value)! <= end && carriedOn(value) <= end;
    const segment = new Set([...temporary].filter(within));
    const needed = waiting.flatMap((value) => (segment.has(value) ? reads.get(value)!.filter((i) => i > at) : []));
    // What is needed again at once is kept. A kernel whose results nobody reads stores none that could be waited for.
    const between = groups.slice(at + 1, Math.min(...needed)).filter(({ kind }) => kind !== 'pack');
    const wait = between.flatMap(({ stored }) => [...stored]).at(-1);
    if (needed.length > 0 && wait) segments.push({ made: segment, wait });
    start = end + 1;
  }
  return segments;
}

/** The graph in which everything after the turn reads copies of what the segments made, computed from what they keep. */
function withSegments({ roots }: Planned, turn: Turn, segments: readonly Segment[]): Value[] {
  const { groups, at, made, waiting } = turn;
  const replaced = new Map<Value, Value>();
  const now = (value: Value) => replaced.get(value) ?? value;
  const segmentOf = new Map<Value, Segment>();
  for (const segment of segments) {
    for (const value of waiting) if (segment.made.has(value)) segmentOf.set(value, segment);
  }
  const copies = new Map(segments.map((segment) => [segment, new Map<Value, Value>()]));
  const copy = (value: Value, segment: Segment): Value => {
    const known = copies.get(segment)!;
    const { op, inputs, attributes, outputs } = value.node;
    if (value.operand || known.has(value)) return known.get(value) ?? value;
    const keeps = op.kind === 'leaf' || (made.has(value) && !segment.made.has(value));
    const again = () => inputs.map((input) => copy(input, segment));
    const fresh = keeps ? apply(barrier.op, [value, now(segment.wait)]) : apply(op, again(), attributes);
    for (const [i, output] of (keeps ? [value] : outputs).entries()) known.set(output, fresh[i]!);
    return known.get(value)!;
  };

  const seen = new Set<Value>();
  const early = (value: Value) => (made.get(value) ?? Number.POSITIVE_INFINITY) <= at;
  for (const targets of [...groups.slice(at + 1).map(({ members }) => members), roots]) {
    for (const node of topologicalOrder(targets, (x) => seen.has(x) || early(x))) {
      for (const input of node.inputs) {
        const segment = segmentOf.get(input);
        if (segment) replaced.set(input, copy(input, segment));
      }
      for (const output of node.outputs) seen.add(output);
      reapply(node, replaced);
    }
  }
  return roots.map(now);
}
