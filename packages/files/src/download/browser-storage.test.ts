// Downloads that a real Chromium keeps: from visit to visit, without a server, and in memory where its quota is exceeded.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { hasChromium, launchChromium, requireChromium } from '@paris/test-tools/chromium';
import { build } from 'esbuild';
import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sha256 } from '../hash.js';
import { serveFiles } from '../stores/serve-files.testing.js';
import type { Visit } from './browser-cache.page.testing.js';

const MiB = 2 ** 20;
/** By its first byte, so that no two files share a part. */
const content = (first: number) => Uint8Array.from({ length: 3 * MiB }, (_, i) => (first + (i >> 8) * 7 + i) % 251);
const files = new Map([1, 2].map((first) => [`/files/${first}.bin`, content(first)]));

describe('a browser', () => {
  let browser: Browser | undefined;
  let isOffline = false;
  const log: string[] = [];
  const answer = serveFiles(files, () => ({ ranges: true, tag: '"1"' }), log);
  let script = '';
  const server = createServer((request, response) => {
    if (!request.url!.startsWith('/files/')) {
      response.setHeader('content-type', request.url === '/page.mjs' ? 'text/javascript' : 'text/html');
      response.end(request.url === '/page.mjs' ? script : '<!doctype html><title>Paris</title>');
    } else if (isOffline) response.destroy();
    else answer(request, response);
  });
  beforeAll(async () => {
    const { outputFiles } = await build({
      entryPoints: [fileURLToPath(new URL('browser-cache.page.testing.ts', import.meta.url))],
      bundle: true,
      write: false,
      format: 'esm',
      target: 'es2022',
    });
    script = outputFiles[0]!.text;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    if (hasChromium) browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    server.closeAllConnections();
    server.close();
  });
  beforeEach(requireChromium);

  /** Calls a function in a page of its own. */
  async function visit<T>(context: BrowserContext, call: string, quotaSize?: (usage: number) => number): Promise<T> {
    const page = await context.newPage();
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await page.goto(`${origin}/`);
    // Texts, because the test's transform would change functions.
    const run = (text: string) => page.evaluate(`import('/page.mjs').then((page) => page.${text})`);
    const devtools = await context.newCDPSession(page);
    if (quotaSize) {
      const size = quotaSize((await run('usage()')) as number);
      await devtools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: size });
    }
    const result = await run(call);
    await page.close();
    return result as T;
  }

  const spans = () => log.splice(0).filter((line) => !line.endsWith('bytes=0-0')).length;

  it.each(['caches', 'files'])('keeps downloads in its %s', async (where) => {
    const context = await browser!.newContext();
    const expected = async (n: number) => Array<string>(2).fill(await sha256(files.get(`/files/${n}.bin`)!));
    log.length = 0;
    const first = await visit<Visit>(context, `readTwice('${where}', '1.bin')`);
    expect(first).toEqual({ hashes: await expected(1), persisted: 1 });
    expect(spans()).toBe(3);
    expect(await visit<number>(context, 'usage()')).toBeGreaterThan(3 * MiB);

    const second = await visit<Visit>(context, `readTwice('${where}', '1.bin')`);
    expect(second.hashes).toEqual(first.hashes);
    expect(spans()).toBe(0);

    isOffline = true;
    const offline = await visit<Visit>(context, `readTwice('${where}', '1.bin')`).finally(() => {
      isOffline = false;
    });
    expect(offline.hashes).toEqual(first.hashes);

    // Half a MiB is left. What the browser says of its room is more: it hides its quota from pages.
    for (const which of ['first', 'next']) {
      const full = await visit<Visit>(context, `readTwice('${where}', '2.bin')`, (usage) => usage + MiB / 2);
      expect(full.hashes).toEqual(await expected(2));
      // Once a visit: they were in memory, and that is gone with the page.
      expect(spans(), `parts fetched by the ${which} visit`).toBe(3);
    }
    await context.close();
  });
});
