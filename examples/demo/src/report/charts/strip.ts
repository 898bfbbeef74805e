// Which experts made a picture: one column per step, divided by the weights of the experts that ran.

import { percent } from '../format.js';
import { type Html, html } from '../html.js';
import { expertColour } from '../palette.js';

/** @param weights - [steps][K], each row sums to 1; noise is at the left, the picture at the right */
export function routingStrip(weights: readonly (readonly number[])[]): Html {
  const shares = meanWeights(weights);
  const label = `Experts by share of all steps: ${shares.map(({ expert, share }) => `${expert} ${percent(share)}`).join(', ')}.`;
  return html`<svg class="strip" viewBox="0 0 ${weights.length} 1" preserveAspectRatio="none" role="img" aria-label="${label}">${weights.map(column)}</svg>`;
}

/** Experts by their mean weight, those with the most first; without those never used. */
export function meanWeights(weights: readonly (readonly number[])[]): { expert: number; share: number }[] {
  const experts = weights[0]?.length ?? 0;
  return Array.from({ length: experts }, (_, expert) => ({
    expert,
    share: weights.reduce((sum, row) => sum + row[expert]!, 0) / weights.length,
  }))
    .filter(({ share }) => share > 0)
    .sort((a, b) => b.share - a.share);
}

function column(weights: readonly number[], step: number): Html[] {
  let from = 0;
  return weights.flatMap((weight, expert) => {
    if (weight <= 0) return [];
    const y = from;
    from += weight;
    return [
      html`<rect data-expert="${expert}" x="${step}" y="${y.toFixed(3)}" width="1.02" height="${weight.toFixed(3)}" fill="${expertColour(expert)}"><title>step ${step + 1}: expert ${expert}, ${percent(weight)}</title></rect>`,
    ];
  });
}
