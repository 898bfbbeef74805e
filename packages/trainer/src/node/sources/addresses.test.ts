// Archives at addresses: what is no address, what a message may show, and servers that do not answer.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { memoryStore } from '@paris/files';
import { afterEach, describe, expect, it } from 'vitest';
import { prepare } from '../prepare.js';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

const run = (source: string, more: object = {}) => prepare({ source, size: 4, out: memoryStore(), ...more });

describe('an address', () => {
  it.each(['https://host/100%.tar', 'http://[host/a.tar'])(
    'that is none is refused in a sentence: %s',
    async (source) => {
      await expect(run(source)).rejects.toThrow(
        `[prepare] "${source}" is no address. Write it as https://host/folder/file.tar, with a % in a name as %25.`,
      );
    },
  );

  it('is shown without its secrets', async () => {
    const shown = '[prepare] https://host/a.zip is not a folder, a .tar (.tar.gz, .tgz) or a .parquet. Check the path.';
    await expect(run('https://user:secret@host/a.zip?token=secret')).rejects.toThrow(shown);
    const error = await run('http://user:secret@[host/a.tar?token=secret').catch((reason: Error) => reason);
    expect(error).toMatchObject({ message: expect.not.stringContaining('secret') });
    expect((error as Error).cause).toBeUndefined();
    const captioned = { captions: import.meta.filename };
    await expect(run('https://user:secret@host/a.tar', captioned)).rejects.toThrow('https://host/a.tar is none');
  });
});

describe.each(['tar', 'parquet'])('a server that does not go on with a .%s', (extension) => {
  it.each(['http', 's3'])('is left when that is asked for: %s', async (scheme) => {
    const stop = new AbortController();
    const origin = await hanging(() => stop.abort());
    const source = scheme === 's3' ? `s3://bucket/a.${extension}` : `${origin}/a.${extension}`;
    const running = run(source, { s3: { endpoint: origin }, signal: stop.signal });
    await expect(running).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
  });
});

/** A server that says how long its file is, and then sends a byte of it. */
async function hanging(onRead: () => void): Promise<string> {
  const size = 100_000;
  server = createServer(({ headers }, response) => {
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
    const range = `bytes ${from}-${to}/${size}`;
    response.writeHead(206, { 'content-range': range, 'content-length': Number(to) - Number(from) + 1 });
    response.write('x');
    if (from !== to) setTimeout(onRead, 50);
  });
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
