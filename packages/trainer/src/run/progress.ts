// What of a run is reported and on disk, and what is not yet: values of several steps are read from the device at once.
import type { FileStore } from '@paris/files';
import { DivergedError } from '../errors.js';
import { mean } from '../mean.js';
import type { OnTrainEvent, StepMetrics } from './events.js';
import type { RunLog } from './log.js';
import { appendMetrics } from './metrics.js';
import { Pace } from './pace.js';
import type { TrainingJob } from './run.js';
import type { Saver } from './saver.js';

/** A training's state after some steps. */
export interface Position<State> {
  state: State;
  step: number;
}

/** How often a training is saved. */
export interface Saving {
  /** Steps between checkpoints. */
  readonly checkpointEvery?: number | undefined;
  /** Minutes between checkpoints. */
  readonly checkpointMinutes?: number | undefined;
}

/** Where a training is reported and saved. */
export interface Reported {
  readonly store: FileStore;
  readonly saver: Saver;
  readonly log: RunLog;
  readonly onEvent: OnTrainEvent | undefined;
  /** How long the steps of earlier processes took, if that is known. */
  readonly seconds: number | undefined;
}

export class Progress<State> {
  readonly pace: Pace;
  private readonly pending: { step: number; values: () => Promise<Omit<StepMetrics, 'step'>> }[] = [];
  private saved: number;

  constructor(
    private readonly job: TrainingJob<State>,
    private readonly at: Readonly<Position<State>>,
    private readonly to: Reported,
  ) {
    this.saved = at.step;
    this.pace = new Pace(job.steps, job.batchSize);
    this.pace.begin(at.step, to.seconds);
  }

  /** Takes what the step that was just made gives. */
  note(values: () => Promise<Omit<StepMetrics, 'step'>>): void {
    this.pending.push({ step: this.at.step, values });
  }

  /** Reports and saves what is due after a step. */
  async next({ checkpointEvery, checkpointMinutes = Number.POSITIVE_INFINITY }: Saving): Promise<void> {
    const { step } = this.at;
    const minutes = (performance.now() - this.to.saver.savedAtMs) / 60_000;
    const bySteps = checkpointEvery !== undefined && step % checkpointEvery === 0;
    if (bySteps || minutes >= checkpointMinutes) await this.save();
    else if (this.pace.isDue(this.pending.length) || step === this.job.steps) await this.report();
  }

  /**
   * Writes and reports the metrics of the steps since the last time.
   * @throws DivergedError if a loss is not finite; the lines of the steps before are written: they show how it came to that
   */
  async report(): Promise<void> {
    const { job, pending } = this;
    const { store, saver, log, onEvent } = this.to;
    const { step } = this.at;
    saver.check();
    const lines = await Promise.all(pending.splice(0).map(async (p) => ({ step: p.step, ...(await p.values()) })));
    if (lines.length === 0) return;
    const bad = lines.find((line) => !Number.isFinite(line.loss));
    await appendMetrics(store, bad ? lines.slice(0, lines.indexOf(bad)) : lines);
    if (bad) throw new DivergedError('train', `the loss of step ${bad.step} is ${bad.loss}. Lower the learning rate.`);
    const loss = mean(lines.map((line) => line.loss));
    const accuracies = lines.flatMap((line) => line.accuracy ?? []);
    const accuracy = accuracies.length > 0 && { accuracy: mean(accuracies) };
    await log.pace(step, step === job.steps);
    onEvent?.({ type: 'progress', step, steps: job.steps, loss, ...accuracy, ...this.pace.lap(step) });
  }

  /** Begins a checkpoint, and before it writes the metrics of its steps. */
  async save(): Promise<void> {
    await this.report();
    const { state, step } = this.at;
    if (this.saved === step) return;
    await this.to.saver.save(step, () => this.job.snapshot(state), this.pace.seconds);
    this.saved = step;
  }

  /** Whether a checkpoint is of the very last step that was made. */
  get isSaved(): boolean {
    return this.saved === this.at.step;
  }
}
