// How far a replayed segment ends from where the worker says that it ended, where rounding differs: on another adapter, or with
// another version. The distance is measured against how far the segment moved, so that it has no unit: training on other data, or
// not at all, is about as far off as the whole way; rounding is not.
import { type FileContent, memoryStore } from '@paris/files';
import { type HostTensor, readSafetensors } from '@paris/files/safetensors';

/**
 * The drift that is still taken for rounding. Calibrated: see `calibrate.long.testing.ts`, whose figures are in docs/prove.md.
 */
export const defaultTolerance = 0.01;

/** Tensors by path: a whole state, or weights. */
export type Tensors = { readonly [path: string]: HostTensor };

/** The state in the bytes of a checkpoint. */
export async function tensorsOf(content: FileContent): Promise<Tensors> {
  const memory = memoryStore();
  await memory.write('state', content);
  return readSafetensors(memory, 'state');
}

/**
 * ‖replayed − claimed‖ / ‖claimed − before‖, the largest over parameters, averages and each of the optimizer's moments. Infinity
 * if a number is not finite, or tensors are missing.
 */
export function driftOf(before: Tensors, claimed: Tensors, replayed: Tensors): number {
  const groups = new Map<string, { apart: number; moved: number; size: number }>();
  if (Object.keys(claimed).length !== Object.keys(replayed).length) return Number.POSITIVE_INFINITY;
  for (const [path, { data: own }] of Object.entries(replayed)) {
    const theirs = claimed[path]?.data;
    const start = before[path]?.data;
    if (theirs?.length !== own.length || start?.length !== own.length) return Number.POSITIVE_INFINITY;
    const group = groups.get(groupOf(path)) ?? { apart: 0, moved: 0, size: 0 };
    for (let i = 0; i < own.length; i++) {
      const value = Number(theirs[i]);
      group.apart += (Number(own[i]) - value) ** 2;
      group.moved += (value - Number(start[i])) ** 2;
      group.size += value ** 2;
    }
    groups.set(groupOf(path), group);
  }
  return Math.max(0, ...[...groups.values()].map(relative));
}

function relative({ apart, moved, size }: { apart: number; moved: number; size: number }): number {
  if (apart === 0) return 0;
  const drift = Math.sqrt(apart / (moved > 0 ? moved : size));
  return Number.isNaN(drift) ? Number.POSITIVE_INFINITY : drift;
}

/** `train.optimizer.m`, `train.params`, `average`, `moreAverages.0`: what is measured together. */
function groupOf(path: string): string {
  const segments = path.split('.');
  if (segments[0] === 'train') return segments.slice(0, segments[1] === 'optimizer' ? 3 : 2).join('.');
  return segments.slice(0, segments[0] === 'moreAverages' ? 2 : 1).join('.');
}
