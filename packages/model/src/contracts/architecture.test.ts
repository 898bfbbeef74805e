import { key, type Tensor, zeros } from '@paris/tensor';
import { saidBy } from '@paris/test-tools/said';
import { expect, it } from 'vitest';
import { type Architecture, defineArchitecture, type Expert, findArchitecture, type Router } from '../index.js';

interface ScaleParams {
  readonly scale: Tensor;
}
const scale = defineArchitecture({
  architecture: 'scale',
  parseConfig: (json: unknown) => json as { channels: number },
  create: ({ channels }): Expert<ScaleParams> => ({
    objective: { prediction: 'sample', path: 'linear' },
    init: () => ({ scale: zeros([1, channels, 1, 1]) }),
    apply: (params, { latents }) => latents.mul(params.scale),
  }),
});
const still = defineArchitecture({
  architecture: 'still',
  parseConfig: () => ({}),
  create: (): Expert<readonly Tensor[]> => ({
    objective: { prediction: 'velocity', path: 'linear' },
    init: () => [],
    apply: (_, { latents }) => latents.mul(0),
  }),
});
const prior = defineArchitecture({
  architecture: 'prior',
  parseConfig: (json: unknown) => json as { clusters: number },
  create: ({ clusters }): Router<{ readonly logits: Tensor }> => ({
    clusters,
    init: () => ({ logits: zeros([1, clusters]) }),
    logits: (params, { latents }) => params.logits.expand([latents.shape[0]!, clusters]),
  }),
});
const origin = { tag: 'load', path: 'experts/00/config.json', fix: 'Give yours.' };
const latents = zeros([2, 3, 4, 4]);

it('architectures of different parameter types are in one list, and found by the name in config.json', () => {
  const architectures: readonly Architecture<Expert>[] = [scale, still];
  const json = { architecture: 'scale', channels: 3 };
  const expert = findArchitecture(json, architectures, origin).fromConfig(json);
  expect(expert.objective.prediction).toBe('sample');
  expect(expert.apply(expert.init(key(0)), { latents, time: zeros([2]) }).shape).toEqual([2, 3, 4, 4]);
});

it('routers are made the same way', () => {
  const architectures: readonly Architecture<Router>[] = [prior];
  const router = architectures[0]!.fromConfig({ clusters: 3 });
  expect(router.logits(router.init(key(0)), { latents, time: zeros([2]) }).shape).toEqual([2, 3]);
});

it('an unknown name is an error that lists the known ones', () => {
  expect(saidBy(() => findArchitecture({ architecture: 'gan' }, [scale, still, scale], origin))).toMatchInlineSnapshot(
    `"CheckpointError: [load] experts/00/config.json asks for the architecture "gan". Known: "scale", "still". Give yours."`,
  );
  expect(saidBy(() => findArchitecture([], [scale], origin))).toMatchInlineSnapshot(
    `"CheckpointError: [load] experts/00/config.json asks for the architecture undefined. Known: "scale". Give yours."`,
  );
});

it('a name must be able to be in config.json', () => {
  for (const architecture of ['', 'My Expert', 'a_b', '-a']) {
    expect(() => defineArchitecture({ ...scale, architecture })).toThrow('lower-case words joined by hyphens');
  }
  expect(saidBy(() => defineArchitecture({ ...scale, architecture: 'My Mixer' }))).toMatchInlineSnapshot(
    `"ValueError: [defineArchitecture] the architecture's name is in config.json: lower-case words joined by hyphens, got "My Mixer"."`,
  );
});
