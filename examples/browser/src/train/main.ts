// The training page: a form, a loss curve, and pictures before and after. It computes nothing; a worker does.
import type { RgbImage } from '@paris/sampler';
import { drawImage } from '@paris/sampler/web';
import { find } from '../view/dom.js';
import { drawLoss } from './loss.js';
import type { Reply, Request } from './messages.js';

const form = find<HTMLFormElement>('#train');
const note = find('#status');
const stop = find<HTMLButtonElement>('#stop');
const loss = find<SVGSVGElement>('#loss');

const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
const ask = (request: Request) => worker.postMessage(request);

worker.onmessage = ({ data: reply }: MessageEvent<Reply>) => {
  if (reply.kind === 'loss') {
    drawLoss(loss, reply.losses, reply.steps);
    note.textContent = `Step ${reply.losses.length} of ${reply.steps}`;
    return;
  }
  setBusy(false);
  if (reply.kind === 'ready') {
    fillGrid(find('#drawings'), reply.drawings);
    note.textContent = `Ready, on ${reply.adapter}.`;
  } else if (reply.kind === 'failed') note.textContent = `It failed: ${reply.message}`;
  else if (reply.kind === 'stopped') note.textContent = 'Stopped.';
  else showLearned(reply.images, reply.seconds);
};
worker.onerror = ({ message }) => {
  note.textContent = `The page's worker did not start: ${message}`;
};
ask({ kind: 'open', device: location.search === '?device=webgpu' ? 'webgpu' : undefined });

form.onsubmit = (event) => {
  event.preventDefault();
  note.textContent = 'Compiling the shaders …';
  setBusy(true);
  drawLoss(loss, [], 1);
  find('#learned').replaceChildren();
  ask({ kind: 'train', steps: Number(new FormData(form).get('steps')) });
};
stop.onclick = () => ask({ kind: 'stop' });

function setBusy(busy: boolean): void {
  find<HTMLButtonElement>('#train [type=submit]').disabled = busy;
  stop.hidden = !busy;
  document.body.setAttribute('aria-busy', String(busy));
}

function showLearned(images: readonly RgbImage[], seconds: number): void {
  const grid = find('#learned');
  fillGrid(grid, images);
  grid.setAttribute('aria-label', `${images.length} samples of the expert that was trained here`);
  note.textContent = `Trained, put into a model and sampled in ${seconds.toFixed(1)} s.`;
}

function fillGrid(grid: HTMLElement, images: readonly RgbImage[]): void {
  grid.replaceChildren(
    ...images.map((image) => {
      const canvas = document.createElement('canvas');
      drawImage(canvas, image);
      return canvas;
    }),
  );
}
