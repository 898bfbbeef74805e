// When a training ends before its last step, and how: with a checkpoint of where it is, or, where there is no time to write one,
// with the one before.
import type { FileStore } from '@paris/files';
import { InterruptedError } from '../errors.js';
import { listCheckpoints } from './checkpoint.js';
import type { Position, Progress } from './progress.js';
import type { Saver } from './saver.js';

/** What ends a training early. */
export interface StopOptions {
  readonly signal?: AbortSignal | undefined;
  /** After so long it stops, with a checkpoint. */
  readonly maxHours?: number | undefined;
  /** Seconds from `signal` to the end of the process: a checkpoint that takes longer is not begun. Default: it is written. */
  readonly graceSeconds?: number | undefined;
}

/** Knows when the training is to stop, from its beginning on. */
export class Stopping {
  private readonly began = performance.now();
  private askedAt: number | undefined;

  constructor(
    private readonly options: StopOptions,
    private readonly saver: Saver,
  ) {
    const { signal } = options;
    if (signal?.aborted) this.note();
    else signal?.addEventListener('abort', this.note, { once: true });
  }

  private readonly note = () => {
    this.askedAt ??= performance.now();
  };

  /** Listens no more: a signal may live longer than the training. */
  [Symbol.dispose](): void {
    this.options.signal?.removeEventListener('abort', this.note);
  }

  get isDue(): boolean {
    return this.askedAt !== undefined || this.isLate;
  }

  /** Whether its hours are over once a checkpoint is written. */
  private get isLate(): boolean {
    const { maxHours = Number.POSITIVE_INFINITY } = this.options;
    const seconds = (performance.now() - this.began) / 1000 + (this.saver.expectedSeconds ?? 0);
    return seconds >= 3600 * maxHours;
  }

  /** Ends the training. @throws InterruptedError, always, unless a write failed */
  async end<State>(
    progress: Progress<State>,
    { step }: Position<State>,
    steps: number,
    store: FileStore,
  ): Promise<never> {
    const { graceSeconds = Number.POSITIVE_INFINITY } = this.options;
    const { expectedSeconds = 0 } = this.saver;
    const waited = this.askedAt === undefined ? 0 : (performance.now() - this.askedAt) / 1000;
    const fits = waited + expectedSeconds <= graceSeconds;
    if (fits || progress.isSaved || (await listCheckpoints(store)).length === 0) {
      await progress.save();
      await this.saver.settle();
      // Not how many: of a limit that began before the training, these are the rest.
      const why = this.askedAt === undefined ? ', since its hours are over' : '';
      throw new InterruptedError(
        'train',
        `stopped after step ${step} of ${steps}${why}; run the same command to resume.`,
      );
    }
    await progress.report();
    await this.saver.settle(); // what is being written is nearer to its end than to its beginning, and is kept whole or not at all
    const [last] = await listCheckpoints(store);
    const why = `a checkpoint takes about ${Math.ceil(expectedSeconds)} s, and ${graceSeconds} s are given`;
    const what = `stopped after step ${step} of ${steps}; ${why}`;
    throw new InterruptedError('train', `${what}. Run the same command to resume after step ${last}.`);
  }
}
