// The events of a training, for anyone who watches: a progress bar, a log, a parent process, a page.

/** One line of `metrics.jsonl`. */
export interface StepMetrics {
  /** Steps done, from 1. */
  step: number;
  loss: number;
  /** Share of the batch that the router labelled right; experts have none. */
  accuracy?: number | undefined;
  /** Global norm of the gradient before it is clipped; absent where it is not finite. */
  gradientNorm?: number | undefined;
  /** The rate of the step. */
  learningRate?: number | undefined;
  /** Pictures of the batch that are others than those whose turn it was, whose file is damaged; absent where there is none. */
  replaced?: number | undefined;
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
  /** A checkpoint is on the disk; `seconds` from its copy to its last byte. The next one takes about as long. */
  | { type: 'checkpoint'; step: number; sizeBytes: number; seconds: number }
  /** Held-out pictures are measured, or samples drawn; `file` is where that is written. */
  | { type: 'observing'; file: string; step: number; done: number; total: number }
  /** The mean loss on held-out pictures, over noise levels. */
  | { type: 'validation'; step: number; loss: number; accuracy?: number | undefined }
  /** A file of sample pictures in the run's folder. */
  | { type: 'samples'; step: number; file: string }
  | { type: 'notice'; message: string }
  | { type: 'finished'; step: number; steps: number; alreadyDone: boolean; seconds: number; sha256: string };

/** Called with each event as it happens; a returned promise is not awaited. */
export type OnTrainEvent = (event: TrainEvent) => void;
