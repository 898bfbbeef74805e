import type { RoutingPolicy } from '@paris/router';
import type { SettledGuidance } from '../guidance/guidance.js';
import type { Move, PictureSeed } from '../pipeline/options.js';
import type { Sampler } from '../samplers/sampler.js';
import type { Schedule } from '../schedules/named.js';

/** How a picture was made: what it takes to draw it again. */
export interface Made {
  readonly prompt: string;
  /** Empty: none. */
  readonly negativePrompt: string;
  readonly seed: number;
  /** Which picture of the seed, from 0. */
  readonly picture: number;
  /** Where its noise was moved before: see `Origin`. */
  readonly moves?: readonly Move[];
  /** As asked for, or those of the `times` that were given; with a `strength` fewer are taken. */
  readonly steps: number;
  /** As given: a name, or something of your own. */
  readonly sampler: string | Sampler;
  readonly schedule: string | Schedule | Float64Array;
  readonly shift?: number;
  readonly guidance: SettledGuidance;
  /** How far, and which weaker model it was led away from. */
  readonly autoguidance?: { readonly scale: number; readonly model: string };
  readonly routing: string | RoutingPolicy;
  /** `modelHash` of the pipeline. */
  readonly model: string;
  /** Where it started from a picture: how much was drawn again. */
  readonly strength?: number;
  /** SHA-256 of that picture's RGB bytes, and of the mask's bytes. */
  readonly image?: string;
  readonly mask?: string;
  readonly variation?: PictureSeed & { readonly strength: number };
  readonly interpolate?: { readonly prompt?: string; readonly seed?: PictureSeed; readonly amount: number };
}
