// A picture drawn again as its file says.
import type { Guidance, RgbImage } from '@paris/sampler';
import { ValueError } from '@paris/tensor';
import type { Command } from 'commander';
import { readMade } from '../pictures.js';
import { givenGuidance, nearbyFlags, type SampleFlags } from './check-flags.js';
import type { SampleOptions } from './sample.js';

/** What a picture's file says, with what the flags change. */
export interface Like {
  options: Pick<
    SampleOptions,
    'prompts' | 'count' | 'seed' | 'steps' | 'guidance' | 'routing' | 'sampler' | 'schedule' | 'more'
  >;
  /** Where it was led away from a weaker model. */
  autoguidanceScale: number | undefined;
  /** Warns where the model is another one. */
  check(modelHash: string, warn: (message: string) => void): void;
  /** How much the file's pixels were enlarged. */
  scaleOf(image: Pick<RgbImage, 'width'>): number;
}

/** @throws DataError if the file does not say how it was made; ValueError if it needs a picture that is not given */
export async function likeOf(file: string, flags: SampleFlags, command: Command): Promise<Like> {
  const { made, width } = await readMade(file);
  const given = (name: keyof SampleFlags) => command.getOptionValueSource(name) === 'cli';
  for (const name of ['image', 'mask'] as const) {
    if (made[name] !== undefined && flags[name] === undefined) {
      throw new ValueError('sample', `like: ${file} was made with a --${name}. Give it again.`);
    }
  }
  const { variation, interpolate, strength, autoguidance } = made;
  const shift = flags.shift ?? made.shift;
  if (autoguidance && flags.autoguidance === undefined)
    throw new ValueError('sample', `like: ${file} was made with --autoguidance. Give the weaker model again.`);
  const { seed: own, picture, moves } = made;
  const seed = given('seed') ? { seed: flags.seed, picture: 0 } : { seed: own, picture, ...(moves && { moves }) };
  const prompts = flags.prompt ?? [made.prompt];
  const guidance: Guidance = { ...made.guidance, ...givenGuidance(flags) };
  const negativePrompt = flags.negative ?? made.negativePrompt;
  return {
    options: {
      ...{ prompts, count: 1, seed: prompts.map(() => seed), guidance },
      steps: given('steps') ? flags.steps : made.steps,
      routing: flags.routing ?? made.routing,
      sampler: given('sampler') ? flags.sampler : made.sampler,
      schedule: given('schedule') ? flags.schedule : made.schedule,
      more: {
        ...(negativePrompt !== '' && { negativePrompt }),
        ...(strength !== undefined && { strength }),
        ...(shift !== undefined && { shift }),
        ...(variation && { variation: { seed: variation, strength: variation.strength } }),
        ...(interpolate && {
          interpolate: {
            ...(interpolate.prompt !== undefined && { prompt: interpolate.prompt }),
            ...(interpolate.seed && { seed: interpolate.seed }),
            amounts: prompts.map(() => interpolate.amount),
          },
        }),
        ...nearbyFlags({ ...flags, seed: seed.seed }, prompts),
      },
    },
    autoguidanceScale: autoguidance?.scale,
    check(modelHash, warn) {
      if (modelHash !== made.model)
        warn(`${file} was made by another model (${made.model.slice(0, 10)}), so the picture differs`);
    },
    scaleOf: (image) => Math.max(1, Math.round(width / image.width)),
  };
}
