// A training without a GPU: it multiplies a number, so that every state and every file can be predicted.
import { CheckpointError } from '@paris/tensor';
import type { TrainingJob } from './run.js';

export const steps = 10;

const text = (value: string) => new TextEncoder().encode(value);

export interface State {
  value: number;
}

/** x ← 3x + step (mod 1009); dies after `dieAfter` steps of this process, as a killed process does. */
export function counter(
  options: { dieAfter?: number; loss?: (step: number) => number; steps?: number } = {},
): TrainingJob<State> {
  let left = options.dieAfter ?? Number.POSITIVE_INFINITY;
  return {
    steps: options.steps ?? steps,
    batchSize: 4,
    parameters: 1,
    start: async () => ({ value: 1 }),
    restore: async (store, path) => {
      const value = Number(new TextDecoder().decode(await store.read(path)));
      if (Number.isNaN(value)) throw new CheckpointError('test', 'not a number');
      return { value };
    },
    advance: async ({ value }, step) => {
      if (left-- === 0) throw new Error('killed');
      const next = (3 * value + step) % 1009;
      return { state: { value: next }, values: async () => ({ loss: options.loss?.(step) ?? next }) };
    },
    snapshot: async ({ value }) => text(String(value)),
    weights: async ({ value }) => text(`weights ${value}`),
    release: () => undefined,
  };
}
