// A training on a page's private files, in a real Chromium: the page is reloaded in the middle, and the run ends with Node's bytes.
import { hasChromium, requireChromium } from '@paris/test-tools/chromium';
import type { Page } from 'playwright-core';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Trained, trainInMemory } from '../testing/in-a-page.testing.js';
import { bundle, onPage } from '../testing/page.testing.js';

describe('thirty steps on a page that is reloaded in the middle', () => {
  let module: string;
  let inNode: Trained;
  beforeAll(async () => {
    if (!hasChromium) return;
    [module, inNode] = [
      await bundle(new URL('../testing/in-a-page.testing.ts', import.meta.url), 'browser'),
      await trainInMemory(),
    ];
  });
  beforeEach(requireChromium);

  /** Texts, because the test's transform would change functions. */
  const begin = (where: 'cpu' | 'webgpu') =>
    `import('/module.mjs').then(({ trainOnPage }) => trainOnPage('${where}', (event) => {
      if (event.type === 'checkpoint') globalThis.saved = event.step;
    }))`;

  async function interrupted(page: Page, where: 'cpu' | 'webgpu'): Promise<Trained> {
    // The reload ends what runs there.
    const first = page.evaluate(begin(where)).catch(() => undefined);
    await page.waitForFunction('globalThis.saved >= 8', undefined, { polling: 5, timeout: 120_000 });
    await page.reload();
    expect(await first).toBeUndefined();
    return page.evaluate(begin(where));
  }

  it('has the bytes of Node on the CPU device', async () => {
    const trained = await onPage(module, (page) => interrupted(page, 'cpu'));
    expect(trained.from).toBeGreaterThanOrEqual(8);
    expect(trained.from).toBeLessThan(30);
    expect(trained).toEqual({ ...inNode, from: trained.from });
    expect(trained.losses).toHaveLength(30);
  });

  it("has losses within 1e-3 of Node's on WebGPU", async () => {
    const flags = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];
    const trained = await onPage(module, (page) => interrupted(page, 'webgpu'), flags);
    expect(trained.from).toBeGreaterThanOrEqual(8);
    expect(trained.losses).toHaveLength(30);
    for (const [i, loss] of trained.losses.entries()) expect(Math.abs(loss - inNode.losses[i]!)).toBeLessThan(1e-3);
  });
});
