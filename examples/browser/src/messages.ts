// What the page asks the worker for, and what comes back.
import type { RgbImage } from '@paris/sampler';

export type Request =
  | { kind: 'open'; model: string }
  | { kind: 'sample'; prompt: string; seed: number; steps: number; routing: string; count: number }
  | { kind: 'train'; steps: number }
  | { kind: 'stop' };

export type Reply =
  | { kind: 'ready'; adapter: string; experts: number }
  /** After every step: the pictures as they look now and, by picture, the experts' weights at this step. */
  | { kind: 'step'; step: number; steps: number; images: readonly RgbImage[]; weights: readonly (readonly number[])[] }
  | { kind: 'drawings'; images: readonly RgbImage[] }
  /** The loss of every step so far. */
  | { kind: 'loss'; losses: readonly number[]; steps: number }
  /** The request is done; a training shows what its expert draws. */
  | { kind: 'done'; seconds: number; images: readonly RgbImage[] }
  | { kind: 'stopped' }
  | { kind: 'failed'; message: string };
