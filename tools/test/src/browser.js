// The pages of examples/browser in a real Chromium: they sample and train, with WebGPU and, on the CPU, without.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { preview } from 'vite';
import { launchChromium } from './chromium.js';
import { ROOT } from './markdown.js';
import { opensModels } from './visits/local.js';
import { drawsOnce, visit } from './visits/page.js';
import { trains } from './visits/train.js';

export const WEBGPU = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];

/** gzip, in bytes: what the page downloads before anything is drawn, and what its worker is. */
const WEIGHTS = { page: 14_000, worker: 200_000 };

/** Checks the built pages. @param {import('./counter.js').Counter} counter */
export async function checkPage(counter) {
  const root = join(ROOT, 'examples', 'browser');
  for (const [name, limit] of Object.entries(WEIGHTS)) {
    const bytes = downloaded(join(root, 'dist'), name);
    if (bytes > 5_000 && bytes <= limit) counter.pass(`the ${name} is ${bytes} bytes of gzip, of ${limit}`);
    else counter.fail('size', `the ${name} is ${bytes} bytes of gzip, of ${limit}`);
  }
  const all = async (/** @type {import('playwright-core').Page} */ page) => [
    ...(await visit(page, 'page')),
    ...(await opensModels(page)),
  ];
  for (const [name, path, webgpu, check] of /** @type {const} */ ([
    ['the page without WebGPU', '', false, all],
    ['the page with WebGPU', '?device=webgpu', true, drawsOnce],
    ['training without WebGPU', 'train.html', false, trains],
    ['training with WebGPU', 'train.html?device=webgpu', true, trains],
  ])) {
    const wrong = await openPage({ root, path, webgpu }, check);
    if (wrong.length === 0) counter.pass(`${name} does what it should`);
    else counter.fail(name, wrong.join('\n'));
  }
}

/** A script, its style sheet, and what it imports at once; of the page or of its worker. @param {string} dist @param {string} name */
function downloaded(dist, name) {
  const index = readFileSync(join(dist, 'index.html'), 'utf8');
  const first = [...index.matchAll(/(?:src|href)="\.\/(assets\/[^"]+)"/g)].map(([, path = '']) => path);
  const text = (/** @type {string} */ path) => readFileSync(join(dist, path), 'utf8');
  const main = first.map(text).join('\n');
  const files = new Set(name === 'page' ? first : [`assets/${/worker-[\w-]+\.js/.exec(main)?.[0]}`]);
  for (const file of files) {
    for (const [, path] of text(file).matchAll(/(?:from|\bimport)\s*["`]\.\/([\w.-]+\.js)["`]/g))
      files.add(`assets/${path}`);
  }
  return [...files].reduce((sum, file) => sum + gzipSync(text(file), { level: 9 }).length, 0);
}

/**
 * Opens a page that Vite has built. @returns what `check` found wrong, and the errors of the page
 * @param {{ root: string, path?: string, webgpu: boolean }} where
 * @param {(page: import('playwright-core').Page) => Promise<string[]>} check
 */
export async function openPage({ root, path = '', webgpu }, check) {
  const server = await preview({ root, preview: { port: 0, host: '127.0.0.1' }, logLevel: 'silent' });
  const origin = server.resolvedUrls?.local[0] ?? '';
  const flags = webgpu ? WEBGPU : [];
  try {
    return await onPage({ flags, origin }, async (page) => {
      await page.goto(path);
      return check(page);
    });
  } finally {
    await server.close();
  }
}

/**
 * A page of a browser of its own. @returns what `check` found wrong, and the errors of the page
 * @param {{ flags: readonly string[], origin: string, ignored?: RegExp, timeout?: number }} how - `ignored`:
 *   what the browser reports as errors and are none
 * @param {(page: import('playwright-core').Page) => Promise<string[]>} check
 */
export async function onPage({ flags, origin, ignored, timeout = 180_000 }, check) {
  const browser = await launchChromium(flags);
  /** @type {string[]} */
  const errors = [];
  try {
    const page = await browser.newPage({ baseURL: origin });
    page.setDefaultTimeout(timeout);
    page.on('pageerror', ({ message }) => errors.push(message));
    page.on('console', (message) => {
      if (message.type() === 'error' && !ignored?.test(message.text())) errors.push(message.text());
    });
    return [...(await check(page)), ...errors];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error), ...errors];
  } finally {
    await browser.close();
  }
}
