// What only a page with a model of its own does: it opens other models, from folders and addresses.
import { join } from 'node:path';
import { ROOT } from '../markdown.js';
import { lookAt } from './look.js';
import { status } from './page.js';

/** @typedef {import('playwright-core').Page} Page */

const MODEL = join(ROOT, 'examples', 'quickstart', 'model');

/** @param {Page} page */
export async function opensModels(page) {
  /** @type {string[]} */
  const wrong = [];
  const until = (/** @type {RegExp} */ wanted) =>
    page
      .waitForFunction(
        (source) => new RegExp(source).test(`${document.title}: ${document.querySelector('#status')?.textContent}`),
        wanted.source,
        { timeout: 20_000 },
      )
      .catch(async () => wrong.push(`it says "${await page.title()}: ${await status(page)}", not ${wanted}`));

  // A folder that is dropped, by the browser's own protocol: pages cannot make one up.
  const devtools = await page.context().newCDPSession(page);
  for (const type of /** @type {const} */ (['dragEnter', 'dragOver', 'drop'])) {
    const data = { items: [], files: [MODEL], dragOperationsMask: 1 };
    await devtools.send('Input.dispatchDragEvent', { type, x: 200, y: 200, data });
  }
  await until(/^model: Ready\.$/);

  await page.getByRole('button', { name: 'Open a model' }).click();
  wrong.push(...(await lookAt(page, 'dialog')));
  await page.getByLabel('Address of a model').fill(new URL('nothing-here/', page.url()).href);
  await page.getByLabel('Address of a model').press('Enter');
  await until(/: nothing-here did not open: .* The page still has model\.$/);

  await page.getByRole('button', { name: 'Open a model' }).click();
  await page.getByLabel('A folder on this device').setInputFiles(join(MODEL, 'router'));
  await until(/: router did not open: .*model_index\.json.*The page still has model\.$/);

  // Experts that come and go, in 8 bits. Too little memory is said in a sentence.
  for (const [memory, wanted] of /** @type {const} */ ([
    ['0.000001', /did not open: .*memory.* The page still has model\.$/],
    ['0.0005', /^Paris: Ready\.$/],
  ])) {
    await page.getByRole('button', { name: 'Open a model' }).click();
    await page.getByLabel('Weights in memory').selectOption('q8');
    await page.getByLabel('Most memory').fill(memory);
    await page.getByLabel('Address of a model').fill(new URL('./', page.url()).href);
    await page.getByRole('button', { name: 'Open the folder' }).click();
    await until(wanted);
  }
  await page.getByRole('button', { name: 'Draw', exact: true }).click();
  await until(/: .* in \d+\.\d s\.$/);
  return [...wrong, ...(await opensWhileItDraws(page, until))];
}

/**
 * Another model in the middle of a drawing: the drawing ends, and the page is as free as before.
 * @param {Page} page @param {(wanted: RegExp) => Promise<unknown>} until
 */
async function opensWhileItDraws(page, until) {
  const wrong = [];
  const steps = page.getByLabel('Steps', { exact: true });
  const before = await steps.inputValue();
  await steps.fill('1000');
  await page.getByRole('button', { name: 'Draw', exact: true }).click();
  await page.locator('#legend .at-work').first().waitFor();
  await page.getByRole('button', { name: 'Open a model' }).click();
  await page.getByLabel('Address of a model').fill(new URL('./', page.url()).href);
  await page.getByRole('button', { name: 'Open the folder' }).click();
  await until(/: Ready\.$/);
  const left = await page.evaluate(() => [
    document.body.getAttribute('aria-busy'),
    ...[...document.querySelectorAll('#stop, #progress')].map((each) => /** @type {HTMLElement} */ (each).hidden),
    document.querySelectorAll('#legend .at-work, #pictures figure').length,
  ]);
  if (left.join() !== 'false,true,true,0') wrong.push(`opened in the middle of a drawing, it is left with ${left}`);
  await steps.fill(before);
  await page.getByRole('button', { name: 'Draw', exact: true }).click();
  await until(/: .* in \d+\.\d s\.$/);
  return wrong;
}
