// The training as it goes on: steps, losses, what the expert draws.
import type { Happening, RunView, Sample } from '../messages.js';
import { duration, fileSize, find, make, number } from './dom.js';
import { drawLoss } from './loss.js';

/** Rows of samples that are kept on the page. */
const rowsShown = 6;

/** What the browser has of the training. */
export function showRun(run: RunView, steps: number): void {
  showSteps(run.step, steps);
  drawLoss(find<SVGSVGElement>('#loss'), run.losses, steps);
  find('#notices').replaceChildren();
  find('#samples').replaceChildren();
  for (const sample of run.samples) showSample(sample);
  find('#train').textContent = run.state === 'begun' ? 'Resume' : 'Train';
  find('#work').hidden = false;
}

/** What happens on the way. */
export function showHappening(happening: Happening): void {
  switch (happening.kind) {
    case 'device':
      showDevice(happening);
      break;
    case 'start':
      showSteps(happening.step, happening.steps);
      warnOfSpace(happening);
      break;
    case 'progress': {
      const { step, steps, secondsLeft, losses } = happening;
      showSteps(step, steps, secondsLeft);
      drawLoss(find<SVGSVGElement>('#loss'), losses, steps);
      break;
    }
    case 'saved':
      find('#work').dataset.saved = String(happening.step);
      break;
    case 'sample':
      showSample(happening.sample);
      break;
    case 'notice':
      showNotice(happening.message);
      break;
  }
}

function showSteps(step: number, steps: number, secondsLeft?: number): void {
  const left = secondsLeft === undefined || step === steps ? '' : `, about ${duration(secondsLeft)} left`;
  find('#steps').textContent = `Step ${number(step)} of ${number(steps)}${left}`;
  find<HTMLProgressElement>('#progress').value = steps === 0 ? 0 : step / steps;
}

function showDevice({ adapter, isExact, insteadOfGpu }: Extract<Happening, { kind: 'device' }>): void {
  const why = insteadOfGpu === undefined ? '' : ` There is no GPU for it here (${insteadOfGpu}), so it takes longer.`;
  const check = isExact
    ? 'Its result can be checked bit for bit on any machine.'
    : 'Its result can be checked bit for bit on the same kind of GPU, and within a tolerance elsewhere.';
  find('#device').textContent = `Computed by ${adapter}.${why} ${check}`;
}

function warnOfSpace({ needBytes, freeBytes }: Extract<Happening, { kind: 'start' }>): void {
  if (freeBytes === undefined || freeBytes > needBytes) return;
  const what = `The training needs about ${fileSize(needBytes)}, and this browser has ${fileSize(freeBytes)} left for the page.`;
  showNotice(`${what} Free some space: it pauses when it is full, and can be resumed.`);
}

function showNotice(message: string): void {
  find('#notices').append(make('li', {}, message));
}

/** The newest row of pictures comes first. */
function showSample({ step, prompts, png }: Sample): void {
  const list = find('#samples');
  const src = URL.createObjectURL(png);
  const alt = `What the expert draws after step ${step}: ${prompts.join('; ')}`;
  const image = make('img', { src, alt, onload: () => URL.revokeObjectURL(src) });
  list.prepend(make('li', {}, image, make('span', {}, `Step ${number(step)}`)));
  while (list.children.length > rowsShown) list.lastElementChild!.remove();
  find('#samples-caption').textContent = `From left to right: ${prompts.join(', ')}`;
}
