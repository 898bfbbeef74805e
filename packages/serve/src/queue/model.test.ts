// A server with a weaker model to lead away from.
import type { Pipeline } from '@paris/sampler';
import { afterAll, expect, it } from 'vitest';
import type { ImageServer } from '../server.js';
import { post, toyPipeline, toyServer, weakerPipeline } from '../testing.testing.js';

let opened: Pipeline[] = [];
const open = async () => {
  const pipeline = await toyPipeline();
  opened = [pipeline];
  return pipeline;
};
const server = toyServer({
  open,
  async openWeaker(device) {
    const weaker = await weakerPipeline(device);
    opened.push(weaker);
    return weaker;
  },
});
afterAll(() => server.close());

const base = { prompt: 'red circle', steps: 3, seed: 7 };

async function draw(on: ImageServer, fields: object) {
  const response = await on.fetch(post({ ...base, ...fields }));
  const { data, error } = (await response.json()) as {
    data?: { b64_json: string }[];
    error?: { param: string; message: string };
  };
  const { decode } = await import('fast-png');
  const pixels = data?.map(({ b64_json }) => [...decode(Buffer.from(b64_json, 'base64')).data]);
  return { status: response.status, error, pixels };
}

it('draws what the pipeline draws with both, and draws requests of one scale together', async () => {
  await server.load();
  const [pipeline, weaker] = opened as [Pipeline, Pipeline];
  const wanted = async (options: object) => {
    const { images } = await pipeline.generate({ ...base, count: 1, ...options });
    return images.map(({ data }) => [...data]);
  };
  const guided = { autoguidance: { weaker, scale: 3 } };
  const { batches } = server.state;
  const [plain, led, both] = await Promise.all([
    draw(server, { guidance: 1 }),
    draw(server, { autoguidance: 3 }),
    draw(server, { autoguidance: 3, guidance: 2 }),
  ]);
  expect(server.state.batches - batches).toBe(3);
  expect(led!.pixels).toEqual(await wanted(guided));
  expect(both!.pixels).toEqual(await wanted({ ...guided, guidance: 2 }));
  expect(plain!.pixels).toEqual(await wanted({ guidance: 1 }));
  expect(new Set([plain, led, both].map((each) => each!.pixels!.join())).size).toBe(3);
});

it('says whether it has one, and refuses what needs it without', async () => {
  const without = toyServer();
  const details = async (of: ImageServer) =>
    ((await (await of.fetch(new Request('http://localhost/v1/models/toy'))).json()) as { autoguidance: boolean })
      .autoguidance;
  expect([await details(server), await details(without)]).toEqual([true, false]);
  const { status, error } = await draw(without, { autoguidance: 2 });
  expect([status, error]).toMatchObject([
    400,
    { param: 'autoguidance', message: 'autoguidance needs a weaker model, and this server has none. Leave it out.' },
  ]);
  const negative = await draw(server, { autoguidance: 2, negative_prompt: 'green' });
  expect([negative.status, negative.error?.param]).toEqual([400, 'negative_prompt']);
  await without.close();
});

it('two that do not go together are refused when they are loaded, and both closed', async () => {
  const stranger = await toyPipeline();
  const mixed = toyServer({ open, openWeaker: async () => stranger });
  await expect(mixed.load()).rejects.toThrow('autoguidance.weaker is on another device.');
  for (const pipeline of [opened[0]!, stranger]) await expect(pipeline.generate()).rejects.toThrow('was closed');
});

it('that is still being loaded does not hold up a server that ends, and is closed when it is there', async () => {
  let arrive: ((pipeline: Pipeline) => void) | undefined;
  let closed = 0;
  const server = toyServer({ open: () => new Promise<Pipeline>((resolve) => (arrive = resolve)) });
  const answer = server.fetch(post(base));
  await expect.poll(() => arrive).toBeDefined();
  await server.close(10);
  const pipeline = await toyPipeline();
  const close = pipeline.close.bind(pipeline);
  pipeline.close = async () => {
    closed += 1;
    await close();
  };
  arrive!(pipeline);
  expect((await answer).status).toBe(503);
  await expect.poll(() => closed).toBe(1);
});

it('is not loaded for a request that comes when the server ends', async () => {
  let opened = 0;
  const open = () => {
    opened += 1;
    return toyPipeline();
  };
  const server = toyServer({ open });
  await server.close();
  expect((await server.fetch(post(base))).status).toBe(503);
  await expect(server.load()).rejects.toThrow('about to end');
  expect(opened).toBe(0);
});
