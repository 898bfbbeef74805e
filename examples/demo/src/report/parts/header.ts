// The top: what this is in two sentences, whether it worked, and the four figures that say most.

import { capital, count, decimal, numberWord, percent, plural } from '../format.js';
import { type Html, html } from '../html.js';
import type { PageInput } from '../types.js';

export function header(input: PageInput): Html {
  const { data, clusters, router, arms } = input;
  const k = clusters.length;
  const total = data.train + data.test;
  return html`<header class="top"><p class="brand">Paris</p>
<h1>${capital(numberWord(k))} experts that never met</h1>
<p class="intro">${capital(numberWord(k))} small diffusion models learned to draw emoji, each alone, in a process of its own that saw only its own share of ${count(total)} pictures.
When a picture is made, a router reads the prompt, looks at the noise at every step, and decides which of them are asked; nothing else connects them.</p>
${verdict(input)}
<dl class="figures">
${figureOf(count(total), `pictures of ${count(data.groups)} emoji, ${count(data.test)} of them seen by no training`)}
${figureOf(String(k), `experts of ${plural(input.experts[0]?.parameters ?? 0, 'parameter')}, trained in isolation`)}
${figureOf(percent(router.accuracy), `of held-out pictures routed to their own cluster, over all noise levels`)}
${lossFigure(arms)}
</dl></header>`;
}

function verdict({ controls }: PageInput): Html {
  const gates = controls.filter((control) => control.gate);
  const failed = gates.filter((control) => !control.passed);
  if (failed.length === 0) {
    return html`<p class="verdict pass"><a href="#controls"><span aria-hidden="true">✓</span> All ${numberWord(gates.length)} controls passed</a></p>`;
  }
  return html`<p class="verdict fail"><a href="#controls"><span aria-hidden="true">✗</span> ${capital(numberWord(failed.length))} of ${numberWord(gates.length)} controls failed</a>: ${failed.map((control) => control.name).join('; ')}</p>`;
}

function lossFigure(arms: PageInput['arms']): Html | false {
  const mixture = arms.find((arm) => arm.id === 'top2');
  const singles = arms.filter((arm) => arm.kind === 'single').map((arm) => arm.loss);
  if (!mixture || singles.length === 0) return false;
  return figureOf(
    decimal(mixture.loss),
    `denoising loss of the top two together; the best expert alone has ${decimal(Math.min(...singles))}`,
  );
}

function figureOf(value: string, text: string): Html {
  return html`<div><dt>${text}</dt><dd>${value}</dd></div>`;
}
