// How the experts and the router learned.

import { lossChart } from '../charts/loss.js';
import { routerChart } from '../charts/router.js';
import { count, decimal, percent, plural } from '../format.js';
import { type Html, html } from '../html.js';
import { expertColour } from '../palette.js';
import type { PageInput } from '../types.js';
import { figure, section } from './section.js';

export function training({ experts }: PageInput): Html {
  const steps = experts[0]?.steps ?? 0;
  return section(
    'training',
    'Learning apart',
    html`${plural(steps, 'step')} for each expert, on its own cluster. The curves differ because the clusters do: a cluster of similar pictures is easier. They are training losses and say nothing about unseen pictures; those come below.`,
    figure(
      lossChart(experts),
      'Means over windows of the training steps; each step draws other pictures, times and noise.',
    ),
    html`<details><summary>The experts in numbers</summary><div class="scroll" tabindex="0"><table><thead><tr><th scope="col">expert</th><th scope="col" class="n">parameters</th><th scope="col" class="n">steps</th><th scope="col" class="n">last loss</th><th scope="col" class="n">pictures/s</th><th scope="col">SHA-256 of its weights</th></tr></thead>
<tbody>${experts.map(
      (expert) =>
        html`<tr data-expert="${expert.index}"><th scope="row"><i class="swatch" style="background:${expertColour(expert.index)}"></i>expert ${expert.index}</th><td class="n">${count(expert.parameters)}</td><td class="n">${count(expert.steps)}</td><td class="n">${decimal(tail(expert.loss))}</td><td class="n">${count(expert.imagesPerSecond)}</td><td><code>${expert.sha256.slice(0, 16)}</code></td></tr>`,
    )}</tbody></table></div></details>`,
  );
}

export function router({ router, clusters }: PageInput): Html {
  return section(
    'router',
    'Finding the way back',
    html`The router, ${plural(router.parameters, 'parameter')} and ${plural(router.steps, 'step')}, sees a noisy picture and names the cluster it came from. On held-out pictures it is right <b class="n">${percent(router.accuracy)}</b> of the time over all noise levels, <b class="n">${percent(router.balancedAccuracy)}</b> when every cluster counts the same. Always naming the largest cluster would reach <b class="n">${percent(router.majorityShare)}</b>, guessing <b class="n">${percent(1 / clusters.length)}</b>.`,
    figure(routerChart(router, clusters.length)),
  );
}

/** Mean of the last tenth. */
function tail(values: readonly number[]): number {
  const last = values.slice(-Math.max(1, Math.floor(values.length / 10)));
  return last.reduce((sum, value) => sum + value, 0) / last.length;
}
