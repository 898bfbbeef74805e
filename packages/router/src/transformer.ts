// The router transformer as a router that pipelines and the trainer take.

import { type DefinedArchitecture, defineArchitecture, type InputLimits, type Router } from '@paris/model';
import { initialiseParameters } from '@paris/tensor/nn';
import { parseRouterConfig, type RouterConfig } from './config.js';
import { routerForward } from './model.js';
import { type RouterParams, routerParameters } from './parameters.js';

/**
 * A router that runs the transformer of this config.
 * @example
 * const router = createRouter({ ...routerPresets['router-b-2'], clusters: 4 });
 * const logits = router.logits(router.init(key(0)), { latents, time });
 */
export function createRouter(config: RouterConfig): Router<RouterParams> & InputLimits {
  const { clusters, channels, inputSize, condition } = config;
  return {
    clusters,
    latent: { channels, height: inputSize, width: inputSize },
    ...(condition?.kind === 'tokens' && { tokenIds: condition.vocabulary }),
    init: (key) => initialiseParameters<RouterParams>(routerParameters(config), key),
    logits: (params, input) => routerForward(config, params, input),
  };
}

/** The architecture named `router-transformer` in a router's config.json. */
export const routerTransformer: DefinedArchitecture<RouterConfig, Router<RouterParams>, Router> = defineArchitecture({
  architecture: 'router-transformer',
  parseConfig: parseRouterConfig,
  create: createRouter,
});
