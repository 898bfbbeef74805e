// The unmodified client of OpenAI, over a socket.

import { encodePng } from '@paris/sampler';
import { decode } from 'fast-png';
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { toyServer } from '../testing.testing.js';
import { type Listening, listen } from './index.js';

let listening: Listening;
let client: OpenAI;
beforeAll(async () => {
  listening = await listen(toyServer({ apiKey: 'secret' }), { port: 0 });
  client = new OpenAI({ baseURL: `${listening.url}/v1`, apiKey: 'secret', maxRetries: 0 });
});
afterAll(() => listening.close());

const extras = { steps: 2, seed: 7, routing: 'top2', negative_prompt: 'green' };

it('generates', async () => {
  const { data } = await client.images.generate({
    prompt: 'red circle',
    n: 2,
    size: '8x8' as never,
    ...extras,
  } as never);
  expect(data!.map(({ b64_json }) => decode(Buffer.from(b64_json!, 'base64')).width)).toEqual([8, 8]);
});

it('edits, with a mask', async () => {
  const png = await toFile(encodePng({ width: 8, height: 8, data: new Uint8Array(192).fill(99) }), 'a.png', {
    type: 'image/png',
  });
  const mask = await toFile(encodePng({ width: 8, height: 8, data: new Uint8Array(192).fill(255) }), 'm.png', {
    type: 'image/png',
  });
  const { data } = await client.images.edit({ image: png, mask, prompt: 'red', model: 'toy', ...extras } as never);
  expect(data).toHaveLength(1);
});

it('streams', async () => {
  const stream = await client.images.generate({
    prompt: 'red',
    stream: true,
    partial_images: 2,
    ...extras,
    steps: 6,
  } as never);
  const types: string[] = [];
  for await (const event of stream as unknown as AsyncIterable<{ type: string }>) types.push(event.type);
  expect(types).toEqual([
    'image_generation.partial_image',
    'image_generation.partial_image',
    'image_generation.completed',
  ]);
});

it('lists models', async () => {
  expect((await client.models.list()).data.map(({ id }) => id)).toEqual(['toy']);
});

it('has its own errors', async () => {
  await expect(client.images.generate({ prompt: 'x', steps: 0 } as never)).rejects.toBeInstanceOf(
    OpenAI.BadRequestError,
  );
  const stranger = new OpenAI({ baseURL: `${listening.url}/v1`, apiKey: 'guess', maxRetries: 0 });
  await expect(stranger.models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
});

it('a client that hangs up cancels its work', async () => {
  const control = new AbortController();
  const asked = client.images.generate({ prompt: 'red', steps: 200 } as never, { signal: control.signal });
  const health = async () =>
    (await (await fetch(`${listening.url}/health`)).json()) as { drawing: number; waiting: number };
  await expect.poll(async () => (await health()).drawing, { timeout: 30_000 }).toBe(1);
  control.abort();
  await expect(asked).rejects.toThrow();
  await expect.poll(async () => (await health()).drawing, { timeout: 30_000 }).toBe(0);
});
