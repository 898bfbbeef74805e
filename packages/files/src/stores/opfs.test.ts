// The private files of a page, in a real Chromium: all that every store must do, and what stays when a page is closed.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { launchChromium, requireChromium } from '@paris/test-tools/chromium';
import { build } from 'esbuild';
import { expect, it } from 'vitest';

it('opfsStore keeps every promise of a store, and no half-written file', async (test) => {
  requireChromium(test);
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('opfs.page.testing.ts', import.meta.url))],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
  });
  const server = createServer(({ url }, response) => {
    response.setHeader('content-type', url === '/page.mjs' ? 'text/javascript' : 'text/html');
    response.end(url === '/page.mjs' ? outputFiles[0]!.text : '<!doctype html><title>Paris</title>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const browser = await launchChromium();
  try {
    const context = await browser.newContext();
    const visit = async (call: string) => {
      const page = await context.newPage();
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      // A text, because the test's transform would change a function.
      const result = await page.evaluate(`import('/page.mjs').then((page) => page.${call}())`);
      await page.close();
      return result;
    };
    expect(await visit('failures')).toEqual([]);
    const { wrong, reads } = (await visit('readWhileWritten')) as { wrong: string[]; reads: number };
    expect(wrong).toEqual([]);
    expect(reads).toBeGreaterThan(20);
    await visit('beginAndHang');
    await expect
      .poll(() => visit('afterwards'), { timeout: 10_000 })
      .toMatchObject({ before: expect.arrayContaining(['old']), old: [1, 2], names: ['old', 'third'] });
  } finally {
    await browser.close();
    server.close();
  }
});
