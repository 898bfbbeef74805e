// What each expert got to see.

import { flowChart } from '../charts/flow.js';
import { capital, count, decimal, numberWord, percent, plural } from '../format.js';
import { type Html, html } from '../html.js';
import { expertColour } from '../palette.js';
import type { ClusterSummary, PageInput } from '../types.js';
import { figure, section } from './section.js';

export function flow(input: PageInput): Html {
  return section(
    'flow',
    'The way of the data',
    html`The pictures are parted by how they look. Each part is a folder that holds all its expert may know; between the experts there is no arrow, neither data nor gradients nor weights.`,
    figure(flowChart(input)),
  );
}

export function clusters({ clusters, semantic, data }: PageInput): Html {
  const { mutualInformation, threshold, partitions } = semantic;
  const verdict = semantic.semantic
    ? html`The clusters are <strong>semantic</strong>: they tell more about the kind of emoji than chance would.`
    : html`The clusters are not called semantic: they tell no more about the kind of emoji than chance might.`;
  return section(
    'clusters',
    `${capital(numberWord(clusters.length))} ${semantic.semantic ? 'semantic ' : ''}clusters`,
    html`${verdict} Their mutual information with the emoji’s category is <b class="n">${decimal(mutualInformation)}</b> nats; the 99th percentile of ${count(partitions)} random partitions of the same sizes is <b class="n">${decimal(threshold)}</b>.`,
    html`<div class="clusters">${clusters.map((cluster) => card(cluster, cluster.train / data.train))}</div>`,
  );
}

function card(cluster: ClusterSummary, share: number): Html {
  return html`<article class="cluster" data-expert="${cluster.index}" style="--own:${expertColour(cluster.index)}">
<h3><span>${cluster.index}</span>${cluster.words.slice(0, 3).join(', ')}</h3>
<p class="size">${plural(cluster.train, 'picture')} · ${percent(share)} · ${count(cluster.test)} held out</p>
<div class="thumbs">${cluster.pictures.map(({ src, caption }) => html`<img class="pixels" src="${src}" alt="${caption}" title="${caption}">`)}</div>
<div class="colours" role="img" aria-label="Most frequent colours of cluster ${cluster.index}">${cluster.colours.map(({ css, share }) => html`<i style="background:${css};flex-grow:${share.toFixed(3)}"></i>`)}</div>
<ul class="categories">${cluster.categories.slice(0, 3).map(({ name, share }) => html`<li><span>${name}</span><span class="n">${percent(share)}</span></li>`)}</ul>
<p class="words">${cluster.words.slice(3).join(' · ')}</p></article>`;
}
