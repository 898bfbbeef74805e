// From the few numbers of a command line to the config.json of the built-in architectures.
import type { Objective } from '@paris/model';
import type { ConfigFor } from './expert.js';
import type { TrainRouterOptions } from './router.js';

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

/** A DiT in pixel space that is conditioned on words. */
export function ditConfig(size: TransformerSize, objective: Objective = defaultObjective): ConfigFor {
  return (data) => ({
    objective: { ...objective },
    inputSize: data.size,
    channels: data.channels,
    patchSize: size.patch,
    hiddenSize: size.width,
    depth: size.depth,
    heads: size.heads,
    condition: { kind: 'tokens', vocabulary: data.vocabulary, maxTokens: data.maxTokens, width: size.width },
  });
}

/** A router transformer of this size. */
export function routerConfig(size: TransformerSize): TrainRouterOptions['config'] {
  return (data) => ({
    clusters: data.clusters,
    inputSize: data.size,
    channels: data.channels,
    patchSize: size.patch,
    hiddenSize: size.width,
    depth: size.depth,
    heads: size.heads,
  });
}
