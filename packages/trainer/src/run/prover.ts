// Keeps the states of a run that its chain lists, and writes the chain at the end.
import type { FileStore } from '@paris/files';
import { RunError } from '../errors.js';
import { chainOf, STATES_FILE, statePath, stateSchema, stateSteps, writeChain } from './chain.js';
import { hashFile, type SavedCheckpoint, writeHashed } from './checkpoint.js';
import { appendLines, linesOf } from './lines.js';
import type { Position } from './progress.js';
import type { RunRecord } from './record.js';
import type { TrainingJob } from './run.js';

/** Steps between two states that are kept for a proof; without it a run keeps no chain. */
export interface Proving {
  readonly proveEvery?: number | undefined;
}

/** @throws RunError if the run in the folder keeps another chain, or none: one cannot begin in the middle */
export function assertSameProof({ proof }: RunRecord, { proveEvery }: Proving, name: string): void {
  if (proveEvery === undefined || proveEvery === proof?.every) return;
  const was = proof ? `every ${proof.every} steps` : 'no states';
  const what = `${name} keeps ${was} for a proof, and ${proveEvery} were asked for`;
  throw new RunError('train', `${what}. Use the old value, or --fresh to start again.`);
}

export class Prover<State> {
  private readonly every: number;

  private constructor(
    private readonly job: TrainingJob<State>,
    private readonly record: RunRecord,
    private readonly store: FileStore,
    private readonly mayLengthen: boolean,
  ) {
    this.every = record.proof!.every;
  }

  /** Undefined for a run that keeps no chain. */
  static of<State>(
    job: TrainingJob<State>,
    record: RunRecord,
    store: FileStore,
    { mayLengthen = false }: { readonly mayLengthen?: boolean | undefined },
  ): Prover<State> | undefined {
    return record.proof && new Prover(job, record, store, mayLengthen);
  }

  /** Keeps the state after a step, if it is one of the chain. That of the last step is one only of a run that is lengthened. */
  async note({ state, step }: Position<State>): Promise<void> {
    if (step % this.every !== 0 || (step === this.job.steps && !this.mayLengthen)) return;
    const written = await writeHashed(this.store, statePath(step), await this.job.snapshot(state));
    await appendLines(this.store, STATES_FILE, [{ step, ...written }]);
  }

  /** Writes the chain of the run, whose record has its result, and notes its root there. */
  async finish(): Promise<void> {
    const { record, store, every } = this;
    const states = await this.states(stateSteps(every, this.job.steps));
    const chain = await chainOf(record, every, states);
    await writeChain(store, chain);
    record.proof = { every, root: chain.root };
  }

  /** From the lines; where a power cut took one, from the file itself. */
  private async states(steps: readonly number[]): Promise<SavedCheckpoint[]> {
    const lines = new Map((await linesOf(this.store, STATES_FILE, stateSchema)).map((line) => [line.step, line]));
    const found: SavedCheckpoint[] = [];
    for (const step of steps) {
      if (!(await this.store.exists(statePath(step)))) {
        const what = `${statePath(step)}, a state that the proof of this run needs, is missing`;
        throw new RunError('train', `${what}. Train it from the start with --fresh.`);
      }
      found.push(lines.get(step) ?? { step, ...(await hashFile(this.store, statePath(step))) });
    }
    return found;
  }
}
