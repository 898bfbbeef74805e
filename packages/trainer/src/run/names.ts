// The folder of a run, by what it trains.
import type { RunIdentity } from './record.js';

/** The name of the router's run. */
export const ROUTER_RUN = 'router';
/** The name of a student's run. */
export const STUDENT_RUN = 'student';

/** `expert-03`: the name of a run. */
export function expertRunName(cluster: number): string {
  return `expert-${String(cluster).padStart(2, '0')}`;
}

/** The name of the run of any kind. */
export function runNameOf({ kind, cluster = 0 }: Pick<RunIdentity, 'kind' | 'cluster'>): string {
  return { expert: expertRunName(cluster), router: ROUTER_RUN, student: STUDENT_RUN }[kind];
}
