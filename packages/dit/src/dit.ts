// The DiT as an expert that pipelines and the trainer take.

import {
  type DefinedArchitecture,
  defineArchitecture,
  dropLearnedSigma,
  type Expert,
  type InputLimits,
} from '@paris/model';
import { initialiseParameters } from '@paris/tensor/nn';
import { type DiTConfig, parseDiTConfig } from './config.js';
import { ditForward } from './model.js';
import { type DiTParams, ditParameters } from './parameters.js';

/**
 * An expert that runs the DiT of this config. A learned sigma is split off.
 * @example
 * const expert = createDiT({ ...ditPresets['dit-s-2'], inputSize: 16 });
 * const velocity = expert.apply(expert.init(key(0)), { latents, time, condition });
 */
export function createDiT(config: DiTConfig): Expert<DiTParams> {
  const { channels, inputSize, condition } = config;
  const expert: Expert<DiTParams> & InputLimits = {
    objective: config.objective,
    latent: { channels, height: inputSize, width: inputSize },
    ...(condition.kind === 'tokens' && { tokenIds: condition.vocabulary }),
    init: (key) => initialiseParameters<DiTParams>(ditParameters(config), key),
    apply: (params, input) => ditForward(config, params, input),
  };
  return config.learnSigma ? dropLearnedSigma(expert) : expert;
}

/** The architecture named `dit` in an expert's config.json. */
export const dit: DefinedArchitecture<DiTConfig, Expert<DiTParams>, Expert> = defineArchitecture({
  architecture: 'dit',
  parseConfig: parseDiTConfig,
  create: createDiT,
});
