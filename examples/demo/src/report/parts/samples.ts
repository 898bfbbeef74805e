// The pictures made, and by whom.

import { meanWeights, routingStrip } from '../charts/strip.js';
import { count, decimal, percent } from '../format.js';
import { type Html, html } from '../html.js';
import { expertColour } from '../palette.js';
import type { PageInput, Sample } from '../types.js';
import { section } from './section.js';

/** Below this many pictures seen in training, what comes out needs a word of explanation. */
const LONG = 50_000;

export function samples({ samples, clusters, experts }: PageInput): Html {
  const seen = experts[0]?.seen ?? 0;
  const { rows, size, routing, sampler, guidance, steps, seed } = samples;
  return section(
    'samples',
    'Pictures from noise',
    html`Each picture began as noise and took ${steps} steps. The strip below it shows who drew it: time runs from noise at the left to the picture at the right, and each step is divided among the experts that ran, by their weight.
The small frames show what the model expected at that moment. Point at an expert to find it everywhere.${seen < LONG && html` Each expert learned from ${count(seen)} pictures, repeats included: enough for colours and shapes. Lines and details take far longer.`}`,
    legend(clusters.map((cluster) => cluster.index)),
    html`<div class="grid-samples">${rows.map(
      ({ prompt, pictures }) =>
        html`<div class="prompt"><h3>${prompt}</h3><div class="pictures">${pictures.map((picture, i) => card(prompt, picture, i, size))}</div></div>`,
    )}</div>`,
    html`<p class="note">${size} × ${size} pixels, shown enlarged. Routing ${routing}, sampler ${sampler}, guidance ${decimal(guidance, 1)}, seed ${seed}.</p>`,
  );
}

/** The other model: no strips, since its experts are others and a colour would say what is not so. */
export function released({
  released: { rows, size, routing, sampler, guidance, steps, seed },
  samples,
}: PageInput): Html {
  const pictures = (prompt: string, all: readonly Sample[]) =>
    all.map(
      ({ src }, i) =>
        html`<figure class="sample released"><img class="pixels main" width="${size}" height="${size}" src="${src}" alt="${prompt} by models/emoji, picture ${i + 1}"></figure>`,
    );
  return section(
    'released',
    'The same prompts, after an hour',
    html`<code>models/emoji</code>, which comes with the repository, is a model of the same kind: eight experts that never met and a router, trained by the same commands, on 2,209 pictures of 375 emoji from seven sets, at ${size} × ${size} pixels instead of ${samples.size} × ${samples.size}, for an hour on two cores. What it drew here is as it came.`,
    html`<div class="grid-samples">${rows.map(
      ({ prompt, pictures: all }) =>
        html`<div class="prompt"><h3>${prompt}</h3><div class="pictures">${pictures(prompt, all)}</div></div>`,
    )}</div>`,
    html`<p class="note">Shown enlarged. Routing ${routing}, sampler ${sampler}, guidance ${decimal(guidance, 1)}, ${steps} steps, seed ${seed}. Its pictures, their licences and its limits are in models/emoji/README.md.</p>`,
  );
}

function card(prompt: string, picture: Sample, i: number, size: number): Html {
  const shares = meanWeights(picture.weights).slice(0, 2);
  return html`<figure class="sample"><img class="pixels main" width="${size}" height="${size}" src="${picture.src}" alt="${prompt}, picture ${i + 1}">
${routingStrip(picture.weights)}
${picture.film.length > 0 && html`<div class="film">${picture.film.map(({ step, src }) => html`<img class="pixels" width="${size}" height="${size}" src="${src}" alt="expected after step ${step}" title="expected after step ${step}">`)}</div>`}
<figcaption>${shares.map(({ expert, share }) => html`<span data-expert="${expert}"><i style="background:${expertColour(expert)}"></i><b>${expert}</b> ${percent(share)}</span>`)}</figcaption></figure>`;
}

function legend(experts: readonly number[]): Html {
  return html`<div class="legend" role="group" aria-label="Highlight an expert">${experts.map(
    (expert) =>
      html`<button type="button" data-focus="${expert}" aria-pressed="false"><i style="background:${expertColour(expert)}"></i>expert ${expert}</button>`,
  )}</div>`;
}
