/**
 * What lies around plain sampling: pictures to start from, masks, variations, interpolations. All of it changes the noise that
 * sampling starts from, the times that it visits, or the denoiser that it asks, so every sampler works with all of it.
 * Loaded when an option asks for it. Nothing here is imported but types and what lies in this folder, so that a page that asks
 * for none of it stays one file: `Tools` brings the rest.
 */
import type { Tensor } from '@paris/tensor';
import type { GenerateOptions, Origin, PictureSeed } from '../pipeline/options.js';
import type { BatchAround, Parts, Settings, Steered } from '../pipeline/pipeline.js';
import { autoguided } from './autoguidance.js';
import { fromPictures } from './from-pictures.js';
import { mixDenoisers } from './mix-denoisers.js';
import { slerp } from './slerp.js';

/** What the pipeline has loaded anyway. */
export interface Tools {
  /** The noise of a picture. */
  noise(of: PictureSeed): Float32Array;
  scalar(value: number): Tensor;
  sha256(bytes: Uint8Array): Promise<string>;
  /** @throws ValueError */
  refuse(what: string): never;
}

/** Settings with what the options add to them. @throws ValueError that names the option */
export async function controlled(
  parts: Parts,
  plain: Settings,
  options: GenerateOptions,
  origins: readonly Origin[],
  tools: Tools,
): Promise<Settings> {
  const { refuse }: Pick<Tools, 'refuse'> = tools;
  const { image, strength, mask, variation, interpolate, times, steps, schedule, shift, autoguidance } = options;
  if (times && (steps ?? schedule ?? shift) !== undefined)
    refuse('times is given with steps, schedule or shift. Give one of them');
  if (image === undefined) {
    if (strength !== undefined) refuse('strength is given without image. Give the picture to start from');
    if (mask !== undefined) refuse('mask is given without image. Give the picture to paint in');
  }
  if (variation && interpolate) refuse('both variation and interpolate are given. Give one of them');
  const start = moved(plain, origins, tools);
  const noised = variation ? varied(start, variation, origins, tools) : start;
  const led = interpolate ? interpolated(parts, noised, interpolate, origins, tools) : noised;
  if (autoguidance && interpolate?.prompt !== undefined)
    refuse('both autoguidance and interpolate.prompt are given. Give one of them, or interpolate between seeds');
  const guided = autoguidance ? autoguided(parts, led, autoguidance, tools) : led;
  return image === undefined ? guided : fromPictures(parts, guided, options, origins.length, tools);
}

/** Noise where its moves have led it. */
function moved(settings: Settings, origins: readonly Origin[], tools: Tools): Settings {
  if (origins.every(({ moves = [] }) => moves.length === 0)) return settings;
  for (const { moves = [] } of origins)
    for (const [i, { strength }] of moves.entries()) share(`seed.moves[${i}].strength`, strength, tools);
  return {
    ...settings,
    initial: (i) =>
      (origins[i]!.moves ?? []).reduce(
        (noise, goal) => slerp(noise, tools.noise(goal), goal.strength),
        settings.initial(i),
      ),
  };
}

function varied(
  settings: Settings,
  variation: NonNullable<GenerateOptions['variation']>,
  origins: readonly PictureSeed[],
  tools: Tools,
): Settings {
  const { strength } = variation;
  share('variation.strength', strength, tools);
  const goals = goalsOf(variation.seed, origins.length, tools);
  for (const goal of new Set(goals.map(({ seed }) => seed))) tools.noise({ seed: goal, picture: 0 }); // refuses what is no seed
  return {
    ...settings,
    initial: (i) => slerp(settings.initial(i), tools.noise(goals[i]!), strength),
    made: (i) => ({ ...settings.made(i), variation: { ...goals[i]!, strength } }),
  };
}

function interpolated(
  parts: Parts,
  settings: Settings,
  { prompt, seed, amounts }: NonNullable<GenerateOptions['interpolate']>,
  origins: readonly PictureSeed[],
  tools: Tools,
): Settings {
  const { refuse }: Pick<Tools, 'refuse'> = tools;
  if (prompt === undefined && seed === undefined) refuse('interpolate has neither prompt nor seed. Give where to go');
  const count = origins.length;
  if (amounts === undefined && count < 2) refuse('interpolate makes 1 picture. Give a count of 2 or more, or amounts');
  const amountOf = amounts ?? origins.map((_, i) => i / (count - 1));
  if (amountOf.length !== count) refuse(`interpolate.amounts has ${amountOf.length} entries for ${count} pictures`);
  for (const [i, amount] of amountOf.entries()) share(`interpolate.amounts[${i}]`, amount, tools);
  const goal = seed === undefined ? undefined : placeOf(seed, 0);
  const noise = goal && tools.noise(goal);
  const mix = mixDenoisers(parts.device);
  const around = async (run: Steered, { firstImage, prompts, start, owned }: BatchAround): Promise<Steered> => {
    const other = await start(prompts.map(() => prompt!));
    const shares = amountOf.slice(firstImage, firstImage + prompts.length);
    return {
      denoiser: mix(run.denoiser, other.denoiser, shares, owned),
      startStep(step) {
        run.startStep(step);
        other.startStep(step);
      },
    };
  };
  return {
    ...settings,
    initial: (i) => (noise ? slerp(settings.initial(i), noise, amountOf[i]!) : settings.initial(i)),
    made: (i) => ({
      ...settings.made(i),
      interpolate: { ...(prompt !== undefined && { prompt }), ...(goal && { seed: goal }), amount: amountOf[i]! },
    }),
    ...(prompt !== undefined && { around }),
  };
}

/** Which noise each picture moves towards. */
function goalsOf(
  seed: NonNullable<GenerateOptions['variation']>['seed'],
  count: number,
  { refuse }: Tools,
): readonly PictureSeed[] {
  if (typeof seed === 'number') return Array.from({ length: count }, (_, picture) => ({ seed, picture }));
  if (!Array.isArray(seed)) return new Array<PictureSeed>(count).fill(seed as PictureSeed);
  if (seed.length !== count)
    refuse(`variation.seed has ${seed.length} entries for ${count} pictures. Give one for each`);
  return seed.map((each) => placeOf(each, 0));
}

function placeOf(seed: number | PictureSeed, picture: number): PictureSeed {
  return typeof seed === 'number' ? { seed, picture } : seed;
}

function share(name: string, value: number, { refuse }: Tools): void {
  if (!(value >= 0 && value <= 1)) refuse(`${name} is ${value}. Give a share from 0 to 1`);
}
