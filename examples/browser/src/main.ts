// The page: forms, previews and charts. It computes nothing; a worker does.

import type { RgbImage } from '@paris/sampler';
import { drawImage } from '@paris/sampler/web';
import { colourOf, drawLoss, RoutingStrip } from './charts.js';
import type { Reply, Request } from './messages.js';

const COUNT = 4;

const find = <E extends Element = HTMLElement>(selector: string) => document.querySelector<E>(selector)!;
const status = find('#status');
const sampleNote = find('#sample-note');
const trainNote = find('#train-note');
const pictures = find('#pictures');
const forms = [find<HTMLFormElement>('#sample form'), find<HTMLFormElement>('#train form')] as const;

const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
const ask = (request: Request) => worker.postMessage(request);

let experts = 0;
let strips: RoutingStrip[] = [];
/** Where the answer to the current request is shown. */
let note = status;

worker.onmessage = ({ data: reply }: MessageEvent<Reply>) => {
  if (reply.kind === 'ready') {
    experts = reply.experts;
    status.textContent = `Ready, on ${reply.adapter}.`;
    find('#legend').replaceChildren(...Array.from({ length: experts }, (_, k) => legendEntry(k)));
    resetPictures(1);
    setBusy(false);
  } else if (reply.kind === 'step') {
    showImages(pictures.querySelectorAll('canvas'), reply.images);
    for (const [i, weights] of reply.weights.entries()) strips[i]!.add(reply.step, weights);
    note.textContent = `Step ${reply.step + 1} of ${reply.steps}`;
  } else if (reply.kind === 'drawings') {
    fillGrid(find('#drawings'), reply.images);
  } else if (reply.kind === 'loss') {
    drawLoss(find<SVGSVGElement>('#loss'), reply.losses, reply.steps);
    note.textContent = `Step ${reply.losses.length} of ${reply.steps}`;
  } else {
    setBusy(false);
    if (reply.kind === 'failed') note.textContent = `It failed: ${reply.message}`;
    else if (reply.kind === 'stopped') note.textContent = 'Stopped.';
    else if (note === trainNote) showLearned(reply.images, reply.seconds);
    else showSamples(reply.images, reply.seconds);
  }
};
worker.onerror = ({ message }) => {
  status.textContent = `The page's worker did not start: ${message}`;
};
// The model's folder is where the page is.
ask({ kind: 'open', model: new URL('.', document.baseURI).href });

forms[0].onsubmit = (event) => {
  event.preventDefault();
  const { prompt, seed, steps, routing } = Object.fromEntries(new FormData(forms[0])) as Record<string, string>;
  begin(sampleNote);
  resetPictures(Number(steps));
  ask({
    kind: 'sample',
    prompt: prompt ?? '',
    seed: Number(seed),
    steps: Number(steps),
    routing: routing ?? 'top2',
    count: COUNT,
  });
};
forms[1].onsubmit = (event) => {
  event.preventDefault();
  begin(trainNote);
  drawLoss(find<SVGSVGElement>('#loss'), [], 1);
  find('#learned').replaceChildren();
  ask({ kind: 'train', steps: Number(new FormData(forms[1]).get('steps')) });
};
for (const button of document.querySelectorAll<HTMLButtonElement>('.stop'))
  button.onclick = () => ask({ kind: 'stop' });

function begin(where: HTMLElement): void {
  note = where;
  note.textContent = 'Compiling the shaders …';
  setBusy(true);
}

/** One request at a time: while it runs, its form offers to stop it. */
function setBusy(busy: boolean): void {
  for (const [i, form] of forms.entries()) {
    const running = busy && note === [sampleNote, trainNote][i];
    form.querySelector<HTMLButtonElement>('[type=submit]')!.disabled = busy;
    form.querySelector<HTMLButtonElement>('.stop')!.hidden = !running;
  }
  document.body.setAttribute('aria-busy', String(busy));
}

/** Empty canvases, each over the strip that will show who draws on it. */
function resetPictures(steps: number): void {
  strips = Array.from({ length: COUNT }, () => new RoutingStrip(experts, steps));
  pictures.replaceChildren(
    ...strips.map((strip) => {
      const figure = document.createElement('figure');
      figure.append(document.createElement('canvas'), strip.element);
      return figure;
    }),
  );
}

function showSamples(images: readonly RgbImage[], seconds: number): void {
  const canvases = pictures.querySelectorAll('canvas');
  showImages(canvases, images);
  for (const [i, canvas] of canvases.entries()) {
    canvas.setAttribute('role', 'img');
    canvas.setAttribute('aria-label', `Sample ${i + 1}`);
  }
  note.textContent = `${images.length} pictures in ${seconds.toFixed(1)} s. Under each: who drew it, from noise on the left to the picture on the right.`;
}

function showLearned(images: readonly RgbImage[], seconds: number): void {
  const grid = find('#learned');
  fillGrid(grid, images);
  grid.setAttribute('aria-label', `${images.length} samples of the expert that was trained here`);
  note.textContent = `Trained, put into a model and sampled in ${seconds.toFixed(1)} s.`;
}

function fillGrid(grid: HTMLElement, images: readonly RgbImage[]): void {
  grid.replaceChildren(...images.map(() => document.createElement('canvas')));
  showImages(grid.querySelectorAll('canvas'), images);
}

function showImages(canvases: ArrayLike<HTMLCanvasElement>, images: readonly RgbImage[]): void {
  for (const [i, image] of images.entries()) drawImage(canvases[i]!, image);
}

function legendEntry(expert: number): HTMLElement {
  const entry = document.createElement('li');
  entry.textContent = `Expert ${expert}`;
  entry.style.setProperty('--colour', colourOf(expert));
  return entry;
}
