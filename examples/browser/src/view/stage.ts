// Where noise becomes pictures.
import type { Finished, Step } from '../engine/engine.js';
import { find, make } from './dom.js';
import { Legend, RoutingStrip } from './strip.js';

/** What can be done with a finished picture. */
export interface PictureActions {
  like(place: number): void;
  startFrom(png: Blob): void;
}

interface Place {
  readonly canvas: HTMLCanvasElement;
  readonly strip: RoutingStrip;
  readonly buttons: HTMLElement;
  weights: readonly number[];
}

const pictures = find('#pictures');

/** The pictures of one drawing, each over the strip of those who draw it. */
export class Stage {
  readonly #legend: Legend;
  readonly #actions: PictureActions;
  #places: Place[] = [];
  #urls: string[] = [];

  constructor(experts: number, actions: PictureActions) {
    this.#legend = new Legend(find('#legend'), experts);
    this.#actions = actions;
    this.begin([]);
  }

  /** Empty places, with a caption each. */
  begin(captions: readonly string[]): void {
    for (const url of this.#urls) URL.revokeObjectURL(url);
    this.#urls = [];
    this.#places = captions.map(() => ({
      canvas: make('canvas', { width: 1, height: 1 }),
      strip: new RoutingStrip(),
      buttons: make('div', { className: 'row wrap actions' }),
      weights: [],
    }));
    pictures.replaceChildren(
      ...this.#places.map(({ canvas, strip, buttons }, i) =>
        make('figure', {}, canvas, strip.element, make('figcaption', {}, captions[i]!), buttons),
      ),
    );
    pictures.style.setProperty('--columns', String(Math.ceil(Math.sqrt(captions.length))));
    this.#legend.show([]);
  }

  step(place: number, { step, steps, weights, preview }: Step): void {
    const { canvas, strip } = this.#places[place]!;
    show(canvas, preview);
    preview.close();
    strip.add(step, steps, weights);
    this.#places[place]!.weights = weights;
    this.#legend.show(this.#places.map((each) => each.weights).filter((each) => each.length > 0));
  }

  async finished(place: number, { png, weightsByStep }: Finished, name: string): Promise<void> {
    const { canvas, strip, buttons } = this.#places[place]!;
    strip.finish(weightsByStep);
    canvas.setAttribute('role', 'img');
    canvas.setAttribute('aria-label', name);
    const url = URL.createObjectURL(png);
    this.#urls.push(url);
    const label = (what: string) => ({ ariaLabel: `${what}: ${name}` });
    buttons.replaceChildren(
      make(
        'a',
        { className: 'button', href: url, download: `${fileName(name)}.png`, ...label('Download') },
        'Download',
      ),
      make(
        'button',
        { type: 'button', onclick: () => this.#actions.like(place), ...label('Like this one') },
        'Like this one',
      ),
      make(
        'button',
        { type: 'button', onclick: () => this.#actions.startFrom(png), ...label('Start from it') },
        'Start from it',
      ),
    );
    const bitmap = await createImageBitmap(png);
    show(canvas, bitmap);
    bitmap.close();
  }

  /** Nobody is at work any more. */
  rest(): void {
    this.#legend.show([]);
  }
}

function show(canvas: HTMLCanvasElement, bitmap: ImageBitmap): void {
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  canvas.classList.toggle('pixels', bitmap.width < 128);
  canvas.getContext('2d')!.drawImage(bitmap, 0, 0);
}

function fileName(name: string): string {
  return (
    name
      .replace(/[^\p{L}\p{N}]+/gu, '-')
      .replace(/^-|-$/g, '')
      .slice(0, 60) || 'picture'
  );
}
