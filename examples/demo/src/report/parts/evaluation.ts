// Whether it worked, on pictures that no training saw.

import { armsChart } from '../charts/arms.js';
import { count } from '../format.js';
import { type Html, html } from '../html.js';
import type { Control, PageInput } from '../types.js';
import { figure, section } from './section.js';

export function evaluation({ arms, data }: PageInput): Html {
  return section(
    'evaluation',
    'Together or alone',
    html`${count(data.test)} held-out pictures, denoised at 20 noise levels, with the same noise for every arm. A single expert knows a part of the world only. “Permuted” runs the same mixture with the weights of another picture, and so shows what the routing itself is worth.`,
    figure(armsChart(arms)),
  );
}

export function controls({ controls }: PageInput): Html {
  return section(
    'controls',
    'Controls',
    html`What had to be true for this run to count. If one of them fails, the command that made this page ends with an error that names it.`,
    html`<div class="scroll" tabindex="0"><table class="controls"><thead><tr><th scope="col">result</th><th scope="col">control</th><th scope="col">measured, and required</th></tr></thead><tbody>${controls.map(row)}</tbody></table></div>`,
  );
}

function row({ name, detail, passed, gate }: Control): Html {
  const [state, sign, word] = passed
    ? ['pass', '✓', 'passed']
    : gate
      ? ['fail', '✗', 'failed']
      : ['open', '–', 'not so'];
  return html`<tr class="${state}"><td><span class="state"><span aria-hidden="true">${sign}</span> ${word}</span></td><th scope="row">${name}${!gate && html` <small>only decides a word on this page</small>`}</th><td>${detail}</td></tr>`;
}
