// Draws on a server: `paris serve`, which answers OpenAI's images API with more fields.
import type { DrawRequest, Engine, Finished, ModelInfo, Show } from './engine.js';
import { eventsOf } from './events.js';

/** Where a server is. */
export interface ServerAddress {
  readonly url: string;
  /** Its model's name; left out: its first model. */
  readonly model?: string;
  /** Empty: none. */
  readonly apiKey: string;
}

/** The server wants a key, or another one. */
export class KeyNeeded extends Error {}

/** Asks a server for its model. @throws KeyNeeded; an error that says what is wrong */
export async function openServer(address: ServerAddress): Promise<Engine> {
  const { model, latent } = await describe(address);
  // Latents are decoded at the end only: previews of them by a linear map cost the server almost nothing.
  const preview = latent ? 'projection' : 'full';
  return {
    model,
    draw: (request, show, signal) => draw(address, request, { preview, show, signal }),
    close: () => undefined,
  };
}

/** What `GET /v1/models/NAME` says. */
interface Details {
  readonly size: string;
  readonly experts: number;
  readonly autoguidance?: boolean;
  readonly routing: string;
  readonly licence: string | null;
  readonly adapter: string;
  readonly latent: boolean;
  readonly vocabulary: ModelInfo['vocabulary'];
  readonly labels: ModelInfo['labels'];
}

/** What we read of the server's OpenAPI document. */
interface Api {
  readonly components: {
    readonly schemas: {
      readonly ImageRequest: {
        readonly properties: Readonly<
          Record<
            string,
            {
              readonly enum?: readonly string[];
              readonly maximum?: number;
              readonly anyOf?: readonly { readonly maximum?: number }[];
            }
          >
        >;
      };
    };
  };
}

async function describe(address: ServerAddress): Promise<{ model: ModelInfo; latent: boolean }> {
  const list = () => getJson<{ data: { id: string }[] }>(address, 'v1/models');
  const name = address.model ?? (await list()).data[0]?.id;
  if (name === undefined) throw new Error('The server has no model.');
  const [details, api] = await Promise.all([
    getJson<Details>(address, `v1/models/${encodeURIComponent(name)}`),
    getJson<Api>(address, 'openapi.json'),
  ]);
  const { steps, n, sampler, schedule } = api.components.schemas.ImageRequest.properties;
  const [width = 0, height = 0] = details.size.split('x').map(Number);
  const maximum = (field: typeof n) => field?.maximum ?? field?.anyOf?.find((each) => each.maximum)?.maximum;
  const model: ModelInfo = {
    ...{ name, width, height, place: `on a server, on ${details.adapter}` },
    ...{ experts: details.experts, routing: details.routing, licence: details.licence },
    ...{ vocabulary: details.vocabulary, labels: details.labels },
    autoguidance: details.autoguidance ?? false,
    samplers: sampler?.enum ?? ['euler'],
    schedules: schedule?.enum ?? ['uniform'],
    maxSteps: maximum(steps) ?? 200,
    maxPictures: maximum(n) ?? 1,
  };
  return { model, latent: details.latent };
}

/** A picture's events, of which we read this much. */
interface PictureEvent {
  readonly type: string;
  readonly b64_json: string;
  readonly picture: number;
  readonly step: number;
  readonly steps: number;
  readonly routing: readonly number[];
  readonly routing_by_step: Finished['weightsByStep'];
  readonly error?: { readonly message: string };
}

async function draw(
  address: ServerAddress,
  request: DrawRequest,
  { preview, show, signal }: { preview: string; show: Show; signal: AbortSignal },
): Promise<void> {
  const fields = { ...fieldsOf(request), preview };
  const { body, type } = request.start ? await formOf(fields, request.start) : jsonOf(fields);
  const response = await ask(address, request.start ? 'v1/images/edits' : 'v1/images/generations', {
    ...{ method: 'POST', body, signal, headers: type },
  });
  if (!response.body) throw new Error('The server answered with nothing.');
  let drawn = 0;
  for await (const event of eventsOf<PictureEvent>(response.body)) {
    if (event.error) throw new Error(event.error.message);
    const { picture, step, steps, routing: weights } = event;
    const png = pngOf(event.b64_json);
    if (event.type.endsWith('.completed')) {
      drawn += 1;
      show.finished({ picture, png, weightsByStep: event.routing_by_step });
    } else {
      show.step({ picture, step, steps, weights, preview: await createImageBitmap(png) });
    }
  }
  if (drawn < request.count) throw new Error('The server ended before it had drawn everything.');
}

type Fields = Readonly<Record<string, string | number | boolean | object>>;

function fieldsOf(request: DrawRequest): Fields {
  const { prompt, negativePrompt, seed, picture, count, steps, sampler, schedule } = request;
  const { guidance, autoguidance, routing, moves, variation, start } = request;
  return {
    ...{ prompt, negative_prompt: negativePrompt, seed, picture, n: count, steps, sampler, schedule, guidance },
    ...{ stream: true, partial_images: steps - 1 },
    ...(routing !== '' && { routing }),
    ...(autoguidance !== undefined && { autoguidance }),
    ...(moves && { moves }),
    ...(variation && { variation }),
    ...(start && { strength: start.strength }),
  };
}

function jsonOf(fields: Fields) {
  return { body: JSON.stringify(fields), type: { 'content-type': 'application/json' } };
}

/** A form with the picture and perhaps a mask, which is white where the picture is drawn again. */
async function formOf(fields: Fields, { image, mask }: NonNullable<DrawRequest['start']>) {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    body.set(name, typeof value === 'object' ? JSON.stringify(value) : String(value));
  }
  body.set('image', await filePng(image), 'image.png');
  if (mask) {
    const white = new ImageData(image.width, image.height);
    for (const [i, value] of mask.entries()) white.data.set([value, value, value, 255], 4 * i);
    body.set('mask', await filePng(white), 'mask.png');
  }
  return { body, type: {} }; // the browser writes the form's type
}

async function filePng(image: ImageData): Promise<Blob> {
  const canvas = new OffscreenCanvas(image.width, image.height);
  canvas.getContext('2d')!.putImageData(image, 0, 0);
  return canvas.convertToBlob({ type: 'image/png' });
}

function pngOf(base64: string): Blob {
  return new Blob([Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))], { type: 'image/png' });
}

async function getJson<T>(address: ServerAddress, path: string): Promise<T> {
  return (await ask(address, path, {})).json() as Promise<T>;
}

/** An answer that is no error. */
async function ask({ url, apiKey }: ServerAddress, path: string, init: RequestInit): Promise<Response> {
  const base = url.endsWith('/') ? url : `${url}/`;
  const headers = { ...init.headers, ...(apiKey && { authorization: `Bearer ${apiKey}` }) };
  const response = await fetch(new URL(path, base), { ...init, headers }).catch((cause) => {
    init.signal?.throwIfAborted();
    throw new Error(
      `The server at ${base} does not answer this page. Is it running, and was it started with --cors ${location.origin}?`,
      { cause },
    );
  });
  if (response.ok) return response;
  const said = (await response.json().catch(() => undefined)) as { error?: { message?: string } } | undefined;
  const message = said?.error?.message ?? `The server at ${base} answers ${response.status}: it is no Paris server.`;
  throw response.status === 401 ? new KeyNeeded(message) : new Error(message);
}
