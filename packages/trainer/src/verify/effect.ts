// Whether an expert did the steps that it says: how far its weights moved from the initial ones, and how much it learned, against what
// is expected of so many steps by the other experts of the model that were trained alike. Clusters differ in how much there is to
// learn, so the loss says little of the steps alone; the distance is nearly the same in all of them.
import type { HostTensor } from '@paris/files/safetensors';
import { differenceOf, type RunRecord } from '../run/record.js';

/** What training did to an expert, or is expected to do. */
export interface TrainingEffect {
  /** Root of the mean square of its weights' distances from the initial ones. */
  readonly moved: number;
  /** ln(loss of the initial weights / its own), on held-out pictures of its cluster. Absent where that was not measured. */
  readonly learned?: number | undefined;
}

/** What is expected of an expert, from those that were trained alike. */
export interface ExpectedEffect extends TrainingEffect {
  /** How many those are. */
  readonly experts: number;
  /** Their steps. */
  readonly steps: number;
}

/** Nothing is expected from fewer experts. */
const fewest = 2;

/**
 * For each expert the medians of the others that had the same options but for the seed; undefined with fewer than two, or for weights
 * that started from a file.
 */
export function expectedEffects(
  experts: readonly { readonly record: RunRecord; readonly effect: TrainingEffect | undefined }[],
): (ExpectedEffect | undefined)[] {
  return experts.map(({ record }, k) => {
    const steps = record.options.steps;
    if (record.options.initial !== null || typeof steps !== 'number') return undefined;
    const effects = experts.flatMap(({ record: other, effect }, j) =>
      j !== k && effect && isAlike(record, other) ? [effect] : [],
    );
    if (effects.length < fewest) return undefined;
    const learned = effects.flatMap((effect) => effect.learned ?? []);
    return {
      ...{ experts: effects.length, steps, moved: median(effects.map(({ moved }) => moved)) },
      ...(learned.length >= fewest && { learned: median(learned) }),
    };
  });
}

/** Root of the mean square of the differences of all numbers. */
export function distance(
  a: { readonly [path: string]: HostTensor },
  b: { readonly [path: string]: ArrayLike<number> },
): number {
  let [sum, count] = [0, 0];
  for (const [path, { data }] of Object.entries(a)) {
    const other = b[path]!;
    for (let i = 0; i < data.length; i++) sum += (Number(data[i]) - other[i]!) ** 2;
    count += data.length;
  }
  return Math.sqrt(sum / count);
}

function isAlike(a: RunRecord, b: RunRecord): boolean {
  const of = ({ kind, options }: RunRecord) => ({
    kind,
    options: { ...options, seed: 0 },
    data: { sha256: '', count: 0 },
  });
  return differenceOf(of(a), of(b)) === undefined;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
