// What requests may say: one source for checks, types and the OpenAPI document.
import {
  DEFAULT_GUIDANCE,
  type Move,
  parseRoutingPolicy,
  samplerName,
  samplers,
  scheduleName,
  schedules,
} from '@paris/sampler';
import * as z from 'zod';
import type { Limits } from '../options.js';
import { ApiError, invalid } from './errors.js';

/** A request for pictures, with its defaults filled in. */
export interface ImageRequest {
  readonly prompt: string;
  readonly model?: string | undefined;
  readonly n: number;
  readonly size?: string | undefined;
  readonly response_format: 'b64_json' | 'url';
  readonly stream: boolean;
  readonly partial_images: number;
  readonly steps: number;
  readonly seed?: number | undefined;
  readonly guidance?: number | Readonly<Record<string, unknown>> | undefined;
  readonly autoguidance?: number | undefined;
  readonly negative_prompt: string;
  readonly sampler: string;
  readonly schedule: string;
  readonly shift?: number | undefined;
  readonly routing?: string | undefined;
  readonly strength?: number | undefined;
  readonly picture: number;
  readonly moves?: readonly Move[] | undefined;
  readonly variation?: { readonly seed: number; readonly strength: number } | undefined;
  readonly preview: 'full' | 'projection';
}

/** A request's fields. Those that OpenAI's clients send and that mean nothing here are taken and left alone. */
export function imageSchema(limits: Limits): z.ZodType<ImageRequest> {
  const ignored = z.unknown().optional();
  const schema = z.strictObject({
    ...pictureFields(limits),
    ...answerFields(limits),
    steps: z.int().min(1).max(limits.steps).default(30).describe('Sampling steps.'),
    ...noiseFields(),
    ...guidanceFields(limits),
    ...samplingFields(),
    strength: z.number().gt(0).max(1).optional().describe('How much of the image is drawn again.'),
    ...{ quality: ignored, style: ignored, user: ignored, background: ignored, moderation: ignored },
    ...{ output_compression: ignored, input_fidelity: ignored },
  });
  return schema as unknown as z.ZodType<ImageRequest>;
}

/** What is drawn by which model. */
function pictureFields(limits: Limits) {
  return {
    prompt: prompt(limits).describe('What to draw.'),
    model: or(z.string(), undefined).describe('The served model, or left out.'),
    n: or(z.int().min(1).max(limits.pictures), 1).describe('How many pictures.'),
    size: or(z.string(), undefined).describe("`auto`, or the model's own size."),
  };
}

/** In what form pictures are sent. */
function answerFields(limits: Limits) {
  return {
    response_format: or(z.enum(['b64_json', 'url']), 'b64_json').describe('`url` gives data: URLs.'),
    stream: or(z.boolean(), false).describe('Answer with server-sent events.'),
    partial_images: or(z.int().min(0).max(limits.steps), 0).describe(
      'Previews of each picture while it is drawn; one less than steps shows every step.',
    ),
    preview: z
      .enum(['full', 'projection'])
      .default('full')
      .describe(
        '`projection` makes previews of latents by a linear map, one pixel a latent: they cost almost nothing.',
      ),
    output_format: z.literal('png').nullish(),
  };
}

const share = z.number().min(0).max(1);

function noiseFields() {
  return {
    seed: z.int().min(0).optional().describe('Decides the noise; without it each request has another one.'),
    picture: z.int().min(0).default(0).describe('Which picture of the seed is the first one.'),
    moves: z
      .array(z.strictObject({ seed: z.int().min(0), picture: z.int().min(0), strength: share }))
      .max(16)
      .optional()
      .describe(
        'Where the noise is moved first, one after the other: the picture of a variation, to draw it again or to vary it.',
      ),
    variation: z
      .strictObject({ seed: z.int().min(0), strength: share })
      .optional()
      .describe('Pictures like the first one: its noise moves towards that of another seed, by `strength` of the way.'),
  };
}

function guidanceFields(limits: Limits) {
  const guidance = z.strictObject({
    scale: z.union([z.number(), z.array(z.number()).min(1).max(limits.steps)]),
    start: share.optional(),
    stop: share.optional(),
    rescale: share.optional(),
    kind: z.enum(['cfg', 'apg']).optional(),
  });
  return {
    guidance: z
      .union([z.number().min(0), guidance])
      .optional()
      .describe(
        `How much the prompt is exaggerated. Default ${DEFAULT_GUIDANCE}, or 1 of a model that reads no prompts.`,
      ),
    autoguidance: z
      .number()
      .min(0)
      .optional()
      .describe(
        "How far the server's weaker model is led away from, if it has one: 1 is not at all, 2 is usual. The default of guidance is then 1.",
      ),
    negative_prompt: prompt(limits).default('').describe('What to lead away from.'),
  };
}

function samplingFields() {
  return {
    sampler: z.preprocess(own(samplerName), z.enum(Object.keys(samplers))).default('euler'),
    schedule: z.preprocess(own(scheduleName), z.enum(Object.keys(schedules))).default('uniform'),
    shift: z.number().min(0.01).max(100).optional().describe('More steps where there is much noise; 3 is usual.'),
    routing: z
      .string()
      .refine(isPolicy, 'is no routing policy: write top1, top2, full, threshold0.05, nucleus0.9, …')
      .optional(),
  };
}

function prompt(limits: Limits) {
  return z
    .string()
    .max(limits.promptCharacters)
    .refine(isPlain, 'has a control character. Remove it; tabs and line breaks may stay');
}

/** A field with a default, which OpenAI's clients may send as null. */
function or<T, D extends T | undefined>(field: z.ZodType<T>, otherwise: D) {
  return field.nullish().transform((value) => value ?? otherwise);
}

function isPolicy(name: string): boolean {
  try {
    parseRoutingPolicy(name);
    return true;
  } catch {
    return false;
  }
}

/** A name that another program uses, as the one here; what is none is left for the check to name. */
function own(nameOf: (name: string) => string): (given: unknown) => unknown {
  return (given) => {
    if (typeof given !== 'string') return given;
    try {
      return nameOf(given);
    } catch {
      return given;
    }
  };
}

/** Without control characters and halves of characters, which have no place in prompts or in what pictures say. */
function isPlain(text: string): boolean {
  return !/[^\P{Cc}\t\n\r]|\p{Cs}/u.test(text);
}

/** @throws ApiError 400 that names the first field that is wrong */
export function checked<T>(schema: z.ZodType<T>, value: unknown): T {
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  const [issue] = error.issues;
  const unknown = issue!.code === 'unrecognized_keys' ? issue!.keys[0] : undefined;
  const param = unknown ?? issue!.path.join('.');
  const message =
    unknown === undefined
      ? `${param || 'the body'}: ${issue!.message}.`
      : `${unknown} is no parameter of this request.`;
  throw new ApiError(400, message, {
    code: unknown === undefined ? 'invalid_value' : 'unknown_parameter',
    ...(param && { param }),
  });
}

/**
 * The fields of a form as JSON would have them, without its pictures, which `editOf` refuses where they are texts. Other files stay
 * what they are, for the check to refuse.
 * @throws ApiError 400 for a field that is there twice: which of them is meant is not known
 */
export function fieldsOfForm(form: FormData): Record<string, unknown> {
  const numbers = [
    'n',
    'partial_images',
    'steps',
    'seed',
    'picture',
    'shift',
    'autoguidance',
    'strength',
    'output_compression',
  ];
  const fields: [string, unknown][] = [];
  for (const [name, value] of form) {
    if (['image', 'image[]', 'mask'].includes(name)) continue;
    const times = form.getAll(name).length;
    if (times > 1) throw invalid(name, `${name} is there ${times} times. Send it once.`);
    if (typeof value !== 'string') fields.push([name, value]);
    else if (numbers.includes(name)) fields.push([name, value.trim() === '' ? Number.NaN : Number(value)]);
    else if (name === 'stream') fields.push([name, value === 'true' ? true : value === 'false' ? false : value]);
    else if (['guidance', 'moves', 'variation'].includes(name)) fields.push([name, jsonOr(value)]);
    else fields.push([name, value]);
  }
  return Object.fromEntries(fields);
}

function jsonOr(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
