// Between the page and the worker that draws in this browser.
import type { DrawRequest, Finished, ModelInfo, Step } from './engine.js';

/** A folder's address, or its files by path. */
export type ModelSource = { readonly url: string } | { readonly files: ReadonlyMap<string, File> };

/** How a model lies in memory. */
export interface ModelMemory {
  readonly weights: 'f32' | 'f16' | 'q8' | 'q4';
  /** Most bytes that weights take: experts come and go. Undefined: all of them stay. */
  readonly mostBytes: number | undefined;
}

/** On what to compute, where it is not to be chosen: any adapter of WebGPU, a GPU, or the CPU. */
export type DeviceKind = 'webgpu' | 'gpu' | 'cpu';

export type Request =
  | { kind: 'open'; source: ModelSource; memory: ModelMemory; device: DeviceKind | undefined }
  | { kind: 'draw'; id: number; request: DrawRequest }
  | { kind: 'stop'; id: number };

export type Reply =
  | { kind: 'loading'; loadedBytes: number; totalBytes: number }
  | { kind: 'ready'; model: Omit<ModelInfo, 'name'> }
  | { kind: 'refused'; message: string }
  | { kind: 'step'; id: number; step: Step }
  | { kind: 'finished'; id: number; finished: Finished }
  | { kind: 'done'; id: number }
  | { kind: 'failed'; id: number; message: string; isDeviceLost: boolean };
