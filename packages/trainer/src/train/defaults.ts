// What is trained where nothing else is said.
import type { Objective } from '@paris/model';

/** The size of a transformer over pictures. */
export interface TransformerSize {
  /** Edge length of a patch in pixels. */
  patch: number;
  /** Channels of the transformer. */
  width: number;
  /** Blocks. */
  depth: number;
  /** Attention heads. */
  heads: number;
}

/** Small enough to train in minutes without a GPU: about 0.2 million parameters. */
export const defaultSize: TransformerSize = { patch: 4, width: 64, depth: 3, heads: 4 };

/** What the released experts predict: flow matching on the straight path. */
export const defaultObjective: Objective = { prediction: 'velocity', path: 'linear' };
