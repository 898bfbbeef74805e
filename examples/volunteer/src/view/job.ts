// Whose pictures, under which licence, how much work, signed by whom.
import type { JobView, KeptJob, Picture } from '../messages.js';
import { duration, fileSize, find, make, number } from './dom.js';

/** Sources that are named one by one. */
const sourcesShown = 6;

/** Fills the card of a job. */
export function showJob(job: JobView): void {
  const title = `Expert ${job.cluster}: ${number(job.pictures)} ${job.pictures === 1 ? 'picture' : 'pictures'}`;
  find('#job-title').textContent = title;
  document.title = title;
  const { steps, batchSize, maxHours, dataAt } = job;
  const limit = maxHours === undefined ? '' : `; it pauses itself after ${duration(3600 * maxHours)}`;
  const facts: [string, Node[]][] = [
    ['Licence', [counts(job.licences)]],
    ['Source', [sourcesOf(job)]],
    ['Work', [text(`${number(steps)} steps of ${number(batchSize)} pictures${limit}`)]],
    ['Size', [text(`${fileSize(job.bundleBytes)}${dataAt ? '; the pictures are fetched when you begin' : ''}`)]],
  ];
  find('#facts').replaceChildren(
    ...facts.flatMap(([name, content]) => [make('dt', {}, name), make('dd', {}, ...content)]),
  );
  showExamples(job);
  showTrust(job);
  find('#job').hidden = false;
}

/** Who signed, and whether the volunteer has agreed to work for them. */
export function showTrust({ signer, trust: { trusted, name } }: Pick<JobView, 'signer' | 'trust'>): void {
  find('#signer-name').textContent = trusted ? (name === '' ? 'A key that you agreed to work for' : name) : '';
  find('#signer-key').textContent = signer;
  find('#agree').hidden = trusted;
  find('#revoke').hidden = !trusted;
}

function sourcesOf({ sources, dataAt }: JobView): Node {
  const named = Object.entries(sources).sort(([, a], [, b]) => b - a);
  if (named.length === 0) return text(dataAt ? `at ${dataAt}` : 'none is named');
  const shown = counts(Object.fromEntries(named.slice(0, sourcesShown)));
  const rest = named.length - sourcesShown;
  if (rest > 0) shown.append(make('li', {}, `and ${number(rest)} more`));
  return shown;
}

/** A list of names, each with how many pictures; web addresses are links. */
function counts(of: { [name: string]: number }): HTMLUListElement {
  const entries = Object.entries(of);
  return make(
    'ul',
    {},
    ...entries.map(([name, count]) =>
      make('li', {}, linked(name), ...(entries.length > 1 ? [` (${number(count)})`] : [])),
    ),
  );
}

function linked(name: string): Node | string {
  if (!/^https:\/\//.test(name) || !URL.canParse(name)) return name;
  return make('a', { href: name, rel: 'noreferrer noopener', target: '_blank' }, name);
}

function showExamples({ examples, pictures, dataAt }: JobView): void {
  find('#pictures').hidden = examples.length === 0 && dataAt === undefined;
  find('#examples').replaceChildren(...examples.map(canvasOf));
  find('#examples-caption').textContent =
    dataAt !== undefined
      ? 'The pictures are not in the job, so none can be shown before.'
      : `${examples.length} of the ${number(pictures)} pictures that it learns from`;
}

function canvasOf({ width, height, data, caption }: Picture): HTMLCanvasElement {
  const canvas = make('canvas', { width, height });
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', caption || 'a picture without a caption');
  canvas.title = caption;
  const context = canvas.getContext('2d')!;
  const image = context.createImageData(width, height);
  for (let at = 0; at < width * height; at++) {
    image.data.set(data.subarray(3 * at, 3 * at + 3), 4 * at);
    image.data[4 * at + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/** The jobs that this browser keeps, to go on with. */
export function showKept(kept: readonly KeptJob[], open: (id: string) => void): void {
  find('#kept').hidden = kept.length === 0;
  find('#kept-jobs').replaceChildren(
    ...kept.map(({ id, cluster, step, steps, finished }) => {
      const state = finished ? 'finished' : step === 0 ? 'not begun' : `step ${number(step)} of ${number(steps)}`;
      return make('li', {}, make('button', { type: 'button', onclick: () => open(id) }, `Expert ${cluster}: ${state}`));
    }),
  );
}

const text = (content: string): Text => document.createTextNode(content);
