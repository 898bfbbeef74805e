// Which expert is at work: a strip under each picture, and a legend for all of them.
import { expertColour } from '@paris/sampler';
import { make, svg } from './dom.js';

/** A column for each step, divided among the experts by their weights. */
export class RoutingStrip {
  readonly element: SVGSVGElement = svg('svg', {
    role: 'img',
    preserveAspectRatio: 'none',
    class: 'strip',
    'shape-rendering': 'crispEdges',
  });
  readonly #columns: (readonly number[])[] = [];

  constructor() {
    this.element.setAttribute('aria-label', 'No step yet');
  }

  /** @param weights [K], sum 1 */
  add(step: number, steps: number, weights: readonly number[]): void {
    if (this.#columns[step]) return;
    this.#columns[step] = weights;
    this.element.setAttribute('viewBox', `0 0 ${steps} 1`);
    let y = 0;
    for (const [expert, height] of weights.entries()) {
      if (height > 0) this.element.append(svg('rect', { x: step, y, width: 1, height, fill: expertColour(expert) }));
      y += height;
    }
  }

  /** The rest of the steps, and the strip in words. */
  finish(weightsByStep: readonly (readonly number[])[]): void {
    for (const [step, weights] of weightsByStep.entries()) this.add(step, weightsByStep.length, weights);
    this.element.setAttribute('aria-label', inWords(weightsByStep));
  }
}

/** `Drawn by expert 2, 71 %; expert 0, 29 %`. */
function inWords(weightsByStep: readonly (readonly number[])[]): string {
  const share = (k: number) => weightsByStep.reduce((sum, weights) => sum + weights[k]!, 0) / weightsByStep.length;
  const shares = (weightsByStep[0] ?? []).map((_, k) => ({ k, share: share(k) })).filter((each) => each.share >= 0.005);
  const ranked = shares.sort((a, b) => b.share - a.share);
  return `Drawn by ${ranked.map((each) => `expert ${each.k}, ${Math.round(100 * each.share)} %`).join('; ')}`;
}

/** The experts by colour, each with its share of the current step. */
export class Legend {
  readonly #entries: HTMLElement[];

  constructor(list: HTMLElement, experts: number) {
    this.#entries = Array.from({ length: experts }, (_, k) => {
      const entry = make('li', {}, `Expert ${k}`);
      entry.style.setProperty('--colour', expertColour(k));
      return entry;
    });
    list.replaceChildren(...this.#entries);
    this.show([]);
  }

  /** @param weights [K] of each picture at this step; none: nobody works */
  show(weights: readonly (readonly number[])[]): void {
    for (const [k, entry] of this.#entries.entries()) {
      const share = weights.reduce((sum, each) => sum + each[k]!, 0) / Math.max(weights.length, 1);
      entry.style.setProperty('--share', share.toFixed(3));
      entry.classList.toggle('at-work', share > 0);
    }
  }
}
