// What `paris sample` is given.
import { ValueError } from '@paris/files';
import type { GenerateOptions, Guidance } from '@paris/sampler';
import { DEFAULT_GUIDANCE } from '@paris/sampler/options';

export interface SampleFlags {
  expert: string[];
  prompt?: string[];
  batch?: string;
  like?: string;
  out: string;
  singles?: string;
  metadata: boolean;
  tuning?: string;
  count: number;
  steps: number;
  seed: number;
  guidance?: number;
  guidanceStart?: number;
  guidanceStop?: number;
  guidanceRescale?: number;
  guidanceKind?: 'cfg' | 'apg';
  autoguidance?: string;
  autoguidanceScale?: number;
  negative?: string;
  variationSeed?: number;
  variationStrength?: number;
  interpolatePrompt?: string;
  interpolateSeed?: number;
  routing?: string;
  memoryBudget?: number;
  compare?: string[];
  sampler: string;
  schedule: string;
  shift?: number;
  image?: string;
  strength?: number;
  mask?: string;
  scale?: number;
  trace?: string;
  routingSvg?: string;
  allowUnknown?: boolean;
  json?: boolean;
}

/** A number, or more where more is said. */
export function guidanceFlags(flags: SampleFlags): number | Guidance {
  const { scale = flags.autoguidance === undefined ? DEFAULT_GUIDANCE : 1, ...given } = givenGuidance(flags);
  return Object.keys(given).length === 0 ? scale : { scale, ...given };
}

/** What flags say of guidance, without what they leave open. */
export function givenGuidance(flags: SampleFlags): Partial<Guidance & { scale: number }> {
  const {
    guidance: scale,
    guidanceStart: start,
    guidanceStop: stop,
    guidanceRescale: rescale,
    guidanceKind: kind,
  } = flags;
  return Object.fromEntries(
    Object.entries({ scale, start, stop, rescale, kind }).filter(([, value]) => value !== undefined),
  );
}

/**
 * What is known from the command line alone, so that it is said before a device is opened.
 * @param isCounted - whether --count was given
 * @throws ValueError for flags that contradict each other or need another one
 */
export function checkFlags(flags: SampleFlags, isCounted: boolean): void {
  const { prompt, batch, like, compare, routing, count, autoguidance, autoguidanceScale } = flags;
  const refuse = (what: string): never => {
    throw new ValueError('sample', `${what}.`);
  };
  if (prompt && batch !== undefined) refuse('both --prompt and --batch are given. Give one of them');
  if (!prompt && batch === undefined && like === undefined)
    refuse('there is no prompt. Give --prompt "…", --batch FILE or --like PICTURE');
  if (like !== undefined && batch !== undefined)
    refuse('both --like and --batch are given. Give one of them; --like takes other prompts as --prompt');
  if (like !== undefined && isCounted)
    refuse('both --like and --count are given, but a picture is drawn again once. Leave --count out');
  if (compare && routing !== undefined) refuse('both --compare and --routing are given. Give one of them');
  if (autoguidanceScale !== undefined && autoguidance === undefined)
    refuse('there is an --autoguidance-scale without --autoguidance. Give the weaker model too');
  const { variationSeed, variationStrength, interpolatePrompt, interpolateSeed } = flags;
  const isLed = interpolatePrompt !== undefined || interpolateSeed !== undefined;
  if (variationSeed !== undefined && variationStrength === undefined)
    refuse('there is a --variation-seed without --variation-strength. Give both');
  if (variationStrength !== undefined && isLed)
    refuse('both --variation-strength and --interpolate-… are given. Give one of them');
  if (isLed && (like !== undefined || count < 2))
    refuse('--interpolate-… needs a --count of 2 or more, the pictures on the way, and no --like');
}

/** Pictures like one, or on the way to another, of flags that are checked. */
export function nearbyFlags(
  { seed, count, variationSeed, variationStrength, interpolatePrompt, interpolateSeed }: SampleFlags,
  prompts: readonly string[],
): Pick<GenerateOptions, 'variation' | 'interpolate'> {
  const isLed = interpolatePrompt !== undefined || interpolateSeed !== undefined;
  const way = Array.from({ length: count }, (_, i) => i / (count - 1));
  return {
    ...(variationStrength !== undefined && {
      variation: { seed: variationSeed ?? seed + 1, strength: variationStrength },
    }),
    ...(isLed && {
      interpolate: {
        ...(interpolatePrompt !== undefined && { prompt: interpolatePrompt }),
        ...(interpolateSeed !== undefined && { seed: interpolateSeed }),
        amounts: prompts.flatMap(() => way),
      },
    }),
  };
}
