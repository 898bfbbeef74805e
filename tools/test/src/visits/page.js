// A visit of the page that samples, as a person would make it: by its labels, the keyboard and the mouse. The page is the same with
// a model of its own and in front of a server.
import { readFile } from 'node:fs/promises';
import { colours, lookAt, pixels } from './look.js';

/** @typedef {import('playwright-core').Page} Page */

const STEPS = 4;

/** @param {Page} page */
async function untilDrawn(page) {
  await page.waitForSelector('body[aria-busy=false]');
}

/** Draws, and waits for the pictures. @param {Page} page */
async function draw(page) {
  await page.getByRole('button', { name: 'Draw', exact: true }).click();
  await untilDrawn(page);
}

/** @param {Page} page */
export function status(page) {
  return page.locator('#status').innerText();
}

/**
 * What every visit does, whether a server or the page draws. @returns what is wrong
 * @param {Page} page @param {string} name
 */
export async function visit(page, name) {
  await page.waitForSelector('#go:enabled');
  return [
    ...(await drawsByKeyboard(page)),
    ...(await showsItsWork(page)),
    ...(await comparesPolicies(page)),
    ...(await drawsAgainAndAlike(page)),
    ...(await paintsInAPicture(page)),
    ...(await explains(page)),
    ...(await followsTheFocus(page)),
    ...(await lookAt(page, name)),
  ];
}

/** The shortest visit: the same page on another device. @param {Page} page */
export async function drawsOnce(page) {
  await page.waitForSelector('#go:enabled');
  const place = await page.locator('#about').innerText();
  const wrong = place.includes('WebAssembly') ? [`it computes on the CPU: "${place}"`] : [];
  return [...wrong, ...(await drawsByKeyboard(page)), ...(await recovers(page))];
}

/** A GPU that is lost in the middle of a drawing: the model is loaded on another one, or it is said that it was not. @param {Page} page */
async function recovers(page) {
  await losesItsGpu(page);
  const index = '**/model_index.json';
  await page.route(index, (route) => route.fulfill({ json: {} }));
  await page.getByRole('button', { name: 'Draw', exact: true }).click();
  await page.getByText(/did not open: .* The GPU was lost: draw to try again\.$/).waitFor();
  const isBusy = await page.locator('body[aria-busy=true]').count();
  await page.unroute(index);
  await page.getByRole('button', { name: 'Draw', exact: true }).click();
  await page.getByText('The GPU was lost, and the model was loaded again. Draw once more.').waitFor();
  await page.getByRole('button', { name: 'Draw', exact: true }).click();
  await page
    .locator('#status')
    .filter({ hasText: / in \d/ })
    .waitFor();
  return isBusy ? ['it stays busy without a GPU'] : [];
}

/** The next use of its GPU is its end. @param {Page} page */
async function losesItsGpu(page) {
  await page.workers()[0]?.evaluate(() => {
    const { createCommandEncoder } = GPUDevice.prototype;
    GPUDevice.prototype.createCommandEncoder = function (...given) {
      this.destroy();
      return createCommandEncoder.apply(this, given);
    };
  });
}

/** The prompt, Enter, and what is to be seen then. @param {Page} page */
async function drawsByKeyboard(page) {
  const wrong = [];
  await page.getByLabel('Steps', { exact: true }).fill(String(STEPS));
  await page.getByLabel('Pictures', { exact: true }).fill('2');
  const prompt = page.getByLabel('Prompt', { exact: true });
  if ((await prompt.inputValue()) === '') wrong.push('the page proposes no prompt');
  await prompt.fill('red <b>zebra</b>');
  if (!(await page.locator('#unknown').innerText()).includes('“zebra”'))
    wrong.push(`of a word that the model does not know it says "${await page.locator('#unknown').innerText()}"`);
  await prompt.press('Enter');
  await untilDrawn(page);
  const said = await status(page);
  if (!/^2 pictures in \d+\.\d s\.$/.test(said)) wrong.push(`the status is "${said}"`);
  const seen = await colours(page, '#pictures canvas');
  if (!(seen.length === 2 && seen.every((count) => count >= 12))) wrong.push(`pictures of ${seen} colours`);
  // The weights of a step sum to 1.
  const sums = await page
    .locator('#pictures svg')
    .evaluateAll((all) =>
      all.map((svg) => [...svg.children].reduce((sum, rect) => sum + Number(rect.getAttribute('height')), 0)),
    );
  if (!(sums.length === 2 && sums.every((sum) => Math.abs(sum - STEPS) < 1e-2)))
    wrong.push(`strips whose weights sum to ${sums}, not ${STEPS}`);
  if ((await page.getByRole('img', { name: /^Drawn by expert \d, \d+ %/ }).count()) !== 2)
    wrong.push('a strip without words');
  const saving = page.waitForEvent('download');
  await page
    .getByRole('link', { name: /^Download: red <b>zebra<\/b>, seed 7/ })
    .first()
    .click();
  const png = await readFile(await (await saving).path(), 'latin1');
  if (!png.includes(`red <b>zebra</b>\nSteps: ${STEPS}, Sampler: euler`))
    wrong.push('a downloaded picture does not say how it was made');
  return wrong;
}

/** While it draws: strips that grow, experts at work, a way to stop. And drafts. @param {Page} page */
async function showsItsWork(page) {
  const wrong = [];
  await page.evaluate(() => {
    /** @type {{ columns: Set<number>, atWork: boolean }} */
    const seen = { columns: new Set(), atWork: false };
    /** @type {any} */ (window).seen = seen;
    new MutationObserver(() => {
      seen.columns.add(
        new Set([...document.querySelectorAll('.strip rect')].map((rect) => rect.getAttribute('x'))).size,
      );
      seen.atWork ||= document.querySelector('#legend .at-work') !== null;
    }).observe(document.querySelector('#stage') ?? document, { subtree: true, childList: true });
  });
  await page.getByLabel('Steps', { exact: true }).fill('60');
  await page.getByRole('button', { name: 'Draw', exact: true }).click();
  await untilDrawn(page);
  const { columns, atWork } = await page.evaluate(() => {
    const { columns, atWork } = /** @type {any} */ (window).seen;
    return { columns: columns.size, atWork };
  });
  if (columns < 10) wrong.push(`the strips were seen in ${columns} states of 60`);
  if (!atWork) wrong.push('no expert was seen at work');
  if ((await page.locator('#legend .at-work').count()) !== 0) wrong.push('an expert is still at work');

  await page.getByLabel('Steps', { exact: true }).fill('200');
  // Clicked by the page itself at the first step: a small model is done before a click from outside arrives.
  await page.evaluate(() => {
    const stop = /** @type {HTMLButtonElement} */ (document.querySelector('#stop'));
    const observer = new MutationObserver(() => {
      if (!document.querySelector('.strip rect')) return;
      observer.disconnect();
      stop.click();
    });
    observer.observe(document.querySelector('#pictures') ?? document, { subtree: true, childList: true });
  });
  await page.getByRole('button', { name: 'Draw', exact: true }).click();
  await untilDrawn(page);
  if ((await status(page)) !== 'Stopped.') wrong.push(`stopped, it says "${await status(page)}"`);

  await page.getByLabel('Steps', { exact: true }).fill(String(STEPS));
  await page.getByLabel('Draw a draft').check();
  await page.getByLabel('Prompt', { exact: true }).fill('circle');
  await page.getByText('A draft.').waitFor();
  if ((await page.locator('#history > li').count()) !== 2) wrong.push('a draft is in the history, or a drawing is not');
  await page.getByLabel('Draw a draft').uncheck();
  return wrong;
}

/** @param {Page} page */
async function comparesPolicies(page) {
  const wrong = [];
  await page.getByLabel('Compare policies').check();
  await page.getByLabel('Policies to compare').fill('top1, full');
  await draw(page);
  const captions = await page.locator('#pictures figcaption').allInnerTexts();
  if (captions.join('; ') !== 'top1, seed 7; full, seed 7') wrong.push(`the compared pictures are "${captions}"`);
  const [one, all] = await page
    .locator('#pictures svg')
    .evaluateAll((strips) => strips.map(({ children }) => children.length));
  if (!(one === STEPS && Number(all) > STEPS)) wrong.push(`strips of ${one} and ${all} parts`);
  await page.getByLabel('Compare policies').uncheck();
  return wrong;
}

/** @param {Page} page */
async function drawsAgainAndAlike(page) {
  const wrong = [];
  const first = '#pictures figure:first-child canvas';
  await page.getByRole('button', { name: 'Again' }).last().click();
  await untilDrawn(page);
  const before = await pixels(page, first);
  if ((await page.getByLabel('Prompt', { exact: true }).inputValue()) !== 'red <b>zebra</b>')
    wrong.push('again leaves the prompt of another drawing');
  await page.getByRole('button', { name: 'Again' }).first().click();
  await untilDrawn(page);
  if (before.join() !== (await pixels(page, first)).join()) wrong.push('again draws another picture');
  await page
    .getByRole('button', { name: /^Like this one: .*picture 1/ })
    .first()
    .click();
  await untilDrawn(page);
  if ((await page.locator('#pictures figure').count()) < 2) wrong.push(`"like this one" says "${await status(page)}"`);
  if ((await page.locator('[name=variationSeed]').inputValue()) === '') wrong.push('the form shows no variation');
  if (before.join() === (await pixels(page, first)).join()) wrong.push('a picture like another one is the same');
  if ((await page.locator('#history > li').count()) !== 6) wrong.push('the history has not each drawing');
  wrong.push(...(await variesAVariation(page)));
  await page.locator('[name=variationSeed]').evaluate((input) => {
    /** @type {HTMLInputElement} */ (input).value = '';
  });
  return wrong;
}

/** One of the variations, varied: not at all, it is that one, and not the picture that it came from. @param {Page} page */
async function variesAVariation(page) {
  const second = '#pictures figure:nth-child(2)';
  const chosen = await pixels(page, `${second} canvas`);
  const seed = await page.locator('[name=variationSeed]').inputValue();
  await page
    .locator(second)
    .getByRole('button', { name: /^Like this one/ })
    .click();
  await untilDrawn(page);
  const path = await page.locator('#moves-path').textContent();
  const wrong = path === `picture 1 of seed ${seed} (0.3)` ? [] : [`of the variation that is varied it says "${path}"`];
  const caption = await page.locator('#pictures figcaption').first().innerText();
  if (!caption.includes(`→ 1 of ${seed}: 0`)) wrong.push(`under its variations stands "${caption}"`);
  await page.locator('[name=variationStrength]').evaluate((input) => {
    /** @type {HTMLInputElement} */ (input).value = '0';
  });
  await draw(page);
  if (chosen.join() !== (await pixels(page, '#pictures figure:first-child canvas')).join())
    wrong.push('a variation that is varied by nothing is another picture');
  await page.locator('[name=variationStrength]').evaluate((input) => {
    /** @type {HTMLInputElement} */ (input).value = '0.3';
  });
  await page.getByLabel('Seed', { exact: true }).fill(await page.getByLabel('Seed', { exact: true }).inputValue());
  if ((await page.locator('#moves[hidden]').count()) === 0) wrong.push('a seed that was typed is still moved');
  return wrong;
}

/** A picture to start from, and a mask by mouse and by buttons. @param {Page} page */
async function paintsInAPicture(page) {
  const wrong = [];
  await page.getByRole('button', { name: 'Start from it' }).first().click();
  const paper = page.locator('#mask');
  await paper.scrollIntoViewIfNeeded();
  const box = await paper.boundingBox();
  if (!box) return ['there is nothing to paint on'];
  await page.mouse.move(box.x + box.width * 0.3, box.y + box.height * 0.3);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.5, box.y + box.height * 0.5, { steps: 4 });
  await page.mouse.up();
  const label = async () => (await paper.getAttribute('aria-label')) ?? '';
  const painted = Number(/(\d+) %/.exec(await label())?.[1]);
  if (!(painted > 2 && painted < 40)) wrong.push(`after a stroke the mask says "${await label()}"`);
  await page.getByRole('button', { name: 'Invert mask' }).click();
  const inverted = Number(/(\d+) %/.exec(await label())?.[1]);
  if (Math.abs(painted + inverted - 100) > 1) wrong.push(`inverted, the mask says "${await label()}"`);
  await page.getByRole('button', { name: 'Invert mask' }).click();
  await page.getByLabel('Prompt', { exact: true }).fill('blue');
  await draw(page);
  const [from, mask, drawn] = [
    await pixels(page, '#start-picture'),
    await pixels(page, '#mask'),
    await pixels(page, '#pictures figure:first-child canvas'),
  ];
  const differs = (/** @type {number} */ i) => [0, 1, 2].some((c) => from[4 * i + c] !== drawn[4 * i + c]);
  const places = Array.from({ length: mask.length / 4 }, (_, i) => i);
  if (places.some((i) => mask[4 * i + 3] === 0 && differs(i))) wrong.push('pixels outside the mask changed');
  if (!places.some((i) => mask[4 * i + 3] !== 0 && differs(i)))
    wrong.push(`nothing in the mask changed: "${await status(page)}"`);
  return [...wrong, ...(await takesSettings(page))];
}

/** A picture that says how it was made fills the form. @param {Page} page */
async function takesSettings(page) {
  const saving = page.waitForEvent('download');
  await page
    .getByRole('link', { name: /^Download/ })
    .last()
    .click();
  const png = await readFile(await (await saving).path());
  await page.getByLabel('Seed', { exact: true }).fill('99');
  await page.locator('#start-file').setInputFiles({ name: 'mine.png', mimeType: 'image/png', buffer: png });
  await page.getByRole('button', { name: 'Use its settings' }).click();
  const seed = await page.getByLabel('Seed', { exact: true }).inputValue();
  const isThere = await page.locator('#start-picture').isVisible();
  return seed === '7' && !isThere ? [] : [`a picture's own settings give seed ${seed}`];
}

/** Where the Tab key leads from the prompt, and out of the dialog. @param {Page} page */
async function followsTheFocus(page) {
  const focused = () => page.evaluate(() => document.activeElement?.id || document.activeElement?.textContent || '');
  await page.getByLabel('Prompt', { exact: true }).focus();
  const order = [];
  for (let i = 0; i < 2; i++) {
    await page.keyboard.press('Tab');
    order.push(await focused());
  }
  const word = await page.locator('#words button').first().innerText();
  const wrong = order.join() === `go,${word}` ? [] : [`the Tab key leads from the prompt to ${order}`];
  await page.getByRole('button', { name: 'Open a model' }).press('Enter');
  await page.getByRole('dialog', { name: 'Open a model' }).waitFor();
  await page.keyboard.press('Escape');
  if ((await focused()) !== 'open-model') wrong.push(`after the dialog the focus is at ${await focused()}`);
  return wrong;
}

/** What is missing or wrong is said in a sentence. @param {Page} page */
async function explains(page) {
  const wrong = [];
  const says = async (/** @type {RegExp} */ wanted) => {
    await page
      .waitForFunction(
        (source) => new RegExp(source).test(document.querySelector('#status')?.textContent ?? ''),
        wanted.source,
        { timeout: 20_000 },
      )
      .catch(async () => wrong.push(`it says "${await status(page)}", not ${wanted}`));
  };
  await page.getByLabel('Steps', { exact: true }).fill('0');
  await page.getByRole('button', { name: 'Draw', exact: true }).click();
  await says(/^Steps: /);
  if (!(await page.getByLabel('Steps', { exact: true }).evaluate((input) => input === document.activeElement)))
    wrong.push('the field that is wrong does not have the focus');
  await page.getByLabel('Steps', { exact: true }).fill(String(STEPS));
  await page.getByLabel('Routing', { exact: false }).first().fill('best');
  await page.getByRole('button', { name: 'Draw', exact: true }).click();
  await says(/policy/);
  await page.getByLabel('Routing', { exact: false }).first().fill('');
  await page
    .locator('#start-file')
    .setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('no') });
  await says(/^notes\.txt cannot be read as a picture/);
  await draw(page);
  if (!/^One picture in /.test(await status(page))) wrong.push(`after mistakes: "${await status(page)}"`);
  return wrong;
}
