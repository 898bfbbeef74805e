// What a training tells whoever watches: a progress bar, a log, a parent process, a page.

/** One line of `metrics.jsonl`. */
export interface StepMetrics {
  /** Steps done, from 1. */
  step: number;
  loss: number;
  /** Share of the batch that the router labelled right; experts have none. */
  accuracy?: number | undefined;
}

/** One event of a training, from `start` to `finished`; `step` counts the steps done. */
export type TrainEvent =
  | { type: 'start'; step: number; steps: number; parameters: number; count: number }
  | {
      type: 'progress';
      step: number;
      steps: number;
      /** Mean over the steps since the last event. */
      loss: number;
      accuracy?: number | undefined;
      imagesPerSecond: number;
      /** Absent until steps have been made at a steady speed, some after shaders were compiled. */
      secondsLeft?: number | undefined;
    }
  | { type: 'checkpoint'; step: number }
  | { type: 'notice'; message: string }
  | { type: 'finished'; step: number; steps: number; alreadyDone: boolean; seconds: number; sha256: string };

/** Called with each event as it happens; a promise is not waited for. */
export type OnTrainEvent = (event: TrainEvent) => void;
