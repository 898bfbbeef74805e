// What was drawn before, newest first.
import { find, make } from './dom.js';
import type { Settings } from './settings.js';

/** One drawing: how it was asked for, and what came. */
export interface Entry {
  readonly settings: Settings;
  readonly pictures: readonly Blob[];
}

export interface HistoryActions {
  again(settings: Settings): void;
  /** @param place which picture of the drawing */
  like(settings: Settings, place: number): void;
}

/** Older ones are forgotten: their pictures take memory. */
const MOST = 40;

const list = find('#history');

export class History {
  readonly #actions: HistoryActions;
  readonly #urls: string[][] = [];

  constructor(actions: HistoryActions) {
    this.#actions = actions;
  }

  add({ settings, pictures }: Entry): void {
    const urls = pictures.map((png) => URL.createObjectURL(png));
    this.#urls.unshift(urls);
    const { prompt, seed, routing } = settings.request;
    const what = prompt || 'anything';
    const by = settings.compared.join(' / ') || routing;
    const thumbs = urls.map((src, i) =>
      make(
        'button',
        { type: 'button', className: 'thumb', onclick: () => this.#actions.like(settings, i) },
        make('img', { src, alt: `Like this one: ${what}, picture ${i + 1}`, loading: 'lazy' }),
      ),
    );
    const again = make(
      'button',
      { type: 'button', ariaLabel: `Again: ${what}`, onclick: () => this.#actions.again(settings) },
      'Again',
    );
    const text = make('p', {}, make('b', {}, what), ` seed ${seed}${by && `, ${by}`}`);
    list.prepend(make('li', {}, make('div', { className: 'thumbs' }, ...thumbs), text, again));
    find('#past').hidden = false;
    while (this.#urls.length > MOST) {
      for (const url of this.#urls.pop()!) URL.revokeObjectURL(url);
      list.lastElementChild?.remove();
    }
  }
}
