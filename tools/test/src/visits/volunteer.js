// Visits of the volunteer's page, as a person would make them: by its labels and the keyboard.
import { colours, lookAt } from './look.js';

/** @typedef {import('playwright-core').Page} Page */

/** @param {Page} page */
const status = (page) => page.locator('#status').innerText();

/** @param {Page} page @param {RegExp} wanted */
async function says(page, wanted) {
  await page
    .waitForFunction(
      (source) => new RegExp(source).test(document.querySelector('#status')?.textContent ?? ''),
      wanted.source,
    )
    .catch(async () => {
      throw new Error(`it says "${await status(page)}", not ${wanted}`);
    });
}

/** @param {Page} page */
const stepsDone = async (page) => Number(/Step ([\d,]+)/.exec(await page.locator('#steps').innerText())?.[1]);

/** Waits until it trains, beyond this step. @param {Page} page @param {number} step */
async function trainsBeyond(page, step) {
  await page.waitForFunction(
    (step) => Number(/Step ([\d,]+)/.exec(document.querySelector('#steps')?.textContent ?? '')?.[1]) > step,
    step,
    { polling: 5 },
  );
}

/** What is forged, missing, or of another key than the link says is refused in a sentence, and not kept. @param {Page} page @param {string} key */
export async function refusesJobs(page, key) {
  for (const [link, wanted] of /** @type {const} */ ([
    ['?job=jobs/forged.paris', /^Its signature is not that of these bytes: it was changed/],
    ['?job=jobs/nothing.paris', /nothing\.paris/],
    ['?job=jobs/', /names no file/],
    ['?job=http://example.org/job.paris', /is neither https nor on this page's server/],
    ['?job=jobs/job.paris&key=paris-key:other', /the link promises paris-key:other/],
    ['', /^Open a job to begin/],
  ])) {
    await page.goto(link);
    await says(page, wanted);
    await page.locator('#open:not([hidden])').waitFor();
  }
  const wrong = (await page.locator('#kept').isVisible()) ? ['it kept what it refused'] : [];
  await page.getByLabel('File').setInputFiles({ name: 'notes.paris', mimeType: '', buffer: Buffer.from('no') });
  await says(page, /^It is no bundle/);
  await page.getByLabel('Address').fill(new URL(`?job=jobs/job.paris`, page.url()).href);
  wrong.push(...(await lookAt(page, 'volunteer-open')));
  await page.getByLabel('Address').press('Enter'); // a link to the page is taken for the job that it names
  await says(page, /^Look at the job\. Nothing is trained before you agree\.$/);
  await page.goto(`?job=jobs/job.paris&key=${key}`);
  await says(page, /^Look at the job/);
  return wrong;
}

/** From a link to a result. @param {Page} page @param {{ publicKey: string, steps: number }} given */
export async function volunteers(page, given) {
  await page.goto('?job=jobs/job.paris');
  return [
    ...(await agrees(page, given)),
    ...(await pausesAndResumes(page)),
    ...(await handsIn(page, given)),
    ...(await stopsWorking(page)),
  ];
}

/** Whose pictures, which licence, whose key; and nothing before the volunteer agrees. @param {Page} page @param {{ publicKey: string }} given */
async function agrees(page, { publicKey }) {
  const wrong = [];
  await says(page, /^Look at the job/);
  const facts = (await page.locator('#facts').innerText()).replace(/\s+/g, ' ');
  for (const wanted of ['CC-BY-4.0 (16)', 'CC0-1.0 (8)', 'a friend’s drawings (16)', 'example.org/museum (8)'])
    if (!facts.includes(wanted)) wrong.push(`of the job it says "${facts}", without ${wanted}`);
  if (!/240 steps of 4 pictures; it pauses itself after 2 hours/.test(facts)) wrong.push(`of the work: "${facts}"`);
  if (!(await page.locator('#signer').innerText()).includes(publicKey))
    wrong.push('the key of the signer is not shown');
  const shown = await colours(page, '#examples canvas');
  if (!(shown.length === 12 && shown.every((count) => count >= 2))) wrong.push(`pictures of ${shown} colours`);
  if (await page.getByRole('button', { name: 'Train', exact: true }).isVisible())
    wrong.push('it trains before it is agreed to');
  wrong.push(...(await lookAt(page, 'volunteer-agree')));
  await page.getByLabel('What you call them').fill('Ada');
  await page.getByLabel('What you call them').press('Enter');
  await says(page, /^Ready\.$/);
  if ((await page.evaluate(() => document.activeElement?.id)) !== 'train')
    wrong.push('the focus is not where to train');
  return wrong;
}

/** A pause, a reload, and a reload in the middle of the work. @param {Page} page */
async function pausesAndResumes(page) {
  const wrong = [];
  await page.keyboard.press('Enter');
  await trainsBeyond(page, 0);
  await page.getByRole('button', { name: 'Pause' }).click();
  await says(page, /^Paused after step/);
  const paused = await stepsDone(page);
  if (!(paused > 0 && paused < 240)) wrong.push(`it is paused after step ${paused}`);
  await page.reload();
  await says(page, /^Paused after step/);
  if ((await stepsDone(page)) !== paused)
    wrong.push(`after a reload it is at step ${await stepsDone(page)}, not ${paused}`);
  if (!/\bAda\b/.test(await page.locator('#signer').innerText())) wrong.push('it forgot whom it works for');
  await page.getByRole('button', { name: 'Resume' }).click();
  await trainsBeyond(page, paused);
  await page.reload();
  await says(page, /^Paused after step/);
  const kept = await stepsDone(page);
  if (!(kept >= paused && kept < 240)) wrong.push(`a reload in the middle leaves step ${kept}, after ${paused}`);
  await page.getByRole('button', { name: 'Resume' }).click();
  await says(page, /^All steps are done\. Hand the result in\.$/);
  if (!/bit for bit on any machine/.test(await page.locator('#device').innerText()))
    wrong.push('it says nothing of exactness');
  const points = (await page.locator('#loss .line').getAttribute('points'))?.split(' ') ?? [];
  if (!(points.length > 100 && points.every((point) => /^[\d.]+,[\d.]+$/.test(point))))
    wrong.push(`a loss curve of ${points.length} points`);
  const drawn = await page
    .locator('#samples img')
    .evaluateAll((all) => all.map((image) => /** @type {HTMLImageElement} */ (image).naturalWidth));
  if (!(drawn.length >= 2 && drawn.every((width) => width === 32))) wrong.push(`samples ${drawn} pixels wide`);
  return wrong;
}

/** The result as a file, and to the server. @param {Page} page @param {{ publicKey: string }} given */
async function handsIn(page, { publicKey }) {
  const wrong = [];
  const own = await page.locator('#own-key').innerText();
  if (!/^paris-key:[\w-]{43}$/.test(own) || own === publicKey) wrong.push(`its own key is "${own}"`);
  const saving = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download the result' }).click();
  const download = await saving;
  if (download.suggestedFilename() !== 'expert-00.paris') wrong.push(`it saves ${download.suggestedFilename()}`);
  await page.getByRole('button', { name: 'Send the result' }).click();
  await page.getByText(/^Thank you\. The result is kept as expert-00-\w{16}\.paris\./).waitFor();
  await page.getByRole('button', { name: 'Send the result' }).click();
  await page.getByText(/^Thank you\. This result is here already/).waitFor();
  wrong.push(...(await lookAt(page, 'volunteer')));
  await page.reload();
  await says(page, /^All steps are done/);
  if ((await page.locator('#own-key').innerText()) !== own) wrong.push('another key after a reload');
  await page.getByText('Your key and your files').click();
  const secret = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save my secret key' }).click();
  if ((await secret).suggestedFilename() !== 'my.key') wrong.push('the secret key is not saved');
  return wrong;
}

/** A key that is no longer worked for, and a browser that keeps nothing of its job. @param {Page} page */
async function stopsWorking(page) {
  const wrong = [];
  await page.goto('./');
  await page.getByRole('button', { name: 'Expert 0: finished' }).click();
  await says(page, /^All steps are done/);
  await page.getByRole('button', { name: 'Stop working for this key' }).click();
  await says(page, /^You no longer work for that key/);
  await page.goto('?job=jobs/short.paris');
  await says(page, /^You no longer work for Ada \(paris-key:/);
  return wrong;
}

/** The shortest job, on a GPU. @param {Page} page */
export async function trainsOnWebGpu(page) {
  await page.goto('?job=jobs/short.paris&device=webgpu');
  await page.getByLabel('What you call them').fill('Ada');
  await page.getByRole('button', { name: 'Agree' }).click();
  await page.getByRole('button', { name: 'Train', exact: true }).click();
  await says(page, /^All steps are done/);
  const said = await page.locator('#device').innerText();
  const wrong = /within a tolerance elsewhere/.test(said) ? [] : [`of its device it says "${said}"`];
  page.on('dialog', (dialog) => dialog.accept());
  await page.getByText('Your key and your files').click();
  await page.getByRole('button', { name: 'Remove this job' }).click();
  await says(page, /^Removed\.$/);
  if (await page.locator('#kept').isVisible()) wrong.push('a job that was removed is still listed');
  return wrong;
}

/** No room: it says so, and resumes when there is some. @param {Page} page */
export async function runsOutOfSpace(page) {
  await page.goto('?job=jobs/short.paris');
  await page.getByRole('button', { name: 'Agree' }).click();
  await says(page, /^Ready\.$/);
  const devtools = await page.context().newCDPSession(page);
  const { origin } = new URL(page.url());
  await devtools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 60_000 });
  await page.getByRole('button', { name: 'Train', exact: true }).click();
  await says(page, /the storage of this site is full/);
  const warned = await page.locator('#notices').innerText();
  const wrong = /^The training needs about .* MB/.test(warned) ? [] : [`it warned of "${warned}"`];
  await devtools.send('Storage.overrideQuotaForOrigin', { origin });
  await page.getByRole('button', { name: 'Resume' }).click();
  await says(page, /^All steps are done/);
  return wrong;
}

/** Over http from another machine, browsers keep no files. @param {Page} page */
export async function opensWithoutFiles(page) {
  await page.goto('?job=jobs/job.paris');
  await says(page, /^This browser keeps no files for pages here.* over https/);
  return [];
}
