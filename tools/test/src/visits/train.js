// A visit of the page that trains an expert.
import { colours, lookAt } from './look.js';

const STEPS = 4;

/** @param {import('playwright-core').Page} page @returns {Promise<string[]>} */
export async function trains(page) {
  await page.waitForSelector('[type=submit]:enabled');
  await page.getByLabel('Steps').fill(String(STEPS));
  await page.getByRole('button', { name: 'Train' }).click();
  await page.waitForSelector('body[aria-busy=false]');
  const wrong = [];
  const many = (/** @type {number[]} */ counts, /** @type {number} */ wanted, /** @type {number} */ least) =>
    counts.length === wanted && counts.every((count) => count >= least);
  const [drawings, learned] = [await colours(page, '#drawings canvas'), await colours(page, '#learned canvas')];
  if (!many(drawings, 48, 2)) wrong.push(`drawings of ${drawings} colours`);
  if (!many(learned, 16, 20)) wrong.push(`samples of the new expert of ${learned} colours`);
  const points = (await page.locator('#loss .line').getAttribute('points'))?.split(' ') ?? [];
  if (!(points.length === STEPS && points.every((point) => !point.includes('NaN'))))
    wrong.push(`a loss curve of ${points}`);
  const said = await page.locator('#status').innerText();
  if (!/^Trained, /.test(said)) wrong.push(said);
  return [...wrong, ...(await lookAt(page, 'train'))];
}
