// Times out of the ledger: how long each task ran, and when, with the pauses between interrupted runs cut out.

import type { Timings } from '../report/types.js';
import type { TaskRecord } from '../run/ledger.js';

type Span = readonly [start: number, end: number];

export function summariseTimings(tasks: Readonly<Record<string, TaskRecord>>): Timings {
  const busy = union(Object.values(tasks).flatMap((task) => task.sessions));
  const at = (ms: number) => busy.reduce((sum, [start, end]) => sum + Math.max(0, Math.min(ms, end) - start), 0) / 1000;
  return {
    totalSeconds: at(Number.POSITIVE_INFINITY),
    interruptions: Math.max(1, ...Object.values(tasks).map((task) => task.sessions.length)) - 1,
    tasks: Object.entries(tasks).map(([id, { sessions }]) => ({
      id,
      label: id.replace(/^expert-0*(?=\d)/, 'expert '),
      seconds: sessions.reduce((sum, [start, end]) => sum + end - start, 0) / 1000,
      spans: sessions.map(([start, end]) => [at(start), at(end)] as const),
    })),
  };
}

/** Overlapping spans joined, in order. */
function union(spans: readonly Span[]): Span[] {
  const joined: [number, number][] = [];
  for (const [start, end] of [...spans].sort((a, b) => a[0] - b[0])) {
    const last = joined.at(-1);
    if (last && start <= last[1]) last[1] = Math.max(last[1], end);
    else joined.push([start, end]);
  }
  return joined;
}
