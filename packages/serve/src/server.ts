/** A pipeline behind HTTP: OpenAI's images API as a plain `(Request) => Response`. */
import { ValueError } from '@paris/tensor';
import { Hono } from 'hono';
import { readBody } from './http/body.js';
import { ApiError, apiError } from './http/errors.js';
import { checkAllowed, checkKey, checkSource } from './http/guards.js';
import { answerImages, type Served } from './http/images.js';
import { detailsOf } from './http/model.js';
import { openApiDocument } from './http/openapi.js';
import { editOf, formOf, jsonOf, requireType } from './http/read-request.js';
import { checked, fieldsOfForm, imageSchema } from './http/schemas.js';
import { defaultLimits, type Limits, type ServeOptions } from './options.js';
import { documentPage } from './page/document.js';
import { pageFile } from './page/page.js';
import { openModel } from './queue/model.js';
import { Queue, type QueueState } from './queue/queue.js';
import { version } from './version.js';

/** A server without a socket: give `fetch` to whatever has one. */
export interface ImageServer {
  /** Answers a request. */
  fetch(request: Request): Promise<Response>;
  readonly state: QueueState;
  /** Loads the model now; else the first request does. @throws what loading throws; the next call and the next request try again */
  load(): Promise<void>;
  /** Takes no more requests, waits so long for those that are there, cancels the rest, and closes the model. */
  close(graceMs?: number): Promise<void>;
}

/** What the routes of one request are given. */
interface Asking {
  Bindings: { readonly onStream: Served['onStream'] };
}

/**
 * OpenAI's images API for one model: `POST /v1/images/generations` and `/edits`, `GET /v1/models`, with `GET /health`,
 * `GET /openapi.json` and a page at `/`. It fetches nothing itself.
 * @throws ValueError for limits, hosts and origins that are none, and an empty key
 * @example
 * const server = createServer({ name: 'emoji', open: () => loadPipeline('./model') });
 * Deno.serve(server.fetch);
 */
export function createServer(options: ServeOptions): ImageServer {
  const limits = limitsOf(options.limits);
  if (options.apiKey === '') {
    throw new ValueError('createServer', 'apiKey is empty, so anyone would have it. Give one, or leave it out.');
  }
  checkAllowed(options);
  const queue = new Queue(() => openModel(options), limits);
  const app = routes(options, limits, queue);
  return {
    async fetch(request) {
      const began = performance.now();
      let stream: Promise<unknown> | undefined;
      const response = await app.fetch(request, {
        onStream: (drawing) => (stream = drawing),
      } satisfies Asking['Bindings']);
      const ended = () => {
        const { pathname } = new URL(request.url);
        const milliseconds = Math.round(performance.now() - began);
        options.log?.({ method: request.method, path: pathname.slice(0, 100), status: response.status, milliseconds });
      };
      if (stream) void stream.then(ended, ended);
      else ended();
      return response;
    },
    get state() {
      return queue.state;
    },
    load: async () => void (await queue.model()),
    close: (graceMs = 10_000) => queue.close(graceMs),
  };
}

/** The usual limits, but for those that are given. @throws ValueError for what is none: a batch of 0 would never end */
function limitsOf(given: Partial<Limits> = {}): Limits {
  const named = Object.entries(given).filter(([, value]) => value !== undefined);
  for (const [name, value] of named) {
    if (value >= 1) continue;
    throw new ValueError('createServer', `limits.${name} is ${value}. Give a number from 1 on, or leave it out.`);
  }
  return { ...defaultLimits, ...Object.fromEntries(named) };
}

function routes(options: ServeOptions, limits: Limits, queue: Queue): Hono<Asking> {
  const app = new Hono<Asking>();
  const { onFailure = console.error } = options;
  const failed = (error: unknown) => {
    const answer = apiError(error);
    if (answer.status === 500) onFailure(error);
    return answer;
  };
  app.onError((error) => failed(error).toResponse());
  app.notFound(() => new ApiError(404, 'There is nothing at this address.', { code: 'not_found' }).toResponse());
  addGuards(app, options);
  addPages(app, options.name, limits);
  app.get('/health', () => Response.json({ status: 'ok', ...queue.state }));
  addModels(app, options.name, queue);
  addImages(app, { queue, name: options.name, requestMs: limits.requestMs, failed }, limits);
  return app;
}

/** Who may ask, and what browsers are told of the answer. */
function addGuards(app: Hono<Asking>, options: ServeOptions): void {
  app.use('*', async (context, next) => {
    checkSource(context.req.raw, options);
    const origin = context.req.header('origin');
    const isOther = origin !== undefined && options.origins?.includes(origin);
    if (isOther && context.req.method === 'OPTIONS') return preflight(origin);
    await next();
    if (isOther) {
      context.res.headers.set('access-control-allow-origin', origin);
      context.res.headers.append('vary', 'origin');
    }
    context.res.headers.set('x-content-type-options', 'nosniff');
    return undefined;
  });
  app.use('/v1/*', async (context, next) => {
    await checkKey(context.req.raw, options.apiKey);
    await next();
  });
}

function addPages(app: Hono<Asking>, name: string, limits: Limits): void {
  const document = openApiDocument(name, limits, version);
  app.get('/', () => pageFile('index.html', name));
  app.get('/assets/:file', (context) => pageFile(`assets/${context.req.param('file')}`, name));
  app.get('/docs', (context) => context.html(documentPage(document)));
  app.get('/openapi.json', () => Response.json(document));
}

function addModels(app: Hono<Asking>, name: string, queue: Queue): void {
  const model = { id: name, object: 'model', created: 0, owned_by: 'paris' };
  app.get('/v1/models', () => Response.json({ object: 'list', data: [model] }));
  app.get('/v1/models/:id', async (context) => {
    if (context.req.param('id') === name) {
      return Response.json({ ...model, ...(await detailsOf(await queue.model())) });
    }
    throw new ApiError(404, 'This server has no model of that name.', { code: 'model_not_found', param: 'model' });
  });
}

function addImages(app: Hono<Asking>, common: Omit<Served, 'onStream'>, limits: Limits): void {
  const schema = imageSchema(limits);
  app.post('/v1/images/generations', async (context) => {
    const request = context.req.raw;
    const served = { ...common, ...context.env };
    requireType(request, 'application/json');
    const fields = checked(schema, jsonOf(await readBody(request, limits.bodyBytes, limits.bodyMs)));
    return answerImages({ kind: 'image_generation', fields }, served, request.signal);
  });
  app.post('/v1/images/edits', async (context) => {
    const request = context.req.raw;
    const served = { ...common, ...context.env };
    requireType(request, 'multipart/form-data');
    const body = await readBody(request, 64 * limits.bodyBytes, limits.bodyMs);
    const { width, height } = await (await served.queue.model()).pipeline.pictureSize();
    const form = await formOf(request, body);
    return answerImages(
      await editOf(form, checked(schema, fieldsOfForm(form)), { width, height }),
      served,
      request.signal,
    );
  });
}

function preflight(origin: string): Response {
  const headers = {
    'access-control-allow-origin': origin,
    'access-control-allow-methods': 'GET, POST',
    'access-control-allow-headers': 'authorization, content-type',
    'access-control-max-age': '600',
    vary: 'origin',
  };
  return new Response(null, { status: 204, headers });
}
