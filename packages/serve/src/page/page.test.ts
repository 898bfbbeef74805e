// The page at `/` in a real browser, against the toy model.
import { fileURLToPath } from 'node:url';
import { launchChromium, requireChromium } from '@paris/test-tools/chromium';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { visit } from '../../../../tools/test/src/visits/page.js';
import { type Listening, listen } from '../node/index.js';
import { classPipeline, toyPipeline, toyServer, watched, weakerPipeline } from '../testing.testing.js';

const model = fileURLToPath(new URL('../../../../examples/quickstart/model', import.meta.url));

describe('the page', () => {
  const failures: unknown[] = [];
  let listening: Listening;
  let stranger: Listening;
  let friend: Listening;
  beforeAll(async () => {
    listening = await listen(
      toyServer({ name: 'toy "1" $&', apiKey: 'secret', onFailure: (error) => failures.push(error) }),
      { port: 0 },
    );
    stranger = await listen(toyServer(), { port: 0 });
    friend = await listen(toyServer({ origins: [listening.url] }), { port: 0 });
  });
  afterAll(() => Promise.all([listening, stranger, friend].map((each) => each.close())));

  it('asks for the key, draws on the server, and opens a model of its visitor’s', async (context) => {
    requireChromium(context);
    const browser = await launchChromium();
    try {
      const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
      page.setDefaultTimeout(60_000);
      const errors: string[] = [];
      page.on('pageerror', ({ message }) => errors.push(message));
      page.on('console', (message) => {
        // What the browser notes of the wrong key, the policy that there is not, and the server that does not know the page.
        const isWanted = /status of 40[013]|blocked by CORS|ERR_FAILED/.test(message.text());
        if (message.type() === 'error' && !isWanted) errors.push(message.text());
      });
      await page.goto(listening.url);
      await page.getByRole('dialog', { name: 'Open a model' }).getByText('The API key is missing or wrong').waitFor();
      await givesKey(page, 'wrong');
      await page.getByRole('dialog').getByText('The API key is missing or wrong').waitFor();
      await givesKey(page, 'secret');
      expect(await visit(page, 'server')).toEqual([]);
      expect(failures).toEqual([]); // a drawing that was stopped is none
      expect(await page.title()).toBe('toy "1" $&');
      expect(await page.getByRole('link', { name: 'The API of this server' }).isVisible()).toBe(true);

      for (const [server, said] of [
        [stranger, /did not open: .*does not answer this page\. .*--cors http:\/\/127\.0\.0\.1:\d+\?/],
        [friend, /^Ready\.$/],
      ] as const) {
        await page.getByRole('button', { name: 'Open a model' }).click();
        await page.getByLabel('Address of a server').fill(server.url);
        await page.getByLabel('Address of a server').press('Enter');
        await page.locator('#status').filter({ hasText: said }).waitFor();
      }
      expect(await page.title()).toBe('toy');
      await page.getByRole('button', { name: 'Draw', exact: true }).click();
      await page
        .locator('#status')
        .filter({ hasText: / in \d/ })
        .waitFor();

      await page.getByRole('button', { name: 'Open a model' }).click();
      await page.getByLabel('A folder on this device').setInputFiles(model);
      await page.getByText('in this browser, on').waitFor();
      expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
      await page.getByLabel('Steps', { exact: true }).fill('2');
      await page.getByRole('button', { name: 'Draw', exact: true }).click();
      await page
        .locator('#status')
        .filter({ hasText: / in \d/ })
        .waitFor();
      expect(errors).toEqual([]);
    } finally {
      await browser.close();
    }
  });

  it('offers the classes of a model that takes classes', async (context) => {
    requireChromium(context);
    const fish = await listen(toyServer({ open: classPipeline }), { port: 0 });
    const browser = await launchChromium();
    try {
      const page = await browser.newPage();
      await page.goto(fish.url);
      await page.getByText(/^One expert, 8×8 pixels/).waitFor();
      expect(await page.getByLabel('Class', { exact: true }).inputValue()).toBe('tench');
      await page.getByRole('button', { name: 'goldfish' }).click();
      await page.getByLabel('Steps', { exact: true }).fill('2');
      await page.getByRole('button', { name: 'Draw', exact: true }).click();
      await page.getByRole('img', { name: 'goldfish, seed 7, picture 3, top1' }).waitFor();
    } finally {
      await browser.close();
      await fish.close();
    }
  });

  it('leads away from a weaker model where the server has one', async (context) => {
    requireChromium(context);
    const scales: unknown[] = [];
    const open = async () =>
      watched(await toyPipeline(), ({ autoguidance, batchSize }) => {
        if (batchSize !== undefined) scales.push(autoguidance?.scale); // a request's
      });
    const led = await listen(toyServer({ open, openWeaker: weakerPipeline }), { port: 0 });
    const browser = await launchChromium();
    try {
      const page = await browser.newPage();
      await page.goto(led.url);
      await page.getByText('Ready.').waitFor();
      await page.getByText('More', { exact: true }).click();
      await page.getByLabel('Steps', { exact: true }).fill('2');
      for (const scale of ['3', '']) {
        await page.getByLabel('Autoguidance').fill(scale);
        await page.getByRole('button', { name: 'Draw', exact: true }).click();
        await page.getByText(/^4 pictures in /).waitFor();
        await page.evaluate(() => document.querySelector('#status')!.replaceChildren());
      }
      expect([...new Set(scales)]).toEqual([3, undefined]);
      await page.goto(stranger.url);
      await page.getByText('Ready.').waitFor();
      expect(await page.locator('#autoguided[hidden]').count()).toBe(1);
    } finally {
      await browser.close();
      await led.close();
    }
  });

  it('has files of their types, and no others', async () => {
    const get = (path: string) => fetch(new URL(path, listening.url));
    const index = await (await get('/')).text();
    const script = /src="(\.\/assets\/[^"]+\.js)"/.exec(index)?.[1];
    expect((await get(script!)).headers.get('content-type')).toContain('text/javascript');
    expect((await get('/assets/constructor')).status).toBe(404);
    expect((await get('/assets/..%2Findex.html')).status).toBe(404);
  });
});

async function givesKey(page: Page, key: string): Promise<void> {
  await page.getByLabel('Its API key').fill(key);
  await page.getByLabel('Its API key').press('Enter');
}
