// The run itself: time, machine, options, how to repeat it, and to whom the pictures belong.

import { timelineChart } from '../charts/timeline.js';
import { count, duration, plural } from '../format.js';
import { type Html, html } from '../html.js';
import type { PageInput } from '../types.js';
import { figure, section } from './section.js';

export function run(input: PageInput): Html {
  const { timings, adapter, options, versions, command } = input;
  const stops =
    timings.interruptions > 0
      ? `, interrupted ${timings.interruptions === 1 ? 'once' : `${timings.interruptions} times`} and continued`
      : '';
  return section(
    'run',
    'The run',
    html`${duration(timings.totalSeconds)} from the first picture to the last${stops}, on ${adapter}.`,
    figure(timelineChart(timings)),
    html`<div class="facts"><div><h3>Options</h3>${pairs(options)}</div><div><h3>Versions</h3>${pairs(versions)}</div></div>
<h3>Again</h3><p>All randomness is a function of the seed, the cluster and the step: the same command on the same adapter gives the same weights.</p>
<pre tabindex="0"><code>${command}</code></pre>`,
  );
}

export function licences({ sources }: PageInput): Html {
  return section(
    'licences',
    'Whose pictures',
    'The training pictures are emoji of two sets, used under their licences. Captions are their Unicode names; categories come from the emoji-data project (MIT).',
    html`<ul class="sources">${sources.map(
      ({ title, count: n, licence, attribution, url }) =>
        html`<li><strong>${title}</strong>, ${plural(n, 'picture')}. ${attribution} <span class="url">${url}</span> <span class="licence">${licence}</span></li>`,
    )}</ul><p class="note">Set in Newsreader and Inter (SIL Open Font License 1.1). The thumbnails are scaled down; ${count(sources.reduce((sum, source) => sum + source.count, 0))} pictures were used in all.</p>`,
  );
}

function pairs(entries: readonly (readonly [string, string])[]): Html {
  return html`<dl class="pairs">${entries.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}
