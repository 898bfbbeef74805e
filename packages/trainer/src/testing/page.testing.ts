// For tests in other runtimes: bundles of our sources, and a real browser that loads one.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { launchChromium } from '@paris/test-tools/chromium';
import { build } from 'esbuild';
import type { Page } from 'playwright-core';
import typegpu from 'unplugin-typegpu/esbuild';

/** A module with all that it imports, as one ES module. */
export async function bundle(module: URL, platform: 'node' | 'browser'): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(module)],
    bundle: true,
    write: false,
    format: 'esm',
    platform,
    mainFields: ['module', 'main'],
    conditions: ['@paris/source'],
    target: 'es2022',
    define: { 'process.env.NODE_ENV': '"production"' },
    external: ['webgpu'],
    plugins: [typegpu()],
    logLevel: 'error',
  });
  return outputFiles[0]!.text;
}

/** Opens an empty page, isolated so that threads may share memory, on which `/module.mjs` can be imported. */
export async function onPage<T>(
  module: string,
  work: (page: Page) => Promise<T>,
  flags: readonly string[] = [],
): Promise<T> {
  const server = createServer(({ url }, response) => {
    response.setHeader('cross-origin-opener-policy', 'same-origin');
    response.setHeader('cross-origin-embedder-policy', 'require-corp');
    response.setHeader('content-type', url === '/module.mjs' ? 'text/javascript' : 'text/html');
    response.end(url === '/module.mjs' ? module : '<!doctype html><title>Paris</title>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const browser = await launchChromium(flags);
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    return await work(page);
  } finally {
    await browser.close();
    server.close();
  }
}
