// Records that a training leaves out because the file that they are in is damaged. What is left out is part of what the training
// was: it is in run.json, and batches are a pure function of it and of the step.
import { CheckpointError } from '@paris/tensor';
import * as z from 'zod/mini';
import type { ShardFile } from './formats.js';

/** A damaged file of records, all of which are left out from some step on. */
export interface LostShard {
  /** In the folder of the data that is trained on: `images-00003.safetensors`. */
  file: string;
  /** Its records. */
  rows: number;
  /** The step, counted from 0, whose batch is the first without them. */
  fromStep: number;
}

/** What run.json and chain.json say of one. */
export const lostSchema: z.ZodMiniType<LostShard> = z.object({
  file: z.string(),
  rows: z.int().check(z.gte(1)),
  fromStep: z.int().check(z.gte(0)),
});

/** How many records are in lost files. */
export function lostCount(lost: readonly LostShard[] = []): number {
  return lost.reduce((sum, { rows }) => sum + rows, 0);
}

/** Which rows of a folder are lost at which step. */
export class LostRows {
  private readonly ranges: readonly { from: number; to: number; fromStep: number }[];

  /**
   * @param shards - the files of the folder, in the order of its rows
   * @throws CheckpointError if one that is lost is not among them, or twice
   */
  constructor(lost: readonly LostShard[] = [], shards: readonly ShardFile[] = []) {
    const starts = new Map<string, { from: number; rows: number }>();
    let from = 0;
    for (const { file, rows } of shards) {
      starts.set(file, { from, rows });
      from += rows;
    }
    this.ranges = lost.map(({ file, rows, fromStep }) => {
      const there = starts.get(file);
      starts.delete(file);
      if (there?.rows === rows) return { from: there.from, to: there.from + rows, fromStep };
      const what = `the run leaves out ${JSON.stringify(file)} with ${rows} pictures`;
      throw new CheckpointError(
        'train',
        `${what}, and its data has no such file. Give the data that it was trained on.`,
      );
    });
  }

  /** Which rows a step leaves out; undefined where it leaves out none. */
  at(step: number): LostAtStep | undefined {
    const ranges = this.ranges.filter(({ fromStep }) => fromStep <= step);
    if (ranges.length === 0) return undefined;
    return {
      files: ranges.map(({ from }) => from).join(),
      has: (row) => ranges.some(({ from, to }) => row >= from && row < to),
    };
  }
}

/** The rows that a step leaves out. */
export interface LostAtStep {
  /** The first rows of the files that are lost: the same text means the same rows. */
  readonly files: string;
  /** Whether this row is lost. */
  has(row: number): boolean;
}
