// A device that is lost for real, while it draws and while nobody asks for anything.
import type { Pipeline } from '@paris/sampler';
import { expect, it } from 'vitest';
import { post, toyPipeline, toyServer } from '../testing.testing.js';

function serverOnDevices() {
  const opened: Pipeline[] = [];
  const open = async () => {
    const pipeline = await toyPipeline();
    opened.push(pipeline);
    return pipeline;
  };
  return { opened, server: toyServer({ open }) };
}

const base = { prompt: 'red circle', seed: 7 };

it('in the middle: its requests fail with the reason, those that wait are drawn on a new one', async () => {
  const { opened, server } = serverOnDevices();
  const stream = await server.fetch(post({ ...base, steps: 150, stream: true, partial_images: 149 }));
  const reader = stream.body!.getReader();
  await reader.read(); // it draws
  const waiting = server.fetch(post({ ...base, steps: 2 }));
  opened[0]!.device.gpu.destroy();
  const decoder = new TextDecoder();
  let text = '';
  for (let part = await reader.read(); !part.done; part = await reader.read()) text += decoder.decode(part.value);
  const last = JSON.parse(text.trim().split('\n\n').at(-1)!.split('data: ')[1]!);
  expect(last.error).toMatchObject({ code: 'device_lost', type: 'server_error' });
  expect(last.error.message).toBe(
    'The device was lost while it drew. The server opens a new one; send the request again.',
  );
  const answer = await waiting;
  expect(answer.status).toBe(200);
  const { data } = (await answer.json()) as { data: { b64_json: string }[] };
  const again = (await (await server.fetch(post({ ...base, steps: 2 }))).json()) as { data: { b64_json: string }[] };
  expect(data[0]!.b64_json).toBe(again.data[0]!.b64_json);
  expect([opened.length, server.state.devicesLost]).toEqual([2, 1]);
  await server.close();
});

it('while nothing is drawn: the next request does not notice', async () => {
  const { opened, server } = serverOnDevices();
  expect((await server.fetch(post({ ...base, steps: 1 }))).status).toBe(200);
  opened[0]!.device.gpu.destroy();
  await expect.poll(() => server.state.devicesLost).toBe(1);
  expect((await server.fetch(post({ ...base, steps: 1 }))).status).toBe(200);
  expect(opened).toHaveLength(2);
  await server.close();
  expect(server.state.devicesLost).toBe(1); // its own end is no loss
});
