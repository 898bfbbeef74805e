// HTML from template literals, escaped unless it is HTML already.

/** A piece of markup that needs no escaping. */
export class Html {
  constructor(readonly markup: string) {}
  /** The markup, as it is written into a page. */
  toString(): string {
    return this.markup;
  }
}

/** What may be in a template: see {@link html}. */
export type HtmlValue = Html | string | number | false | undefined | readonly HtmlValue[];

/**
 * html`<p>${text}</p>`: strings and numbers are escaped, nothing is written for false and undefined, lists are joined. It
 * serves SVG as well: characters that XML does not allow become U+FFFD.
 */
export function html(strings: TemplateStringsArray, ...values: HtmlValue[]): Html {
  return new Html(strings.map((text, i) => (i === 0 ? text : markupOf(values[i - 1]) + text)).join(''));
}

/** Marks a string as HTML: only for text that the program wrote itself, such as a style sheet. */
export function trustedHtml(markup: string): Html {
  return new Html(markup);
}

function markupOf(value: HtmlValue): string {
  if (value instanceof Html) return value.markup;
  if (value === undefined || value === false) return '';
  if (typeof value === 'object') return value.map(markupOf).join('');
  return escapeHtml(String(value));
}

function escapeHtml(text: string): string {
  return text.replace(notInXml, '\ufffd').replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** https://www.w3.org/TR/xml/#charsets, and the C1 controls and DEL, which it discourages. */
const notInXml = /(?![\t\n\r])\p{Cc}|[\p{Cs}\ufffe\uffff]/gu;
