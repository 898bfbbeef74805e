// A section of the page: heading, a sentence or two, then what there is to see.

import { type Html, html, type Value } from '../html.js';

export function section(id: string, title: string, lead: Value, ...content: Value[]): Html {
  return html`<section id="${id}" aria-labelledby="${id}-title"><header><h2 id="${id}-title">${title}</h2><p class="lead">${lead}</p></header>
${content}</section>`;
}

/** A figure that scrolls sideways where the screen is too narrow for it. */
export function figure(content: Html, caption?: Value): Html {
  return html`<figure><div class="scroll" tabindex="0">${content}</div>${caption !== undefined && html`<figcaption>${caption}</figcaption>`}</figure>`;
}
