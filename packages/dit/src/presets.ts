import type { DiTConfig } from './config.js';

/** The released checkpoints' setting: 32×32×4 latents of a 256 px picture, CLIP ViT-L/14 text of width 768. */
function latentDiT(size: Pick<DiTConfig, 'hiddenSize' | 'depth' | 'heads'>): DiTConfig {
  return {
    objective: { prediction: 'velocity', path: 'linear' },
    inputSize: 32,
    channels: 4,
    patchSize: 2,
    ...size,
    mlpRatio: 4,
    modulation: 'single',
    textProjection: 'linear',
    learnSigma: false,
    condition: { kind: 'embeddings', width: 768 },
    timeScale: 1000,
    timeRounding: 'none',
    layerNormEps: 1e-5,
  };
}

/**
 * The sizes of Peebles and Xie 2022, table 1 (https://arxiv.org/abs/2212.09748), in the block layout of the released
 * XL/2 expert. Paris was also studied at B/2, with experts of another, unpublished layout: `dit-b-2` is not that one.
 */
export const ditPresets: {
  /** 605,970,448 parameters: the released expert. */
  readonly 'dit-xl-2': DiTConfig;
  readonly 'dit-l-2': DiTConfig;
  readonly 'dit-b-2': DiTConfig;
  readonly 'dit-s-2': DiTConfig;
} = {
  /** 605,970,448 parameters: the released expert. */
  'dit-xl-2': latentDiT({ hiddenSize: 1152, depth: 28, heads: 16 }),
  'dit-l-2': latentDiT({ hiddenSize: 1024, depth: 24, heads: 16 }),
  'dit-b-2': latentDiT({ hiddenSize: 768, depth: 12, heads: 12 }),
  'dit-s-2': latentDiT({ hiddenSize: 384, depth: 12, heads: 6 }),
} as const satisfies Record<string, DiTConfig>;
