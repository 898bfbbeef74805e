// What looks at a training while it runs: the loss on held-out pictures, sample pictures. It reads the state and changes
// nothing of it, so the weights are the same with it and without it.
import type { FileStore } from '@paris/files';
import type { OnTrainEvent, TrainEvent } from './events.js';
import { appendLines, type StepLine } from './lines.js';

/** Losses on held-out pictures, a line for each step and noise level. */
export const VALIDATION_FILE = 'validation.jsonl';
/** Sample pictures, a line for each file of them. */
export const SAMPLES_FILE = 'samples.jsonl';
export const OBSERVED_FILES: readonly string[] = [VALIDATION_FILE, SAMPLES_FILE];

/** `State` is what it sees of a training. */
export interface Observer<State> {
  /** Steps between two looks. The last step of a run is looked at as well. */
  readonly every: number;
  /** Its file of JSON lines in the run's folder. */
  readonly file: string;
  /**
   * Looks at the state after a step, without changing it.
   * @param onProgress - called on the way, as a sign of life
   */
  look(state: State, step: number, onProgress: (done: number, total: number) => void): Promise<Observed>;
}

/** What a look found. */
export interface Observed {
  readonly lines: readonly StepLine[];
  /** Whole files, by path in the run's folder. */
  readonly files?: { readonly [path: string]: Uint8Array };
  readonly event: TrainEvent;
}

/** Lets those look whose turn it is after this step, and writes what they found. */
export async function observe<State>(
  observers: readonly Observer<State>[],
  { state, step, steps }: { state: State; step: number; steps: number },
  store: FileStore,
  onEvent: OnTrainEvent | undefined,
): Promise<void> {
  for (const { every, file, look } of observers) {
    if (step % every !== 0 && step !== steps) continue;
    const found = await look(state, step, (done, total) => onEvent?.({ type: 'observing', file, step, done, total }));
    for (const [path, bytes] of Object.entries(found.files ?? {})) await store.write(path, bytes);
    await appendLines(store, file, found.lines);
    onEvent?.(found.event);
  }
}
