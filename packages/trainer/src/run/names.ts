// The folder of a run, by what it trains, and a file in it.
import type { RunIdentity } from './record.js';

/** The name of the router's run. */
export const ROUTER_RUN = 'router';
/** The name of a student's run. */
export const STUDENT_RUN = 'student';
/** The name of a codec's run. */
export const CODEC_RUN = 'codec';
/** A run's copy of the table that chose its kernels. */
export const TUNING_FILE = 'tuning.json';

/** `expert-03`: the name of a run. */
export function expertRunName(cluster: number): string {
  return `expert-${String(cluster).padStart(2, '0')}`;
}

/** The name of the run of any kind. */
export function runNameOf({ kind, cluster = 0 }: Pick<RunIdentity, 'kind' | 'cluster'>): string {
  return { expert: expertRunName(cluster), router: ROUTER_RUN, student: STUDENT_RUN, codec: CODEC_RUN }[kind];
}
