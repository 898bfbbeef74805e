// Who may call a server, and what it refuses of those who may.
import type { Pipeline } from '@paris/sampler';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Limits } from '../options.js';
import type { ImageServer } from '../server.js';
import { post, toyPipeline, toyServer } from '../testing.testing.js';

let pipeline: Pipeline;
let server: ImageServer;
beforeAll(async () => {
  pipeline = await toyPipeline();
  server = serverWith({});
});
afterAll(() => server.close());

function serverWith(options: Parameters<typeof toyServer>[0]): ImageServer {
  return toyServer({ open: async () => pipeline, ...options });
}

const base = { prompt: 'red circle', steps: 1, seed: 7 };
const page = 'https://app.example';

function preflight(): Request {
  const headers = { origin: page, host: 'localhost:8080', 'access-control-request-method': 'POST' };
  return new Request('http://localhost:8080/v1/images/generations', { method: 'OPTIONS', headers });
}

describe('pages of other origins', () => {
  it('are refused unless they are named, and nothing allows them', async () => {
    for (const request of [preflight(), post(base, { origin: page }), post(base, { origin: 'null' })]) {
      const response = await server.fetch(request);
      expect(response.status).toBe(403);
      expect([...response.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
  });

  it('may call it where they are named, and can read its errors', async () => {
    const open = serverWith({ origins: [page], apiKey: 'secret' });
    const asked = await open.fetch(preflight()); // a browser sends no key with it
    expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([204, page]);
    expect(asked.headers.get('access-control-allow-headers')).toContain('authorization');
    for (const [authorization, status] of Object.entries({ 'Bearer secret': 200, 'Bearer x': 401 })) {
      const response = await open.fetch(post(base, { origin: page, authorization }));
      expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([status, page]);
      expect(response.headers.get('vary')).toContain('origin');
    }
    expect((await open.fetch(post(base, { origin: 'https://other.example' }))).status).toBe(403);
    const plain = await open.fetch(post(base, { authorization: 'Bearer secret' }));
    expect(plain.headers.get('access-control-allow-origin')).toBeNull();
  });
});

it('hosts are known in upper and lower case', async () => {
  const named = serverWith({ hosts: ['MyHost.example'] });
  for (const [host, status] of Object.entries({
    'MyHost.example': 200,
    'myhost.example:8080': 200,
    'MYHOST.EXAMPLE': 200,
    'other.example': 403,
    localhost: 403,
  })) {
    const { status: answered } = await named.fetch(new Request('http://localhost/health', { headers: { host } }));
    expect([host, answered]).toEqual([host, status]);
  }
});

it('keys are compared as digests, whatever they have in common', async () => {
  const locked = serverWith({ apiKey: 'a long secret' });
  const digest = vi.spyOn(crypto.subtle, 'digest');
  try {
    for (const guess of ['', 'a', 'a long secre', 'a long secret!', 'x'.repeat(5000)]) {
      digest.mockClear();
      const response = await locked.fetch(post(base, { authorization: `Bearer ${guess}` }));
      expect(response.status).toBe(401);
      expect(digest).toHaveBeenCalledTimes(2);
      expect(digest.mock.calls.map(([, bytes]) => bytes.byteLength)).toEqual([guess.length, 13]);
    }
  } finally {
    digest.mockRestore();
  }
});

describe('prompts', () => {
  it.each(['\0', '\u001b[2J', '\u0085', '\ud800'])('with %j are refused, by the name of the field', async (bad) => {
    for (const field of ['prompt', 'negative_prompt']) {
      const response = await server.fetch(post({ ...base, [field]: `red${bad}` }));
      const { error } = (await response.json()) as { error: { message: string; param: string } };
      expect([response.status, error.param]).toEqual([400, field]);
      expect(error.message).toBe(`${field}: has a control character. Remove it; tabs and line breaks may stay.`);
    }
  });

  it('of several lines, and in any script, are drawn', async () => {
    expect((await server.fetch(post({ ...base, prompt: 'red\tcircle\r\n猫 🐈' }))).status).toBe(200);
  });
});

describe('bodies', () => {
  const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;

  it.each(['prompt', 'guidance', 'size', 'routing', 'variation'])('whose %s is nested 50,000 deep', async (field) => {
    const { [field as 'prompt']: _, ...rest } = base;
    const response = await server.fetch(post(`${JSON.stringify(rest).slice(0, -1)},"${field}":${deep}}`));
    const { error } = (await response.json()) as { error: { param: string; message: string } };
    expect([response.status, error.param]).toEqual([400, field]);
    expect(error.message.length).toBeLessThan(200);
  });

  it('that are too large without saying so', async () => {
    const chunk = new Uint8Array(64 * 1024).fill(32);
    let sent = 0;
    const body = new ReadableStream({
      pull(controller) {
        sent += 1;
        controller.enqueue(chunk);
      },
    });
    const headers = { 'content-type': 'application/json' };
    const init = { method: 'POST', body, headers, duplex: 'half' } as RequestInit;
    const response = await server.fetch(new Request('http://localhost/v1/images/generations', init));
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ error: { message: 'The body has more than 262144 bytes.' } });
    expect(sent).toBeLessThan(10);
  });
});

it('what is unforeseen is shown where the server runs, not to its clients', async () => {
  const failures: unknown[] = [];
  const cause = new Error('the disk said no: /secret/path');
  const broken = toyServer({ open: () => Promise.reject(cause), onFailure: (error) => failures.push(error) });
  for (let i = 0; i < 2; i++) {
    const response = await broken.fetch(post(base));
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('secret');
  }
  expect(failures).toEqual([cause, cause]);
});

describe('limits', () => {
  it.each([
    [{ batch: 0 }, 'limits.batch is 0.'],
    [{ batch: Number.NaN }, 'limits.batch is NaN.'],
    [{ requestMs: -1 }, 'limits.requestMs is -1.'],
  ])('that are none are refused: %j', (limits, message) => {
    expect(() => toyServer({ limits })).toThrow(message);
  });

  it('are the usual ones where nothing is said, and may be no limits', async () => {
    for (const limits of [
      { queue: undefined, steps: undefined, batch: undefined },
      { requestMs: Number.POSITIVE_INFINITY, bodyMs: 2 ** 31 },
    ]) {
      const server = toyServer({ limits: limits as Partial<Limits> });
      expect((await server.fetch(post({ ...base, steps: 20, n: 4 }))).status).toBe(200);
      await server.close();
    }
  });
});

it('an empty key, which a request without one would have, is refused', () => {
  expect(() => toyServer({ apiKey: '' })).toThrow('apiKey is empty');
});

it.each([
  [{ origins: ['https://app.example/'] }, 'the origin "https://app.example/" is none'],
  [{ origins: ['https://App.example'] }, 'the origin "https://App.example" is none'],
  [{ origins: ['https://app.example:443'] }, 'the origin "https://app.example:443" is none'],
  [{ origins: ['*'] }, 'the origin "*" is none'],
  [{ hosts: ['app.example:8080'] }, 'the host "app.example:8080" is no name'],
  [{ hosts: ['http://app.example'] }, 'the host "http://app.example" is no name'],
])('what would let nobody in is refused: %j', (options, message) => {
  expect(() => toyServer(options)).toThrow(message);
  expect(() => toyServer({ origins: ['null', 'http://[::1]:8080', 'app://page.example'], hosts: ['*'] })).not.toThrow();
});
