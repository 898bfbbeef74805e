// What requests share when they are drawn together, and what they do not: what is wrong with one of them.
import type { GenerateOptions, Pipeline } from '@paris/sampler';
import { OutOfMemoryError, ValueError } from '@paris/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ImageServer } from '../server.js';
import { classPipeline, post, promptlessPipeline, toyPipeline, toyServer, watched } from '../testing.testing.js';

interface Answer {
  readonly status: number;
  readonly error?: { readonly message: string; readonly param: string | null; readonly code: string };
  readonly data?: readonly { readonly b64_json: string }[];
}

async function ask(server: ImageServer, fields: object): Promise<Answer> {
  const response = await server.fetch(post({ steps: 2, seed: 7, ...fields }));
  return { status: response.status, ...((await response.json()) as object) };
}

const pictures = ({ data }: Answer) => data?.map(({ b64_json }) => b64_json);

/** A server of this pipeline whose device is busy, so that what is asked now waits together. */
async function busy(pipeline: Pipeline): Promise<{ server: ImageServer; free: () => Promise<void> }> {
  const server = toyServer({ open: async () => pipeline, onFailure: () => undefined });
  const first = ask(server, { prompt: '', steps: 30 });
  await expect.poll(() => server.state.drawing, { timeout: 60_000, interval: 1 }).toBe(1);
  return { server, free: async () => void (await first) };
}

let toy: Pipeline;
beforeAll(async () => {
  toy = await toyPipeline();
});
afterAll(() => toy.close());

describe('of a batch one request fails', () => {
  const good = [{ prompt: 'red', n: 2 }, { prompt: 'green' }, { prompt: 'circle', seed: 8 }];
  let alone: Answer[];
  beforeAll(async () => {
    const server = toyServer({ open: async () => toy });
    alone = [];
    for (const fields of good) alone.push(await ask(server, fields));
  });

  it.each<[string, Error, Partial<NonNullable<Answer['error']>> & { status: number }]>([
    [
      'for what is said in it',
      new ValueError('generate', 'prompts: the encoder reads none of "bad". Write it otherwise.'),
      { status: 400, param: 'prompt', message: 'prompt: the encoder reads none of "bad". Write it otherwise.' },
    ],
    ['for a mistake of ours', new TypeError('undefined is not a function'), { status: 500, code: 'internal_error' }],
  ])('%s, and the others are answered', async (_, error, { status, ...wanted }) => {
    const batches: string[][] = [];
    const pipeline = watched(toy, ({ prompts = [] }) => {
      batches.push([...prompts]);
      if (prompts.includes('bad')) throw error;
    });
    const { server, free } = await busy(pipeline);
    const asked = [...good.slice(0, 2), { prompt: 'bad' }, ...good.slice(2)];
    const answers = await Promise.all(asked.map((fields) => ask(server, fields)));
    await free();
    const [bad] = answers.splice(2, 1);
    expect(bad).toMatchObject({ status, error: wanted });
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(batches).toEqual([
      [''],
      ['red', 'red', 'green', 'bad'],
      ...[['red', 'red'], ['green'], ['bad'], ['circle']],
    ]);
    expect([server.state.waiting, server.state.drawing, server.state.pictures]).toEqual([0, 0, 5]);
    for (const [i, answer] of answers.entries()) expect(pictures(answer)?.length).toBe(pictures(alone[i]!)?.length);
  });

  it('for its memory: those that fit alone are drawn', async () => {
    const pipeline = watched(toy, ({ prompts = [] }) => {
      if (prompts.length > 1) throw new OutOfMemoryError('device', 'the device has no memory left.');
    });
    const { server, free } = await busy(pipeline);
    const [one, two, other] = await Promise.all(
      [{ prompt: 'red' }, { prompt: 'red', n: 2 }, { prompt: 'green' }].map((fields) => ask(server, fields)),
    );
    await free();
    expect([one!.status, two!.status, other!.status]).toEqual([200, 503, 200]);
    expect(two!.error?.code).toBe('out_of_memory');
    expect(pictures(one!)).toEqual(pictures(await ask(server, { prompt: 'red' })));
  });
});

it('a class that is none is refused before it waits, with its field', async () => {
  const labels: GenerateOptions['labels'][] = [];
  const classes = await classPipeline();
  const { server, free } = await busy(watched(classes, (options) => labels.push(options.labels)));
  const answers = await Promise.all(
    [
      { prompt: 'shark' },
      { prompt: 'whale' },
      { prompt: 'shark', negative_prompt: 'whale' },
      { prompt: 'tench, Tinca tinca', negative_prompt: '1' },
    ].map((fields) => ask(server, fields)),
  );
  await free();
  expect(answers.map(({ status, error }) => [status, error?.param])).toEqual([
    [200, undefined],
    [400, 'prompt'],
    [400, 'negative_prompt'],
    [200, undefined],
  ]);
  expect(answers[2]!.error!.message).toBe(
    'negative_prompt: there is no class "whale". Give a number from 0 to 2, or one of its names, such as "tench, Tinca tinca".',
  );
  expect(labels.slice(1)).toEqual([['shark', 'tench, Tinca tinca']]);
  await server.close();
});

it('a model that reads no prompts is drawn without guidance, and says so of a prompt', async () => {
  const server = toyServer({ open: promptlessPipeline });
  expect((await ask(server, { prompt: '' })).status).toBe(200);
  const { status, error } = await ask(server, { prompt: 'red' });
  expect([status, error?.param]).toEqual([400, 'prompt']);
  await server.close();
});

it('previews of any kind, or none, are no reason to be drawn apart', async () => {
  const sizes: (number | undefined)[] = [];
  const { server, free } = await busy(watched(toy, ({ prompts }) => sizes.push(prompts?.length)));
  const stream = { stream: true, partial_images: 1 };
  const answers = await Promise.all(
    [
      { prompt: 'red', ...stream },
      { prompt: 'red', ...stream, preview: 'projection' },
      { prompt: 'green', preview: 'projection' },
      { prompt: 'green' },
    ].map((fields) => server.fetch(post({ steps: 2, seed: 7, ...fields }))),
  );
  const previews = (await Promise.all(answers.map((answer) => answer.text()))).map(
    (text) => text.split('partial_image_index').length - 1,
  );
  await free();
  expect(previews).toEqual([1, 1, 0, 0]);
  expect(sizes).toEqual([1, 4]);
});

it('a server that is closed with all the time in the world finishes what is there', async () => {
  const { server, free } = await busy(await toyPipeline());
  const waiting = ask(server, { prompt: 'red' });
  await expect.poll(() => server.state.waiting).toBe(1);
  await server.close(Number.POSITIVE_INFINITY);
  await free();
  expect((await waiting).status).toBe(200);
});
