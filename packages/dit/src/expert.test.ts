import { key, type Tensor, ValueError, zeros } from '@paris/tensor';
import { expect, it } from 'vitest';
import { type AnyExpertArchitecture, createDiT, defineExpert, dit, ditPresets, type Expert } from './index.js';

interface ScaleParams {
  readonly scale: Tensor;
}
const scale = defineExpert({
  architecture: 'scale',
  parseConfig: (json: unknown) => json as { channels: number },
  create: ({ channels }): Expert<ScaleParams> => ({
    objective: { prediction: 'sample', path: 'linear' },
    init: () => ({ scale: zeros([1, channels, 1, 1]) }),
    apply: (params, { latents }) => latents.mul(params.scale),
  }),
});

it('architectures of different parameter types stand in one list', () => {
  const architectures: readonly AnyExpertArchitecture[] = [dit, scale];
  const expert = architectures.find(({ architecture }) => architecture === 'scale')!.fromConfig({ channels: 3 });
  const latents = zeros([2, 3, 4, 4]);
  expect(expert.objective.prediction).toBe('sample');
  expect(expert.apply(expert.init(key(0)), { latents, time: zeros([2]) }).shape).toEqual([2, 3, 4, 4]);
});

it('a name must be able to stand in config.json', () => {
  expect(() => defineExpert({ ...scale, architecture: 'My Expert' })).toThrow(ValueError);
});

it('another kind of condition is refused before anything runs', () => {
  const { apply, init } = createDiT({ ...ditPresets['dit-s-2'], depth: 1 });
  const input = { latents: zeros([1, 4, 32, 32]), time: zeros([1]) };
  expect(() => apply(init(key(0)), input)).toThrow(
    "[dit] this expert's condition is of kind 'embeddings', got none. Pass the text encoder's output; " +
      "the unconditional is encode(['']).",
  );
  const condition = { kind: 'label', label: zeros([1], 'u32') } as const;
  expect(() => apply(init(key(0)), { ...input, condition })).toThrow("got one of kind 'label'");
});
