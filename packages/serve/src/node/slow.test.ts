// Clients that send a request bit by bit, over a socket.
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { toyServer } from '../testing.testing.js';
import { type Listening, listen } from './index.js';

let listening: Listening;
beforeAll(async () => {
  listening = await listen(toyServer({ limits: { bodyMs: 300 } }), { port: 0, requestMs: 500 });
});
afterAll(() => listening.close());

/** What the server says to bytes after which nothing more comes. */
async function answerTo(bytes: string): Promise<string> {
  const { port } = new URL(listening.url);
  const socket = connect(Number(port), '127.0.0.1');
  let heard = '';
  socket.on('data', (chunk) => {
    heard += chunk;
    if (/\r\n\r\n.*\}$/s.test(heard)) socket.end();
  });
  socket.on('error', () => undefined);
  socket.write(bytes);
  await once(socket, 'close');
  return heard;
}

const head = 'POST /v1/images/generations HTTP/1.1\r\nhost: localhost\r\n';

it('headers that do not end', async () => {
  expect(await answerTo(`${head}x: `)).toMatch(/^HTTP\/1\.1 408 /);
});

it('a body that does not end', async () => {
  const answer = await answerTo(`${head}content-type: application/json\r\ncontent-length: 100\r\n\r\n{"prompt"`);
  expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  expect(answer).toContain('The body did not arrive within 0.3 seconds.');
});

it('others are served meanwhile', async () => {
  const slow = Array.from({ length: 100 }, () => answerTo(head));
  expect((await fetch(`${listening.url}/health`)).status).toBe(200);
  for (const answer of await Promise.all(slow)) expect(answer).toMatch(/^HTTP\/1\.1 408 /);
});

it.each([
  [{ port: 70_000 }, 'port is 70000. Give a whole number from 0 to 65535.'],
  [{ port: 0, requestMs: Number.NaN }, 'requestMs is NaN.'],
  [{ port: 0, host: '999.1.1.1' }, 'Give another --host.'],
])('what cannot be listened on is refused: %j', async (options, message) => {
  await expect(listen(toyServer(), options)).rejects.toMatchObject({
    code: 'VALUE',
    message: expect.stringContaining(message),
  });
});

it('a time without an end is one', async () => {
  const { close } = await listen(toyServer(), { port: 0, requestMs: Number.POSITIVE_INFINITY });
  await close();
});
