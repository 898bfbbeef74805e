// What the training page asks its worker for, and what comes back.
import type { RgbImage } from '@paris/sampler';

export type Request =
  | { kind: 'open'; device: 'webgpu' | undefined }
  | { kind: 'train'; steps: number }
  | { kind: 'stop' };

export type Reply =
  | { kind: 'ready'; adapter: string; drawings: readonly RgbImage[] }
  /** The loss of every step so far. */
  | { kind: 'loss'; losses: readonly number[]; steps: number }
  /** What the trained expert draws. */
  | { kind: 'done'; seconds: number; images: readonly RgbImage[] }
  | { kind: 'stopped' }
  | { kind: 'failed'; message: string };
