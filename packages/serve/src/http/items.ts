// A drawn picture as answers and events hold it.
import { encodeMadePng } from '@paris/sampler/metadata';
import type { Drawn } from '../queue/job.js';
import type { ImageRequest } from './schemas.js';

/** An element of `data`, and what an event says of a picture that is done. */
export interface ImageItem {
  /** Either this, a PNG in base64, */
  readonly b64_json?: string;
  /** or the same as a `data:` address. */
  readonly url?: string;
  /** Which picture of the request it is. */
  readonly picture: number;
  /** Each expert's mean weight, and its weight in each step. */
  readonly routing: readonly number[];
  readonly routing_by_step: readonly (readonly number[])[];
}

export function itemOf(
  { image, picture, weights, weightsByStep }: Drawn,
  { response_format }: ImageRequest,
): ImageItem {
  const encoded = base64(encodeMadePng(image));
  const where = response_format === 'url' ? { url: `data:image/png;base64,${encoded}` } : { b64_json: encoded };
  return { ...where, picture, routing: weights, routing_by_step: weightsByStep };
}

/** Now, in seconds since 1970. */
export function seconds(): number {
  return Math.floor(Date.now() / 1000);
}

export function base64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}
