import { key, type Tensor, ValueError, zeros } from '@paris/tensor';
import { expect, it } from 'vitest';
import { type AnyRouterArchitecture, defineRouter, type Router, routerTransformer } from './index.js';

const prior = defineRouter({
  architecture: 'prior',
  parseConfig: (json: unknown) => json as { clusters: number },
  create: ({ clusters }): Router<{ readonly logits: Tensor }> => ({
    clusters,
    init: () => ({ logits: zeros([1, clusters]) }),
    logits: (params, { latents }) => params.logits.expand([latents.shape[0]!, clusters]),
  }),
});

it('architectures of different parameter types stand in one list', () => {
  const architectures: readonly AnyRouterArchitecture[] = [routerTransformer, prior];
  const router = architectures[1]!.fromConfig({ clusters: 3 });
  const latents = zeros([2, 3, 4, 4]);
  expect(router.logits(router.init(key(0)), { latents, time: zeros([2]) }).shape).toEqual([2, 3]);
});

it('a name must be able to stand in config.json', () => {
  expect(() => defineRouter({ ...prior, architecture: '' })).toThrow(ValueError);
});
