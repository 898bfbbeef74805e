// The same scenarios in processes of their own (Node, Deno) and on pages of a Chromium, from one minified bundle: workers
// are made from the text of a function, which a bundler must not break.
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hasChromium, launchChromium, requireChromium } from '@paris/test-tools/chromium';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CreateGpuOptions } from './index.js';

const folder = mkdtempSync(join(tmpdir(), 'paris-cpu-'));
const source = fileURLToPath(new URL('.', import.meta.url));
const deno = fileURLToPath(new URL('../../../node_modules/.bin/deno', import.meta.url));

/** What `rounds` leaves, on every machine: the bytes do not depend on the engine or the number of threads. */
const HASH = 'a017d3d';

beforeAll(async () => {
  await Promise.all([
    bundle('node', 'scenarios.mjs', 'scenarios.testing.ts'),
    bundle('browser', 'scenarios.js', 'scenarios.testing.ts'),
    bundle('browser', 'page.mjs', 'scenarios.testing.ts'),
    bundle('browser', 'worker.js', 'worker.ts'),
  ]);
  // Deno needs no permission for what is imported by a name that it knows before it runs.
  for (const [main, file] of [
    ['main.mjs', 'scenarios.mjs'],
    ['page-main.mjs', 'page.mjs'],
  ] as const) {
    writeFileSync(
      join(folder, main),
      `import { scenarios } from './${file}';
const [name, options, prepare] = (globalThis.Deno?.args ?? process.argv.slice(2));
if (prepare) (0, eval)(prepare);
console.log(await scenarios[name](JSON.parse(options)));`,
    );
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

async function bundle(platform: 'node' | 'browser', name: string, entry: string): Promise<void> {
  await build({
    entryPoints: [join(source, entry)],
    outfile: join(folder, name),
    bundle: true,
    minify: true,
    keepNames: true,
    format: 'esm',
    platform,
    conditions: ['@paris/source'],
    logLevel: 'error',
  });
}

/** What a process prints that runs one scenario and ends by itself. */
function run(
  command: string,
  parameters: readonly string[],
  scenario: string,
  options: CreateGpuOptions,
  { main = 'main.mjs', prepare = '' } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      command,
      [...parameters, join(folder, main), scenario, JSON.stringify(options), prepare],
      { timeout: 120_000, env: { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1' } },
      (error, stdout, stderr) => (error ? reject(new Error(`${error.message}\n${stderr}`)) : resolve(stdout.trim())),
    );
  });
}

describe.each([
  ['Node', process.execPath, []],
  ['Deno', deno, ['run', '--quiet', '--no-prompt']],
] as const)('%s', (_, command, parameters) => {
  const scenario = (name: string, options: CreateGpuOptions, how?: { main?: string; prepare?: string }) =>
    run(command, parameters, name, options, how);

  it('gives the same bytes with one thread, two, and without shared memory, and exits while workers idle', async () => {
    expect(await scenario('rounds', { threads: 1 })).toBe(`Paris on WebAssembly, 1 thread: ${HASH}`);
    expect(await scenario('rounds', { threads: 2 })).toBe(`Paris on WebAssembly, 2 threads: ${HASH}`);
    const prepare = 'delete globalThis.SharedArrayBuffer';
    expect(await scenario('rounds', { threads: 2 }, { prepare })).toBe(`Paris on WebAssembly, 1 thread: ${HASH}`);
  });

  // Before 20.16 Node gives a bundle for pages no threads.
  it.skipIf(!process.getBuiltinModule)('does the same from a bundle for pages', async () => {
    const how = { main: 'page-main.mjs' };
    expect(await scenario('rounds', { threads: 2 }, how)).toBe(`Paris on WebAssembly, 2 threads: ${HASH}`);
    expect(await scenario('pending map', { threads: 2 }, how)).toBe('left\nmapped');
    expect(await scenario('endless', { threads: 2 }, how)).toBe(`fulfilled rejected fulfilled, then ${HASH}`);
  });

  it.each([{ threads: 2 }, { sharedMemory: false }])('stays alive for what is pending: %o', async (options) => {
    expect(await scenario('pending map', options)).toBe('left\nmapped');
    expect(await scenario('pending pipeline', options)).toBe('left\ncompiled');
  });

  it.each([{ threads: 2 }, { sharedMemory: false }])(
    'settles and exits when destroyed in an endless kernel: %o',
    async (options) => {
      expect(await scenario('endless', options)).toBe(`fulfilled rejected fulfilled, then ${HASH}`);
    },
  );
});

describe('Chromium', () => {
  let browser: Browser | undefined;
  let server: Server;
  let origin: string;

  beforeAll(async () => {
    server = createServer(({ url = '/' }, response) => {
      const { pathname, search } = new URL(url, 'http://localhost');
      if (search === '?isolated' || pathname !== '/') {
        response.setHeader('cross-origin-opener-policy', 'same-origin');
        response.setHeader('cross-origin-embedder-policy', 'require-corp');
      }
      const policy = policies[search];
      if (policy) response.setHeader('content-security-policy', policy);
      response.setHeader('content-type', pathname === '/' ? 'text/html' : 'text/javascript');
      const file = join(folder, pathname);
      response.end(pathname === '/' || !existsSync(file) ? '<!doctype html><title>Paris</title>' : readFileSync(file));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    if (hasChromium) browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });
  beforeEach(requireChromium);

  const policies: Record<string, string> = {
    '?blob': "script-src 'self' 'wasm-unsafe-eval'; worker-src blob:",
    '?self': "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'",
  };

  /** Runs a scenario on a page of its own. */
  async function onPage(query: string, name: string, options: CreateGpuOptions = {}, file = false): Promise<string> {
    const page: Page = await browser!.newPage();
    try {
      await page.goto(`${origin}${query}`);
      // A text, because the test's transform would change a function.
      const worker = file ? `, worker: () => new Worker('/worker.js', { type: 'module' })` : '';
      return await page.evaluate<string>(
        `import('/scenarios.js').then(({ scenarios }) => scenarios['${name}']({ ...${JSON.stringify(options)}${worker} }))`,
      );
    } finally {
      await page.close();
    }
  }

  it('shares memory where the page is cross-origin isolated', async () => {
    expect(await onPage('?isolated', 'rounds', { threads: 2 })).toBe(`Paris on WebAssembly, 2 threads: ${HASH}`);
    expect(await onPage('?isolated', 'endless', { threads: 2 })).toBe(`fulfilled rejected fulfilled, then ${HASH}`);
  });

  it('has one worker elsewhere, and gives the same bytes', async () => {
    expect(await onPage('', 'rounds', { threads: 2 })).toBe(`Paris on WebAssembly, 1 thread: ${HASH}`);
    expect(await onPage('', 'endless')).toBe(`fulfilled rejected fulfilled, then ${HASH}`);
  });

  it('works under a content security policy', async () => {
    expect(await onPage('?blob', 'rounds')).toBe(`Paris on WebAssembly, 1 thread: ${HASH}`);
    expect(await onPage('?self', 'rounds', {}, true)).toBe(`Paris on WebAssembly, 1 thread: ${HASH}`);
  });
});
