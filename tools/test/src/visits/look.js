// What a visit of a page looks at: what canvases show, what axe finds, and how it looks.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import axe from 'axe-core';

/** @typedef {import('playwright-core').Page} Page */

/** How many colours each of these canvases shows. @param {Page} page @param {string} selector @returns {Promise<number[]>} */
export function colours(page, selector) {
  return page.locator(selector).evaluateAll((all) =>
    /** @type {HTMLCanvasElement[]} */ (all).map((canvas) => {
      const data = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
      return new Set(Array.from({ length: data.length / 4 }, (_, i) => data.slice(4 * i, 4 * i + 3).join())).size;
    }),
  );
}

/** The bytes of a canvas. @param {Page} page @param {string} selector @returns {Promise<number[]>} */
export function pixels(page, selector) {
  return page.locator(selector).evaluate((element) => {
    const canvas = /** @type {HTMLCanvasElement} */ (element);
    return [...(canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [])];
  });
}

/**
 * Light, dark and on a phone: what axe finds, and what does not fit. With PARIS_SCREENSHOTS, pictures of it go into that folder.
 * @param {Page} page @param {string} name @returns {Promise<string[]>}
 */
export async function lookAt(page, name) {
  const folder = process.env.PARIS_SCREENSHOTS;
  if (folder) mkdirSync(folder, { recursive: true });
  const wrong = [];
  await page.evaluate(axe.source);
  for (const [how, colorScheme, width] of /** @type {const} */ ([
    ['light', 'light', 1280],
    ['dark', 'dark', 1280],
    ['phone', 'light', 360],
  ])) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.setViewportSize({ width, height: 800 });
    const { violations } = await page.evaluate(() => /** @type {any} */ (window).axe.run());
    for (const { id, nodes } of violations) wrong.push(`${name}, ${how}: axe finds ${id} in ${nodes[0].html}`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    if (wide > width) wrong.push(`${name}, ${how}: ${wide} pixels wide in a window of ${width}`);
    if (folder) await page.screenshot({ path: join(folder, `${name}-${how}.png`), fullPage: true });
  }
  await page.setViewportSize({ width: 1280, height: 800 });
  return wrong;
}
