// What a hostile or a careless server can do, and who learns the caller's secrets.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { inspect } from 'node:util';
import { createGzip } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { parseAddress, withoutSecrets } from './address.js';
import { testServers } from './serve.testing.js';
import { httpStore } from './store.js';

const { serve } = testServers();

describe('a body is stopped under its cap', () => {
  const block = Buffer.alloc(64 * 1024);
  /** Writes until nobody listens; `sent` counts what the socket took. */
  function endless(response: ServerResponse, sent: { bytes: number }, wrap?: ReturnType<typeof createGzip>): void {
    const out = wrap ?? response;
    wrap?.pipe(response);
    const more = () => {
      while (!response.destroyed) {
        sent.bytes += block.length;
        if (!out.write(block)) return void out.once('drain', more);
      }
    };
    response.on('close', () => wrap?.destroy());
    more();
  }
  /** Bytes that lie between a server that writes and a reader that stops: buffers of sockets and streams. */
  const slack = 48 * 2 ** 20;

  it.each([
    ['endless', {}, undefined],
    ['endless, and compressed on the way', { 'content-encoding': 'gzip' }, true],
    ['endless, with a length that is a lie', { 'content-length': String(2 ** 40) }, undefined],
  ] as const)('%s', async (_, headers, gzip) => {
    const sent = { bytes: 0 };
    let closed = 0;
    const url = await serve((_, response) => {
      response.writeHead(200, headers).on('close', () => closed++);
      endless(response, sent, gzip && createGzip({ level: 1 }));
    });
    const before = process.memoryUsage().arrayBuffers;
    const store = httpStore(url, { maxFileBytes: 2 ** 20 });
    const over = 'the server sends more of "f" than the 1048576 bytes that are taken';
    await expect(store.read('f')).rejects.toThrow(`[store] ${over}. A larger maxFileBytes of httpStore allows it.`);
    await expect(store.read('f', { offset: 5, length: 5 })).rejects.toThrow(
      `[store] ${over}. It knows no ranges: download the file first; in code a larger maxFileBytes of httpStore allows it.`,
    );
    await expect(store.size('f')).rejects.toThrow(over);
    const less = 'than the 100 bytes that are taken.';
    await expect(store.read('f', undefined, { maxBytes: 100 })).rejects.toThrow(less);
    await expect(store.read('f', { offset: 0, length: 9 }, { maxBytes: 100 })).rejects.toThrow(less);
    expect(await store.exists('f')).toBe(true); // needs no body at all
    await expect.poll(() => closed, { timeout: 5000 }).toBe(6); // every download was ended, not left to run on
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(slack);
    expect(sent.bytes).toBeLessThan(gzip ? 2 ** 30 : 6 * slack);
  });

  it('more than the span that was asked for', async () => {
    const url = await serve((_, response) => {
      response.writeHead(206, { 'content-range': 'bytes 0-3/4' });
      endless(response, { bytes: 0 });
    });
    await expect(httpStore(url).read('f', { offset: 0, length: 4 })).rejects.toThrow(
      '[store] the server sends more of "f" than the 4 bytes that are taken.',
    );
  });

  it('an answer that says no, without end', async () => {
    const url = await serve((_, response) => {
      response.writeHead(500);
      endless(response, { bytes: 0 });
    });
    await expect(httpStore(url).read('f')).rejects.toThrow('[store] the server answered 500 to "f".');
  });

  it('takes a file of exactly the size that is allowed', async () => {
    const url = await serve((_, response) => response.end('1234'));
    expect(await httpStore(url).read('f', undefined, { maxBytes: 4 })).toHaveLength(4);
    await expect(httpStore(url).read('f', undefined, { maxBytes: 3 })).rejects.toMatchObject({
      code: 'FILE_TOO_LARGE',
    });
  });
});

describe('secrets', () => {
  const withSecrets = (url: string) => `${url.replace('//', '//us%40er:p%3Ass@')}/folder?token=query-secret#fragment`;
  const secret = /us(%40|@)er|p(%3A|:)ss|query-secret|header-secret|fragment|dXNAZXI6cDpzcw/;
  const options = { headers: { 'X-Token': 'header-secret' } };

  /** An error in whole, as `console.error` and a log show it: with causes and properties. */
  async function failure(work: () => unknown): Promise<string> {
    try {
      await work();
    } catch (error) {
      return `${(error as Error).message}\n${inspect(error, { depth: 20, showHidden: true })}`;
    }
    throw new Error('nothing failed');
  }

  it('reach the server that they were given for', async () => {
    const seen: string[] = [];
    const url = await serve(({ url: target, headers }, response) => {
      seen.push(`${target} ${headers.authorization} ${headers['x-token']}`);
      response.end('x');
    });
    await httpStore(withSecrets(url), options).read('f');
    const basic = Buffer.from('us@er:p:ss').toString('base64');
    expect(seen).toEqual([`/folder/f?token=query-secret Basic ${basic} header-secret`]);
    const given = { Authorization: 'Bearer mine' }; // in place of the address's own
    await httpStore(withSecrets(url), { headers: given }).read('f');
    expect(seen[1]).toBe('/folder/f?token=query-secret Bearer mine undefined');
  });

  it('are in no error, cause or property', async () => {
    let answer: (request: IncomingMessage, response: ServerResponse) => void = () => {};
    const url = await serve((request, response) => answer(request, response));
    const store = httpStore(withSecrets(url), options);
    const answers: (typeof answer)[] = [
      (_, response) => response.writeHead(500).end(),
      (_, response) => response.writeHead(404).end(),
      (_, response) => response.destroy(),
      (_, response) => response.writeHead(200, { 'content-length': 9 }).write('x', () => response.destroy()),
      ({ url: path }, response) => response.writeHead(302, { location: path! }).end(),
      (_, response) => response.writeHead(302, { location: `ftp://us%40er:p%3Ass@host?query-secret` }).end(),
      (_, response) => response.writeHead(302, { location: `http://:::?query-secret` }).end(),
      (_, response) => response.writeHead(302, { location: `http://us%40er:p%3Ass@127.0.0.1:9/?query-secret` }).end(),
    ];
    for (const [i, each] of answers.entries()) {
      answer = each;
      expect(await failure(() => store.read('f')), `answer ${i}`).not.toMatch(secret);
    }
    const broken = [
      () => httpStore('http://us%40er:p%3Ass@host:port/?token=query-secret'),
      () => httpStore(url, { headers: { 'X-Token': 'header-secret\0' } }),
      () => httpStore(withSecrets('http://127.0.0.1:9'), options).read('f'),
      // Some runtimes write the whole address into their error.
      () =>
        httpStore(withSecrets(url), {
          ...options,
          fetch: async (target, init) => {
            const cause = Object.assign(new TypeError(String(new Headers(init?.headers).get('x-token'))), {
              code: 'E',
            });
            throw new TypeError(`cannot fetch ${target}`, { cause });
          },
        }).read('f'),
    ];
    for (const [i, each] of broken.entries()) expect(await failure(each), `broken ${i}`).not.toMatch(secret);
    expect(await failure(broken[1]!)).toContain('the header "X-Token" cannot be sent');
    expect(await failure(broken[3]!)).toContain("code: 'E'");
  });

  it('do not follow to another host, also not back again; what the request needs does', async () => {
    const seen: string[] = [];
    const note = ({ headers, url: path }: IncomingMessage, host: string) =>
      seen.push(`${host}${path} ${headers['x-token'] ?? headers.authorization ?? 'none'} ${headers.range ?? 'all'}`);
    let home = '';
    const away = await serve((request, response) => {
      note(request, 'away');
      if (request.url === '/back') response.writeHead(307, { location: `${home}/end` }).end();
      else response.writeHead(206, { 'content-range': 'bytes 1-2/9' }).end('xy');
    });
    home = await serve((request, response) => {
      note(request, 'home');
      const to = { '/f': '/moved', '/moved': `${away}/f`, '/g': `${away}/back` }[request.url!];
      if (to) response.writeHead(302, { location: to }).end('elsewhere');
      else response.writeHead(206, { 'content-range': 'bytes 1-2/9' }).end('xy');
    });
    const span = { offset: 1, length: 2 };
    await httpStore(home, options).read('f', span);
    await httpStore(home, options).read('g', span);
    await httpStore(home.replace('//', '//u:p@')).read('f', span);
    expect(seen).toEqual([
      'home/f header-secret bytes=1-2',
      'home/moved header-secret bytes=1-2',
      'away/f none bytes=1-2',
      'home/g header-secret bytes=1-2',
      'away/back none bytes=1-2',
      'home/end none bytes=1-2',
      'home/f Basic dTpw bytes=1-2',
      'home/moved Basic dTpw bytes=1-2',
      'away/f none bytes=1-2',
    ]);
  });

  it('stay at home in a page, which cannot see where a redirect leads', async () => {
    const asked: (string | undefined)[] = [];
    const page: typeof fetch = async (_, init) => {
      asked.push(init?.redirect);
      const seen = new Response('ok');
      return init?.redirect === 'manual' ? Object.defineProperty(seen, 'type', { value: 'opaqueredirect' }) : seen;
    };
    expect(await httpStore('https://host', { fetch: page }).read('f')).toHaveLength(2);
    await expect(httpStore('https://host', { ...options, fetch: page }).read('f')).rejects.toThrow(
      '[store] the server redirects "f": a page cannot see where, and headers must not go there.',
    );
    expect(asked).toEqual(['manual', 'follow', 'manual']);
  });

  it('a redirect ends, and leads from https to https', async () => {
    const to =
      (location: string): typeof fetch =>
      async () =>
        new Response(null, { status: 308, headers: { location } });
    const read = (fetch: typeof globalThis.fetch) => httpStore('https://host', { fetch }).read('f');
    await expect(read(to('/again'))).rejects.toThrow('"f" is redirected more than 10 times.');
    await expect(read(to('http://host/f'))).rejects.toThrow(
      'redirects "f" from https: to http:, which is not followed',
    );
    await expect(read(to('file:///etc/passwd'))).rejects.toThrow('from https: to file:, which is not followed');
    await expect(read(to('http://[/'))).rejects.toThrow('to what is no URL, which is not followed');
  });
});

it.each([
  ['https://user:pass@host/a/b?token=1#x', 'https://host/a/b'],
  ['https://user:p@ss@host:port/?token=1', 'https://host:port/'],
  ['HTTP://token@host', 'HTTP://host'],
  ['https://host/a@b', 'https://host/a@b'],
  ['./folder?#@x', './folder?#@x'],
])('withoutSecrets(%j)', (address, shown) => {
  expect(withoutSecrets(address)).toBe(shown);
});

it('parseAddress takes a % that encodes nothing as it is', () => {
  expect(parseAddress('http://u%zz@h').authorization).toBe(`Basic ${btoa('u%zz:')}`);
});
