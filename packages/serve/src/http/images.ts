// POST /v1/images/generations and /v1/images/edits: from a request's fields to a job, and from pictures to answers.
import type { LabelSet } from '@paris/model';
import { classNumber, unknownClass } from '@paris/model/classes';
import { DEFAULT_GUIDANCE, type Guidance, type MaskImage, type RgbImage } from '@paris/sampler';
import type { JobRequest } from '../queue/job.js';
import type { Queue } from '../queue/queue.js';
import { ApiError, clientLeft, invalid } from './errors.js';
import { type Streaming, streamed } from './events.js';
import { itemOf, seconds } from './items.js';
import { mostMs } from './most-ms.js';
import type { ImageRequest } from './schemas.js';

/** A checked request, with the pictures that came with it. */
export interface Asked {
  readonly kind: 'image_generation' | 'image_edit';
  readonly fields: ImageRequest;
  readonly image?: RgbImage;
  readonly mask?: MaskImage;
}

/** What all requests are held to. */
export interface Served {
  readonly queue: Queue;
  readonly name: string;
  readonly requestMs: number;
  /** What is answered to what went wrong. */
  readonly failed: (error: unknown) => ApiError;
  /** Called with a stream that begins, and when it ends. */
  readonly onStream: (ended: Promise<unknown>) => void;
}

/** Draws what is asked for, as JSON or as a stream of events. */
export async function answerImages(asked: Asked, served: Served, clientSignal: AbortSignal): Promise<Response> {
  const { fields } = asked;
  if (fields.model !== undefined && fields.model !== served.name) {
    throw new ApiError(404, 'This server has no model of that name. GET /v1/models lists it.', {
      code: 'model_not_found',
      param: 'model',
    });
  }
  const { pipeline, weaker } = await served.queue.model();
  checkClasses(fields, pipeline.labels);
  if (fields.autoguidance !== undefined && !weaker) {
    throw invalid('autoguidance', 'autoguidance needs a weaker model, and this server has none. Leave it out.');
  }
  const { width, height } = await pipeline.pictureSize();
  const size = `${width}x${height}`;
  if (fields.size !== undefined && fields.size !== 'auto' && fields.size !== size) {
    throw invalid('size', `size is not one that the model draws. Write ${size} or auto.`);
  }
  const seed = fields.seed ?? crypto.getRandomValues(new Uint32Array(1))[0]!;
  const stop = new AbortController();
  const left = () => stop.abort(clientLeft()); // sockets give reasons of their own
  if (clientSignal.aborted) left();
  clientSignal.addEventListener('abort', left, { once: true });
  const request = jobOf(asked, seed, stop.signal);
  served.queue.checkRoom();
  const late = new ApiError(504, `The pictures took more than ${served.requestMs / 1000} seconds.`, {
    code: 'timeout',
  });
  const timer = setTimeout(() => stop.abort(late), Math.min(served.requestMs, mostMs));
  const draw: Streaming['draw'] = (heard = {}) =>
    served.queue.draw({ ...request, ...heard }).finally(() => clearTimeout(timer));
  if (fields.stream) return streamed(asked, { size, seed, draw, left, ...served });
  const drawn = await draw();
  return Response.json({
    created: seconds(),
    seed,
    size,
    output_format: 'png',
    data: drawn.map((each) => itemOf(each, fields)),
  });
}

/** @throws ApiError 400 for what is no class, where the model takes classes */
function checkClasses(fields: ImageRequest, labels: LabelSet | undefined): void {
  if (!labels) return;
  for (const field of ['prompt', 'negative_prompt'] as const) {
    if (classNumber(labels, fields[field]) === undefined)
      throw invalid(field, `${field}: ${unknownClass(labels, fields[field])}.`);
  }
}

function jobOf({ fields, image, mask }: Asked, seed: number, signal: AbortSignal): JobRequest {
  const {
    steps,
    sampler,
    schedule,
    shift,
    routing,
    autoguidance,
    strength,
    prompt,
    negative_prompt: negativePrompt,
    n,
    partial_images,
    picture: first,
    moves,
    variation,
    preview,
  } = fields;
  const guidance = fields.guidance as number | Guidance | undefined;
  const scale = typeof guidance === 'object' ? (guidance.scale as number | readonly number[]) : guidance;
  if (typeof scale === 'object' && scale.length !== steps) {
    throw invalid(
      'guidance.scale',
      `guidance.scale has ${scale.length} numbers for ${steps} steps. Give one for each.`,
    );
  }
  if (
    negativePrompt !== '' &&
    [scale ?? (autoguidance === undefined ? DEFAULT_GUIDANCE : 1)].flat().every((each) => each === 1)
  ) {
    throw invalid('negative_prompt', 'guidance 1 looks at no negative_prompt. Give more guidance, or leave it out.');
  }
  if (strength !== undefined && !image)
    throw invalid('strength', 'strength is given without an image. Post to /v1/images/edits.');
  if (strength === 1 && !mask)
    throw invalid('strength', 'strength 1 looks at nothing of the image. Give less, or a mask.');
  if (!variation && first > Number.MAX_SAFE_INTEGER - (n - 1))
    throw invalid('picture', `picture is too large for ${n} pictures. Give 2⁵³ − ${n} at most.`);
  const each = Array.from({ length: n }, (_, i) => i);
  return {
    shape: {
      steps,
      sampler,
      schedule,
      shift,
      guidance,
      autoguidance,
      routing,
      strength,
      mask,
      variation: variation?.strength,
    },
    ...{ prompt, negativePrompt, image, signal },
    count: n,
    origins: each.map((i) => ({ seed, picture: variation ? first : first + i, ...(moves && { moves }) })),
    goals: variation ? each.map((picture) => ({ seed: variation.seed, picture })) : [],
    previews: { count: fields.stream ? partial_images : 0, tier: preview },
  };
}
