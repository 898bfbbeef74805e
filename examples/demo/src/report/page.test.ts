// The page in a real browser: it asks for nothing, complains of nothing, shows everything, and can be read by everyone.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { hasChromium, launchChromium, requireChromium } from '@paris/test-tools/chromium';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { pageInputFixture } from '../fixtures/page-input.js';
import { fontCss } from './fonts.js';
import { renderPage } from './page.js';
import type { PageInput } from './types.js';

const sections = [
  'samples',
  'released',
  'flow',
  'clusters',
  'training',
  'router',
  'evaluation',
  'controls',
  'run',
  'licences',
];

describe('the page in a browser', () => {
  let input: PageInput;
  let browser: Browser | undefined;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'paris-page-'));
    input = await pageInputFixture();
    if (hasChromium) browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true });
  });
  beforeEach(requireChromium);

  /** Opens the page and notes all it asks for and complains of. */
  const open = async (given: PageInput, options: Parameters<Browser['newPage']>[0] = {}) => {
    const file = join(folder, 'index.html');
    await writeFile(file, renderPage(given, await fontCss()));
    const page = await browser!.newPage({ viewport: { width: 1280, height: 900 }, ...options });
    const complaints: string[] = [];
    const requests: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('request', (request) => requests.push(request.url()));
    await page.goto(pathToFileURL(file).href, { timeout: 240_000 }); // seconds, but for a busy machine
    await page.evaluate(() => document.fonts.ready);
    return { page, complaints, requests: requests.filter((url) => !url.startsWith('data:')) };
  };

  it('needs no other file and no network, and has no errors', async () => {
    const { page, complaints, requests } = await open(input);
    expect(complaints).toEqual([]);
    expect(requests).toEqual([pathToFileURL(join(folder, 'index.html')).href]);
    const broken = await page.evaluate(() => [...document.images].filter((image) => image.naturalWidth === 0).length);
    expect(broken).toBe(0);
    expect(await page.evaluate(() => document.fonts.check('16px Newsreader'))).toBe(true);
    await page.close();
  });

  it('shows every section with a heading and the figures of its input', async () => {
    const { page } = await open(input);
    for (const id of sections) expect(await page.locator(`section#${id} h2`).count(), id).toBe(1);
    const text = (await page.locator('main').innerText()).replaceAll('\u00a0', ' ');
    for (const figure of [
      '70 %',
      '66 %',
      '0.412',
      '0.021',
      '−0.1660 ± 0.0050',
      'npm run demo -- --adapter swiftshader',
      'CC-BY-4.0',
    ]) {
      expect(text).toContain(figure);
    }
    expect(await page.locator('.sample:not(.released)').count()).toBe(16);
    expect(await page.locator('.sample.released').count()).toBe(8);
    expect(await page.locator('.strip').first().locator('rect').count()).toBe(48);
    expect(await page.locator('.cluster .thumbs img').count()).toBe(8 * 48);
    expect(await page.locator('#training svg .curve').count()).toBe(8);
    expect(await page.locator('#evaluation svg .whisker:not(.ground)').count()).toBe(input.arms.length);
    await page.close();
  });

  it('keeps pixels sharp and describes every picture', async () => {
    const { page } = await open(input);
    const sharp = await page.evaluate(() =>
      [...document.querySelectorAll('img.pixels')].every(
        (image) => getComputedStyle(image).imageRendering === 'pixelated',
      ),
    );
    expect(sharp).toBe(true);
    const undescribed = await page.evaluate(() => ({
      images: [...document.images].filter((image) => !image.alt).length,
      charts: [...document.querySelectorAll('svg')].filter((svg) => !svg.getAttribute('aria-label')).length,
    }));
    expect(undescribed).toEqual({ images: 0, charts: 0 });
    await page.close();
  });

  it.each(['light', 'dark'] as const)('has enough contrast for text in %s', async (colorScheme) => {
    const { page } = await open(input, { colorScheme });
    expect(await lowContrast(page)).toEqual([]);
    await page.close();
  });

  it('fits a phone', async () => {
    const { page } = await open(input, { viewport: { width: 390, height: 844 } });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    await page.close();
  });

  it('dims the other experts when one is chosen', async () => {
    const { page } = await open(input);
    await page.click('[data-focus="3"]');
    await page.mouse.move(0, 0);
    const opacity = (expert: number) =>
      page.evaluate(
        (selector) => getComputedStyle(document.querySelector(selector)!).opacity,
        `#training [data-expert="${expert}"]`,
      );
    // It fades, for as long as the machine is busy.
    await expect.poll(async () => [await opacity(3), await opacity(4)], { timeout: 60_000 }).toEqual(['1', '0.14']);
    expect(await page.getAttribute('[data-focus="3"]', 'aria-pressed')).toBe('true');
    await page.click('[data-focus="3"]');
    await page.mouse.move(0, 0);
    await expect.poll(() => opacity(4), { timeout: 60_000 }).toBe('1');
    await page.close();
  });

  it('says what failed, and calls clusters semantic only where they are', async () => {
    const { page } = await open({
      ...input,
      semantic: { ...input.semantic, semantic: false },
      controls: input.controls.map((control, i) => ({ ...control, passed: i !== 1 })),
    });
    expect(await page.locator('.verdict').innerText()).toContain('One of two controls failed: top-2 against permuted');
    expect(await page.locator('#clusters h2').innerText()).toBe('Eight clusters');
    expect(await page.locator('#clusters .lead').innerText()).toContain('not called semantic');
    await page.close();
  });
});

/** Texts whose colour is closer than 4.5:1 to their background (WCAG 2.2, 1.4.3), outside of pictures. */
function lowContrast(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true })!;
    const paint = (...colours: string[]) => {
      context.clearRect(0, 0, 1, 1);
      for (const colour of colours) {
        context.fillStyle = colour;
        context.fillRect(0, 0, 1, 1);
      }
      return [...context.getImageData(0, 0, 1, 1).data.slice(0, 3)];
    };
    // Relative luminance and contrast ratio as WCAG defines them.
    const luminance = (rgb: number[]) => {
      const [r, g, b] = rgb.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
    };
    const paper = getComputedStyle(document.documentElement).backgroundColor;
    const texts = [...document.querySelectorAll('main *')].filter((element) =>
      [...element.childNodes].some(
        (node) => node.nodeType === Node.TEXT_NODE && node.textContent!.trim() && element.tagName !== 'title',
      ),
    );
    return texts.flatMap((element) => {
      const style = getComputedStyle(element);
      const behind: string[] = [];
      for (let at: Element | null = element; at; at = at.parentElement)
        behind.unshift(getComputedStyle(at).backgroundColor);
      const colour = element instanceof SVGElement ? style.fill : style.color;
      const [text, ground] = [luminance(paint(paper, ...behind, colour)), luminance(paint(paper, ...behind))];
      const ratio = (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05);
      // Large or bold short labels of curves need 3:1 (they repeat what the legend says).
      const needed = element.classList.contains('curve-label') ? 3 : 4.5;
      return ratio < needed ? [`${element.textContent!.trim().slice(0, 40)}: ${ratio.toFixed(2)}`] : [];
    });
  });
}
