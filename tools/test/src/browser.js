// The page of examples/browser in a real Chromium: it samples and trains, with WebGPU and, on the CPU,
// without.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { preview } from 'vite';
import { ROOT } from './markdown.js';

/** A browser on this machine, if there is one. */
export const CHROMIUM = [process.env.PARIS_CHROMIUM, '/usr/bin/chromium', '/usr/bin/google-chrome'].find(
  (path) => path && existsSync(path),
);
const WEBGPU = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];
const STEPS = 4;

/** Checks the built page. @param {import('./counter.js').Counter} counter @param {string} executablePath */
export async function checkPage(counter, executablePath) {
  const root = join(ROOT, 'examples', 'browser');
  for (const [name, webgpu, check] of /** @type {const} */ ([
    ['browser', true, uses],
    ['browser without WebGPU', false, uses],
  ])) {
    const wrong = await openPage({ root, executablePath, webgpu }, check);
    if (wrong.length === 0) counter.pass(`${name}: the page does what it should`);
    else counter.fail(name, wrong.join('\n'));
  }
}

/**
 * Opens a page that Vite has built. @returns what `check` found wrong, and the errors of the page
 * @param {{ root: string, executablePath: string, webgpu: boolean }} where
 * @param {(page: import('playwright-core').Page) => Promise<string[]>} check
 */
export async function openPage({ root, executablePath, webgpu }, check) {
  const server = await preview({ root, preview: { port: 0, host: '127.0.0.1' }, logLevel: 'silent' });
  const args = ['--headless=new', '--no-sandbox', ...(webgpu ? WEBGPU : [])];
  const browser = await chromium.launch({ executablePath, args });
  /** @type {string[]} */
  const errors = [];
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(180_000);
    page.on('pageerror', ({ message }) => errors.push(message));
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text());
    });
    await page.goto(server.resolvedUrls?.local[0] ?? '');
    return [...(await check(page)), ...errors];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error), ...errors];
  } finally {
    await browser.close();
    await server.close();
  }
}

/** Samples and trains as a visitor would. @param {import('playwright-core').Page} page @returns {Promise<string[]>} */
async function uses(page) {
  await page.waitForSelector('#sample [type=submit]:enabled');
  await page.fill('#sample [name=steps]', String(STEPS));
  await page.click('#sample [type=submit]');
  await page.waitForSelector('body[aria-busy=false]');
  await page.fill('#train [name=steps]', String(STEPS));
  await page.click('#train [type=submit]');
  await page.waitForSelector('body[aria-busy=false]');

  const seen = await page.evaluate(() => {
    /** How many colours a canvas shows. */
    const colours = (/** @type {HTMLCanvasElement} */ canvas) => {
      const data = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
      return new Set(Array.from({ length: data.length / 4 }, (_, i) => data.slice(4 * i, 4 * i + 3).join())).size;
    };
    const all = (/** @type {string} */ selector) => /** @type {any[]} */ ([...document.querySelectorAll(selector)]);
    return {
      samples: all('#pictures canvas').map(colours),
      // By picture, the height of all columns of its strip: the weights of a step sum to 1.
      strips: all('#pictures svg').map((svg) =>
        [...svg.children].reduce((sum, rect) => sum + Number(rect.getAttribute('height')), 0),
      ),
      legend: all('#legend li').length,
      drawings: all('#drawings canvas').map(colours),
      learned: all('#learned canvas').map(colours),
      losses: all('#loss .line').flatMap((line) => line.getAttribute('points').split(' ')),
      notes: all('.note').map((note) => note.textContent),
    };
  });
  const wrong = [];
  const many = (/** @type {number[]} */ counts, /** @type {number} */ wanted, /** @type {number} */ least) =>
    counts.length === wanted && counts.every((count) => count >= least);
  if (!many(seen.samples, 4, 20)) wrong.push(`samples of ${seen.samples} colours`);
  if (!many(seen.drawings, 48, 2)) wrong.push(`drawings of ${seen.drawings} colours`);
  if (!many(seen.learned, 16, 20)) wrong.push(`samples of the new expert of ${seen.learned} colours`);
  if (seen.legend !== 4) wrong.push(`${seen.legend} experts in the legend`);
  if (!(seen.strips.length === 4 && seen.strips.every((sum) => Math.abs(sum - STEPS) < 1e-3)))
    wrong.push(`strips whose weights sum to ${seen.strips}, not ${STEPS}`);
  if (!(seen.losses.length === STEPS && seen.losses.every((point) => !point.includes('NaN'))))
    wrong.push(`a loss curve of ${seen.losses}`);
  if (!/^4 pictures in /.test(seen.notes[0]) || !/^Trained, /.test(seen.notes[1])) wrong.push(seen.notes.join('\n'));
  return wrong;
}
