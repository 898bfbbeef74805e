import { encodePng, type Pipeline, samplers } from '@paris/sampler';
import { readPictureMetadata } from '@paris/sampler/metadata';
import { DeviceLostError } from '@paris/tensor';
import { encode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LogEntry } from './options.js';
import type { ImageServer } from './server.js';
import { post, toyPipeline, toyServer } from './testing.testing.js';

let server: ImageServer;
let pipeline: Pipeline;
const log: LogEntry[] = [];
beforeAll(async () => {
  pipeline = await toyPipeline();
  server = toyServer({ open: async () => pipeline, log: (entry) => log.push(entry) });
});
afterAll(() => server.close());

const base = { prompt: 'red circle', steps: 2, seed: 7 };
const picture = { width: 8, height: 8, data: Uint8Array.from({ length: 192 }, (_, i) => (i * 37) % 256) };

type Answer = { error?: { message: string; param: string; code: string; type: string }; data?: { b64_json: string }[] };

async function ask(request: Request): Promise<{ status: number; body: Answer; headers: Headers }> {
  const response = await server.fetch(request);
  return { status: response.status, body: (await response.json()) as Answer, headers: response.headers };
}

const bytesOf = (text: string) => new Uint8Array(Buffer.from(text, 'base64'));

function edit(fields: Record<string, string>, files: Record<string, Uint8Array>): Request {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  for (const [name, bytes] of Object.entries(files)) form.set(name, new Blob([bytes.slice()]), `${name}.png`);
  return new Request('http://localhost/v1/images/edits', { method: 'POST', body: form });
}

describe('pictures', () => {
  it('are those that the pipeline draws, and say how they were made', async () => {
    const { body } = await ask(
      post({ ...base, n: 2, negative_prompt: 'green', sampler: 'HeunDiscreteScheduler', schedule: 'Karras', shift: 2 }),
    );
    const { images } = await pipeline.generate({
      ...{
        prompt: 'red circle',
        negativePrompt: 'green',
        sampler: 'heun',
        schedule: 'karras',
        shift: 2,
        steps: 2,
        seed: 7,
        count: 2,
      },
    });
    for (const [i, { b64_json }] of body.data!.entries()) {
      const png = bytesOf(b64_json);
      expect(readPictureMetadata(png).made).toMatchObject({
        seed: 7,
        picture: i,
        sampler: 'heun',
        negativePrompt: 'green',
      });
      expect(Buffer.from(encodePng(images[i]!)).subarray(-60)).toEqual(Buffer.from(png).subarray(-60));
    }
  });

  it('can start from a picture, and keep what a mask keeps', async () => {
    const half = Uint8Array.from({ length: 256 }, (_, i) => (i % 4 === 3 ? ((i >> 2) % 8 < 4 ? 0 : 255) : 9));
    const mask = encode({ width: 8, height: 8, channels: 4, depth: 8, data: half });
    const { status, body } = await ask(
      edit({ prompt: 'green', steps: '2', seed: '1' }, { image: encodePng(picture), mask }),
    );
    expect(status, JSON.stringify(body.error)).toBe(200);
    const { decode } = await import('fast-png');
    const drawn = decode(bytesOf(body.data![0]!.b64_json)).data;
    for (let at = 0; at < 64; at++) {
      if (at % 8 < 4) continue;
      expect([...drawn.subarray(3 * at, 3 * at + 3)]).toEqual([...picture.data.subarray(3 * at, 3 * at + 3)]);
    }
    const more = { strength: '0.5', picture: '1', variation: '{"seed":3,"strength":0.2}' };
    const free = await ask(edit({ prompt: 'green', steps: '2', ...more }, { image: encodePng(picture) }));
    expect(free.status).toBe(200);
  });

  it('come with previews and routing as server-sent events', async () => {
    const response = await server.fetch(post({ ...base, steps: 4, stream: true, partial_images: 3 }));
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const events = (await response.text())
      .split('\n\n')
      .filter(Boolean)
      .map((text) => JSON.parse(text.split('data: ')[1]!));
    expect(events.map(({ type, step }) => [type, step])).toEqual([
      ['image_generation.partial_image', 0],
      ['image_generation.partial_image', 1],
      ['image_generation.partial_image', 2],
      ['image_generation.completed', undefined],
    ]);
    for (const { routing } of events) expect(routing.reduce((a: number, b: number) => a + b)).toBeCloseTo(1, 3);
  });

  it('show every step, if asked, and say who drew in each', async () => {
    const response = await server.fetch(
      post({ ...base, steps: 6, stream: true, partial_images: 5, preview: 'projection' }),
    );
    const events = (await response.text())
      .split('\n\n')
      .filter(Boolean)
      .map((text) => JSON.parse(text.split('data: ')[1]!));
    expect(events.map(({ step }) => step)).toEqual([0, 1, 2, 3, 4, undefined]);
    const { routing_by_step: byStep } = events.at(-1);
    expect(byStep.slice(0, 5)).toEqual(events.slice(0, 5).map(({ routing }) => routing));
    expect(byStep).toHaveLength(6);
  });

  it('can be guided by another scale in each step', async () => {
    const of = async (scale: number | number[]) => (await ask(post({ ...base, guidance: { scale } }))).body.data![0];
    const [list, number, other] = [await of([3, 3]), await of(3), await of([3, 1])];
    const pixelsOf = ({ b64_json }: { b64_json: string }) => Buffer.from(bytesOf(b64_json)).subarray(-60);
    expect(pixelsOf(list!)).toEqual(pixelsOf(number!));
    expect(pixelsOf(other!)).not.toEqual(pixelsOf(number!));
  });

  it('of a seed can begin anywhere, and vary towards another seed whatever else is drawn', async () => {
    const { images } = await pipeline.generate({ prompt: 'red circle', steps: 2, seed: 7, count: 3 });
    const { images: near } = await pipeline.generate({
      ...{ prompt: 'red circle', steps: 2, count: 2, variation: { seed: 9, strength: 0.3 } },
      seed: [2, 2].map((picture) => ({ seed: 7, picture })),
    });
    const variation = { seed: 9, strength: 0.3 };
    const [plain, varied] = await Promise.all([
      ask(post({ ...base, picture: 2 })),
      ask(post({ ...base, picture: 2, n: 2, variation })),
      ask(post({ ...base, seed: 1, variation })),
    ]);
    const pixels = async (answer: Answer) => {
      const { decode } = await import('fast-png');
      return answer.data!.map(({ b64_json }) => decode(bytesOf(b64_json)).data as Uint8Array);
    };
    const apart = (a: Uint8Array, b: Uint8Array) => Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));
    expect(apart((await pixels(plain.body))[0]!, images[2]!.data)).toBeLessThanOrEqual(1);
    for (const [i, data] of (await pixels(varied.body)).entries()) {
      expect(apart(data, near[i]!.data)).toBeLessThanOrEqual(1);
      expect(apart(data, images[2]!.data)).toBeGreaterThan(1);
    }
  });

  it('of a variation are drawn again and varied, as the pipeline does', async () => {
    const first = { seed: 9, strength: 0.3 };
    const moves = [{ ...first, picture: 1 }];
    const [all, again, near] = await Promise.all([
      ask(post({ ...base, n: 2, variation: first })),
      ask(post({ ...base, moves })),
      ask(post({ ...base, moves, variation: { seed: 5, strength: 0.1 } })),
    ]);
    const { decode } = await import('fast-png');
    const pixels = ({ b64_json }: { b64_json: string }) => [...decode(bytesOf(b64_json)).data];
    const chosen = pixels(all.body.data![1]!);
    expect(pixels(again.body.data![0]!)).toEqual(chosen);
    expect(pixels(near.body.data![0]!)).not.toEqual(chosen);
    expect(readPictureMetadata(bytesOf(near.body.data![0]!.b64_json)).made).toMatchObject({
      ...{ seed: 7, picture: 0, moves },
      variation: { seed: 5, picture: 0, strength: 0.1 },
    });
  });

  it('of equal shape are drawn together, of others in turn', async () => {
    const { batches, pictures } = server.state;
    const asked = [base, { ...base, steps: 3 }, { ...base, seed: 8, n: 3 }, { ...base, prompt: 'green' }];
    const answers = await Promise.all(asked.map((fields) => ask(post(fields))));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(server.state.pictures - pictures).toBe(6);
    expect(server.state.batches - batches).toBe(3); // the first alone: nobody else was there yet
  });
});

it('batches are powers of two, so that few plans serve all numbers of pictures', async () => {
  const { batches, pictures } = server.state;
  const { status, body } = await ask(post({ ...base, n: 7 }));
  expect([status, body.data!.length]).toEqual([200, 7]);
  expect(server.state.pictures - pictures).toBe(7);
  expect(server.state.batches - batches).toBe(3); // 4 + 2 + 1
});

describe('what is not right is one sentence, with the field', () => {
  it.each([
    [{}, 'prompt', 'invalid_value'],
    [{ ...base, prompt: 'x'.repeat(10_000) }, 'prompt', 'invalid_value'],
    [{ ...base, steps: 0 }, 'steps', 'invalid_value'],
    [{ ...base, steps: 1e6 }, 'steps', 'invalid_value'],
    [{ ...base, steps: '4' }, 'steps', 'invalid_value'],
    [{ ...base, n: 11 }, 'n', 'invalid_value'],
    [{ ...base, size: '1024x1024' }, 'size', 'invalid_value'],
    [{ ...base, guidance: null }, 'guidance', 'invalid_value'],
    [{ ...base, guidance: { scale: 2, stop: 2 } }, 'guidance.stop', 'invalid_value'],
    [{ ...base, guidance: { scale: 2, start: 0.5, stop: 0.2 } }, 'guidance', 'invalid_value'],
    [{ ...base, guidance: { scale: [1, 2, 3] } }, 'guidance.scale', 'invalid_value'],
    [{ ...base, guidance: { scale: [1, 1] }, negative_prompt: 'x' }, 'negative_prompt', 'invalid_value'],
    [{ ...base, guidance: 1, negative_prompt: 'x' }, 'negative_prompt', 'invalid_value'],
    [{ ...base, sampler: 'plms' }, 'sampler', 'invalid_value'],
    [{ ...base, routing: 'best' }, 'routing', 'invalid_value'],
    [{ ...base, strength: 0 }, 'strength', 'invalid_value'],
    [{ ...base, shift: 0 }, 'shift', 'invalid_value'],
    [{ ...base, strength: 0.5 }, 'strength', 'invalid_value'],
    [{ ...base, seed: -1 }, 'seed', 'invalid_value'],
    [{ ...base, picture: -1 }, 'picture', 'invalid_value'],
    [{ ...base, seed: 2 ** 53 }, 'seed', 'invalid_value'],
    [{ ...base, picture: Number.MAX_SAFE_INTEGER, n: 2 }, 'picture', 'invalid_value'],
    [{ ...base, routing: 'top4' }, 'routing', 'invalid_value'],
    [{ ...base, variation: { seed: 1, strength: 2 } }, 'variation.strength', 'invalid_value'],
    [{ ...base, moves: [{ seed: 1, picture: 0, strength: 2 }] }, 'moves.0.strength', 'invalid_value'],
    [{ ...base, partial_images: 201 }, 'partial_images', 'invalid_value'],
    [{ ...base, preview: 'tiny' }, 'preview', 'invalid_value'],
    [{ ...base, colour: 'red' }, 'colour', 'unknown_parameter'],
    [{ ...base, output_format: 'jpeg' }, 'output_format', 'invalid_value'],
    ['[1, 2', undefined, 'invalid_json'],
    [`${'['.repeat(100_000)}`, undefined, 'invalid_json'],
    ['[]', undefined, 'invalid_value'],
  ])('%j', async (fields, param, code) => {
    const { status, body } = await ask(post(fields));
    expect(status).toBe(400);
    expect(body.error).toMatchObject({ code, param: param ?? null, type: 'invalid_request_error' });
    expect(body.error!.message).toMatch(/^\S.*\.$/);
  });

  it.each([
    ['a text file', { image: new TextEncoder().encode('not a picture, but long enough to be taken for one') }, 'image'],
    ['another size', { image: encodePng({ width: 4, height: 4, data: new Uint8Array(48) }) }, 'image'],
    ['no picture', {}, 'image'],
    ['a cut file', { image: encodePng(picture).slice(0, 60) }, 'image'],
    [
      'a mask of another size',
      { image: encodePng(picture), mask: encodePng({ width: 4, height: 4, data: new Uint8Array(48) }) },
      'mask',
    ],
    [
      'a mask of nothing',
      { image: encodePng(picture), mask: encodePng({ width: 8, height: 8, data: new Uint8Array(192) }) },
      'mask',
    ],
  ])('%s', async (_, files, param) => {
    const { status, body } = await ask(edit({ prompt: 'x', steps: '2' }, files));
    expect(status).toBe(400);
    expect(body.error).toMatchObject({ param });
  });

  it.each([
    ['Mask', 'unknown_parameter', 'Mask is no parameter of this request.'],
    ['seed', 'invalid_value', 'seed: Invalid input: expected number, received File.'],
    ['mask', 'invalid_value', 'mask: there are 2 files. Send one PNG, or none.'],
  ])('a file %s that would not be read', async (name, code, message) => {
    const form = new FormData();
    const file = new Blob([encodePng({ ...picture, data: picture.data.slice().fill(255) }).slice()]);
    for (const field of ['image', 'mask', name]) form.append(field, file, 'x.png');
    form.append('prompt', 'x');
    const { status, body } = await ask(new Request('http://localhost/v1/images/edits', { method: 'POST', body: form }));
    expect([status, body.error]).toEqual([400, { type: 'invalid_request_error', param: name, code, message }]);
  });

  it('a field that is there twice', async () => {
    const form = new FormData();
    form.append('image', new Blob([encodePng(picture).slice()]), 'x.png');
    for (const prompt of ['cat', 'dog']) form.append('prompt', prompt);
    const { status, body } = await ask(new Request('http://localhost/v1/images/edits', { method: 'POST', body: form }));
    expect([status, body.error!.param, body.error!.message]).toEqual([
      400,
      'prompt',
      'prompt is there 2 times. Send it once.',
    ]);
  });

  it.each([
    [{ image: 'https://example.com/cat.png' }, 'image', 'image: there are 0 files. Send one PNG.'],
    [{ mask: 'none' }, 'mask', 'mask is no file. Send a PNG.'],
    [
      { steps: '1', strength: '0.5' },
      'strength',
      'strength 0.5 of 1 step looks at nothing of the image. Take more steps.',
    ],
  ])('%j, by its field', async (fields, param, message) => {
    const files = 'image' in fields ? {} : { image: encodePng(picture) };
    const { status, body } = await ask(edit({ prompt: 'x', steps: '2', ...(fields as Record<string, string>) }, files));
    expect([status, body.error!.param, body.error!.message]).toEqual([400, param, message]);
  });

  it('a file of a few bytes that holds megabytes is not unpacked', async () => {
    const large = encode({ width: 8, height: 8 * 200_000, channels: 1, depth: 8, data: new Uint8Array(64 * 200_000) });
    const bomb = large.slice();
    new DataView(bomb.buffer).setUint32(20, 8); // says 8×8
    const { status, body } = await ask(edit({ prompt: 'x' }, { image: bomb }));
    expect([status, body.error!.message]).toEqual([400, 'image is a broken PNG file.']);
  });

  it.each([
    ['another type', post(base, { 'content-type': 'text/plain' }), 415],
    ['another host', post(base, { host: 'evil.example' }), 403],
    ['another origin', post(base, { origin: 'https://evil.example' }), 403],
    ['another model', post({ ...base, model: 'dall-e-3' }), 404],
    ['another address', post(base, {}, '/v1/chat/completions'), 404],
    ['a large body', post({ ...base, user: 'x'.repeat(300_000) }), 413],
  ])('%s', async (_, request, status) => {
    expect((await ask(request)).status).toBe(status);
  });

  it('a page of its own may call it', async () => {
    expect((await ask(post(base, { origin: 'http://localhost:8080' }))).status).toBe(200);
  });

  it('the last seed and the last picture are drawn', async () => {
    const last = Number.MAX_SAFE_INTEGER;
    const variation = { seed: last, strength: 0.5 };
    for (const more of [{ picture: last - 1 }, { picture: last, variation }]) {
      expect((await ask(post({ ...base, seed: last, n: 2, ...more }))).status).toBe(200);
    }
  });

  it('a body that ends in the middle is of a client that left', async () => {
    const body = new ReadableStream({ pull: (controller) => controller.error(new TypeError('terminated')) });
    const init = { method: 'POST', body, duplex: 'half', headers: { 'content-type': 'application/json' } };
    const { status } = await ask(new Request('http://localhost/v1/images/generations', init as RequestInit));
    expect(status).toBe(499);
  });

  it('a body that drips is given up', async () => {
    const slow = toyServer({ open: async () => pipeline, limits: { bodyMs: 50 } });
    const body = new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(5)) });
    const init = { method: 'POST', body, duplex: 'half', headers: { 'content-type': 'application/json' } };
    const response = await slow.fetch(new Request('http://localhost/v1/images/generations', init as RequestInit));
    expect(response.status).toBe(408);
  });
});

describe('the key', () => {
  it('is asked for where there is one, and not for health', async () => {
    const locked = toyServer({ open: async () => pipeline, apiKey: 'secret' });
    const status = async (headers: Record<string, string>) => (await locked.fetch(post(base, headers))).status;
    expect(await status({})).toBe(401);
    expect(await status({ authorization: 'Bearer secre' })).toBe(401);
    expect(await status({ authorization: 'Bearer secret' })).toBe(200);
    expect((await locked.fetch(new Request('http://localhost/health'))).status).toBe(200);
    expect((await locked.fetch(new Request('http://localhost/v1/models'))).status).toBe(401);
  });
});

describe('the queue', () => {
  it('is full at its limit, and says when to come again', async () => {
    const small = toyServer({ open: async () => pipeline, limits: { queue: 2 } });
    const answers = await Promise.all([1, 2, 3].map((seed) => small.fetch(post({ ...base, steps: 20, seed }))));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
    expect(Number(answers[2]!.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('counts a request once whose pictures take several batches', async () => {
    const small = toyServer({ open: async () => pipeline, limits: { queue: 2, batch: 2 } });
    const large = small.fetch(post({ ...base, steps: 20, n: 5 }));
    await expect.poll(() => small.state.drawing, { timeout: 30_000, interval: 1 }).toBe(1);
    expect(small.state.waiting).toBe(0);
    const answers = [await small.fetch(post(base)), await large];
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  });

  it('a client that leaves costs no more steps', async () => {
    const left = new AbortController();
    const request = new Request(post({ ...base, steps: 200, sampler: 'unipc' }), { signal: left.signal });
    const began = server.state.batches;
    const answer = server.fetch(request);
    await expect.poll(() => server.state.drawing, { timeout: 30_000 }).toBe(1);
    left.abort();
    expect((await answer).status).toBe(499);
    await expect.poll(() => server.state.drawing, { timeout: 30_000 }).toBe(0);
    expect(server.state.batches - began).toBe(1);
    expect((await ask(post(base))).status).toBe(200);
  });

  it('takes too long: 504', async () => {
    const hasty = toyServer({ open: async () => pipeline, limits: { requestMs: 30 } });
    expect((await hasty.fetch(post({ ...base, steps: 200 }))).status).toBe(504);
  });

  it('a lost device fails its requests with the reason, and the next one has a new device', async () => {
    let opened = 0;
    const fragile = toyServer({
      open: async () => {
        opened += 1;
        const broken = Object.create(pipeline) as Pipeline;
        if (opened === 1) {
          broken.steps = async function* () {
            yield* [];
            throw new DeviceLostError('device', 'the GPU device was lost.');
          };
        }
        return new Proxy(broken, {
          get: (target, name) => {
            if (name === 'close') return async () => undefined;
            if (name === 'steps' && opened === 1) return target.steps;
            const value = Reflect.get(pipeline, name, pipeline);
            return typeof value === 'function' ? value.bind(pipeline) : value;
          },
        });
      },
    });
    const first = await fragile.fetch(post(base));
    expect([first.status, ((await first.json()) as Answer).error!.code]).toEqual([503, 'device_lost']);
    expect((await fragile.fetch(post(base))).status).toBe(200);
    expect([opened, fragile.state.devicesLost]).toEqual([2, 1]);
  });

  it('ends: what is there is drawn, what comes is refused', async () => {
    const ending = toyServer();
    const drawn = ending.fetch(post(base));
    await expect.poll(() => ending.state.drawing + ending.state.waiting, { timeout: 60_000 }).toBe(1);
    const closed = ending.close(60_000);
    expect((await ending.fetch(post(base))).status).toBe(503);
    expect((await drawn).status).toBe(200);
    await closed;
  });
});

it('describes its model', async () => {
  const answer = await server.fetch(new Request('http://localhost/v1/models/toy'));
  const { vocabulary, ...model } = (await answer.json()) as Record<string, unknown>;
  const { experts, size, licence } = model;
  expect({ experts, size, licence }).toEqual({
    experts: pipeline.index.clusters,
    size: '8x8',
    licence: pipeline.index.licence,
  });
  expect(vocabulary).toEqual({ words: pipeline.vocabulary!.words, maxTokens: pipeline.vocabulary!.maxTokens });
});

it('describes itself', async () => {
  const document = (await (await server.fetch(new Request('http://localhost/openapi.json'))).json()) as {
    paths: object;
    components: { schemas: { ImageRequest: { properties: Record<string, { enum?: string[] }>; required: string[] } } };
  };
  expect(Object.keys(document.paths)).toEqual([
    '/v1/images/generations',
    '/v1/images/edits',
    '/v1/models',
    '/v1/models/{model}',
    '/health',
  ]);
  const { properties, required } = document.components.schemas.ImageRequest;
  expect(properties.sampler!.enum).toEqual(Object.keys(samplers));
  expect(required).toEqual(['prompt']);
  const html = await (await server.fetch(new Request('http://localhost/'))).text();
  expect(html).toContain('<meta name="paris-server" content="toy">');
  expect(await (await server.fetch(new Request('http://localhost/docs'))).text()).toContain('negative_prompt');
});

it('logs no prompt', () => {
  expect(log.length).toBeGreaterThan(20);
  expect(JSON.stringify(log)).not.toContain('red circle');
  expect(log.some(({ status, path }) => status === 200 && path === '/v1/images/generations')).toBe(true);
});

it('logs a stream when it ends', async () => {
  const entries = log.length;
  const response = await server.fetch(post({ ...base, stream: true }));
  expect(log).toHaveLength(entries);
  await response.text();
  await expect.poll(() => log.length).toBe(entries + 1);
});
