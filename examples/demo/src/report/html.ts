// HTML from template literals, escaped unless it is HTML already.

/** A piece of markup that needs no escaping. */
export class Html {
  constructor(readonly markup: string) {}
  toString(): string {
    return this.markup;
  }
}

export type Value = Html | string | number | false | undefined | readonly Value[];

/** html`<p>${text}</p>`: strings and numbers are escaped, nothing stands for false and undefined, lists are joined. */
export function html(strings: TemplateStringsArray, ...values: Value[]): Html {
  return new Html(strings.map((text, i) => (i === 0 ? text : markupOf(values[i - 1]) + text)).join(''));
}

/** Marks a string as HTML. Only for text that this program wrote itself: the style sheet and the script. */
export const trusted = (markup: string) => new Html(markup);

function markupOf(value: Value): string {
  if (value instanceof Html) return value.markup;
  if (value === undefined || value === false) return '';
  if (typeof value === 'object') return value.map(markupOf).join('');
  return escapeHtml(String(value));
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
