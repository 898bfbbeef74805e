// Saves a training while it continues: the state is copied to the host, and the copy is written in the background. There is one
// copy at a time, so the next one waits until the last is written.
import type { FileContent, FileStore } from '@paris/files';
import { writeCheckpoint } from './checkpoint.js';
import type { OnTrainEvent } from './events.js';
import type { RunLog } from './log.js';
import { type RunCheckpoint, type RunRecord, writeRun } from './record.js';

/** A small checkpoint is waited for: the training loses less by it than by two things at a time. */
const patienceMs = 200;

/** Without a measurement: what disks of today write at least. */
const assumedBytesPerSecond = 100e6;

export class Saver {
  /** When the last copy was taken. */
  savedAtMs: number = performance.now();
  private writing: Promise<void> = Promise.resolve();
  private failure: { error: unknown } | undefined;
  private last: { sizeBytes: number; seconds: number } | undefined;

  constructor(
    private readonly store: FileStore,
    private readonly record: RunRecord,
    private readonly log: RunLog,
    private readonly onEvent: OnTrainEvent | undefined,
  ) {
    const [known] = record.checkpoints ?? [];
    if (known) this.last = { sizeBytes: known.sizeBytes, seconds: known.sizeBytes / assumedBytesPerSecond };
  }

  /** Seconds that the next checkpoint is expected to take; undefined before the first one of the run. */
  get expectedSeconds(): number | undefined {
    return this.last?.seconds;
  }

  /**
   * Takes a copy and begins to write it, after the one before.
   * @param trainedSeconds - how long the steps took, if that is known
   * @throws what the write before failed with; what this one fails with, if that is soon
   */
  async save(step: number, copy: () => Promise<FileContent>, trainedSeconds?: number): Promise<void> {
    await this.settle();
    const began = performance.now();
    this.savedAtMs = began;
    const content = await copy();
    this.writing = this.write(step, content, began, trainedSeconds).catch((error: unknown) => {
      this.failure = { error };
    });
    await orAfter(patienceMs, this.writing);
    this.check();
  }

  /** Waits until all is written. @throws what a write failed with */
  async settle(): Promise<void> {
    await this.writing;
    this.check();
  }

  /** @throws what a write in the background has failed with */
  check(): void {
    if (!this.failure) return;
    const { error } = this.failure;
    this.failure = undefined;
    throw error;
  }

  /** Waits until nothing is written any more, and leaves failures to those who asked for the work. */
  async end(): Promise<void> {
    await this.writing;
  }

  private async write(step: number, content: FileContent, began: number, trainedSeconds?: number): Promise<void> {
    const saved = await writeCheckpoint(this.store, step, content);
    const noted = { ...saved, ...(trainedSeconds !== undefined && { seconds: trainedSeconds }) };
    this.record.checkpoints = newest(noted, this.record.checkpoints);
    await writeRun(this.store, this.record);
    const seconds = (performance.now() - began) / 1000;
    this.last = { sizeBytes: saved.sizeBytes, seconds };
    await this.log.checkpoint(step, saved.sizeBytes, seconds);
    this.onEvent?.({ type: 'checkpoint', step, sizeBytes: saved.sizeBytes, seconds });
  }
}

/** The new one and the one before, as they are on the disk. */
function newest(saved: RunCheckpoint, known: readonly RunCheckpoint[] = []): RunCheckpoint[] {
  return [saved, ...known.filter(({ step }) => step < saved.step).slice(0, 1)];
}

async function orAfter(ms: number, work: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const waited = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, waited]);
  clearTimeout(timer);
}
