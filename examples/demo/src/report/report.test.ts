import { describe, expect, it } from 'vitest';
import { spread, windowMeans } from './charts/loss.js';
import { meanWeights, routingStrip } from './charts/strip.js';
import { duration, numberWord, percent, plural } from './format.js';
import { html, trusted } from './html.js';

describe('html', () => {
  it('escapes what comes from outside, in text and attributes', () => {
    const name = '<img src=x onerror="alert(1)">\'&';
    expect(html`<p title="${name}">${name}</p>`.markup).toBe(
      '<p title="&#60;img src=x onerror=&#34;alert(1)&#34;&#62;&#39;&#38;">&#60;img src=x onerror=&#34;alert(1)&#34;&#62;&#39;&#38;</p>',
    );
  });
  it('nests, joins lists and leaves out what is not there', () => {
    expect(html`<ul>${['a', 'b'].map((item) => html`<li>${item}</li>`)}${false}${undefined}${0}</ul>`.markup).toBe(
      '<ul><li>a</li><li>b</li>0</ul>',
    );
    expect(html`${trusted('<b>')}`.markup).toBe('<b>');
  });
});

describe('what the charts draw', () => {
  it('takes means over equal windows, the last one ending with the last step', () => {
    expect(windowMeans([1, 3, 5, 7, 9, 11, 13], 3)).toEqual([
      [2, 2],
      [4, 6],
      [7, 11],
    ]);
    expect(windowMeans([4, 2], 32)).toEqual([
      [1, 4],
      [2, 2],
    ]);
  });
  it('moves labels apart and keeps their order', () => {
    const ys = spread([{ y: 10 }, { y: 11 }, { y: 12 }, { y: 60 }], 13).map((label) => label.y);
    for (let i = 1; i < ys.length; i++) expect(ys[i]! - ys[i - 1]!).toBeGreaterThan(12.9);
    expect(ys[3]).toBe(60);
  });
  it('shares a picture among its experts', () => {
    const weights = [
      [0.75, 0, 0.25],
      [0.25, 0, 0.75],
      [0, 0, 1],
    ];
    expect(meanWeights(weights)).toEqual([
      { expert: 2, share: 2 / 3 },
      { expert: 0, share: 1 / 3 },
    ]);
    const strip = routingStrip(weights).markup;
    expect(strip).toContain('aria-label="Experts by share of all steps: 2 67 %, 0 33 %."');
    expect(strip.match(/<rect/g)).toHaveLength(5);
    expect(strip).toContain('<rect data-expert="2" x="0" y="0.750" width="1.02" height="0.250" fill="var(--e2)">');
  });
});

describe('format', () => {
  it('writes numbers as people read them', () => {
    expect([duration(3.21), duration(75), duration(60), duration(3725)]).toEqual([
      '3.2 s',
      '1 min 15 s',
      '1 min 0 s',
      '1 h 2 min',
    ]);
    expect([percent(0.417), plural(1, 'step'), plural(7572, 'picture')]).toEqual(['42 %', '1 step', '7,572 pictures']);
    expect([numberWord(8), numberWord(16)]).toEqual(['eight', '16']);
  });
});
