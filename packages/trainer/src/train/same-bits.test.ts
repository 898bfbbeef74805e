// The same training on the CPU device gives the same bits: with one thread or two, in Node, in Deno, in a browser. The
// hashes are committed (fixtures/same-bits.json); a change that is meant to change numbers says so and replaces them.
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import typegpu from 'unplugin-typegpu/esbuild';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Trained } from '../testing/same-bits.testing.js';

const folder = mkdtempSync(join(tmpdir(), 'paris-same-bits-'));
const deno = fileURLToPath(new URL('../../../../node_modules/.bin/deno', import.meta.url));
const browserPath = [process.env.PARIS_CHROMIUM, '/usr/bin/chromium', '/usr/bin/google-chrome'].find(
  (path) => path && existsSync(path),
);
const recorded = JSON.parse(readFileSync(new URL('../../fixtures/same-bits.json', import.meta.url), 'utf8'));

beforeAll(async () => {
  await Promise.all([bundle('node'), bundle('browser')]);
  const main = `import { trainOnCpu } from './node.mjs';
const threads = Number((globalThis.Deno?.args ?? process.argv.slice(2))[0]);
console.log(JSON.stringify(await trainOnCpu(threads)));`;
  writeFileSync(join(folder, 'main.mjs'), main);
});
afterAll(() => rmSync(folder, { recursive: true }));

async function bundle(platform: 'node' | 'browser'): Promise<void> {
  await build({
    entryPoints: [fileURLToPath(new URL('../testing/same-bits.testing.ts', import.meta.url))],
    outfile: join(folder, `${platform}.mjs`),
    bundle: true,
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
}

const adapter = (threads: number) => `Paris on WebAssembly, ${threads} thread${threads === 1 ? '' : 's'}`;

async function inProcess(command: string, parameters: readonly string[], threads: number): Promise<Trained> {
  const { stdout } = await promisify(execFile)(command, [...parameters, join(folder, 'main.mjs'), `${threads}`], {
    env: { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1' },
  });
  return JSON.parse(stdout);
}

it.each([1, 2])('in Node, threads: %i', async (threads) => {
  expect(await inProcess(process.execPath, [], threads)).toEqual({ adapter: adapter(threads), ...recorded });
});

it('in Deno, without permissions', async () => {
  expect(await inProcess(deno, ['run', '--quiet', '--no-prompt'], 2)).toEqual({ adapter: adapter(2), ...recorded });
});

it.skipIf(!browserPath)('in Chromium', async () => {
  const server = createServer(({ url }, response) => {
    response.setHeader('cross-origin-opener-policy', 'same-origin');
    response.setHeader('cross-origin-embedder-policy', 'require-corp');
    response.setHeader('content-type', url === '/browser.mjs' ? 'text/javascript' : 'text/html');
    response.end(
      url === '/browser.mjs' ? readFileSync(join(folder, 'browser.mjs')) : '<!doctype html><title>Paris</title>',
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const browser = await chromium.launch({ executablePath: browserPath!, args: ['--headless=new', '--no-sandbox'] });
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    // A text, because the test's transform would change a function.
    const trained = await page.evaluate(`import('/browser.mjs').then(({ trainOnCpu }) => trainOnCpu(2))`);
    expect(trained).toEqual({ adapter: adapter(2), ...recorded });
  } finally {
    await browser.close();
    server.close();
  }
});
