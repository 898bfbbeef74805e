import { ValueError } from '@paris/tensor';
import { describe, expect, it } from 'vitest';
import type { RoutingRecord } from './mixture.js';
import { expertColour, renderRouting } from './render.js';

const record = (weights: number[], step: number, nearTie?: boolean): RoutingRecord => ({
  step,
  evaluation: 0,
  time: 1 - step / 4,
  probabilities: Float32Array.from(weights),
  weights: Float32Array.from(weights),
  ...(nearTie !== undefined && { telemetry: { entropy: 0, nearTie, cosines: new Float32Array(9), milliseconds: 1 } }),
});
const routing = [
  [record([0, 1, 0], 0), record([0.25, 0.75, 0], 1), record([1, 0, 0], 2), record([1, 0, 0], 3)],
  [record([0, 1, 0], 0), record([0, 1, 0], 1), record([0, 1, 0], 2), record([0, 1, 0], 3)],
];

/** The boxes of a colour: [left, top, right, bottom]. */
function boxes(svg: string, expert: number): number[][] {
  const paths = [...svg.matchAll(new RegExp(`fill="${expertColour(expert)}" d="([^"]*)"`, 'g'))];
  return paths.flatMap(([, d]) =>
    [...d!.matchAll(/M(\S+) (\S+)H(\S+)V([\d.]+)/g)].map(([, ...numbers]) => numbers.map(Number)),
  );
}

describe('renderRouting', () => {
  it('gives each expert its share of the height, at its time', () => {
    const svg = renderRouting(routing);
    const [first, second, third, fourth, ...rest] = boxes(svg, 1);
    const column = first![2]! - first![0]!;
    const full = first![3]! - first![1]!;
    expect(second![0]).toBeCloseTo(first![0]! + column, 1);
    expect((second![3]! - second![1]!) / full).toBeCloseTo(0.75, 2);
    const [shared, ...later] = boxes(svg, 0);
    expect(later).toHaveLength(2);
    expect((shared![3]! - shared![1]!) / full).toBeCloseTo(0.25, 2);
    expect(shared![3]).toBeCloseTo(second![1]!, 1); // one ends where the other begins
    expect([third![1], fourth![1], ...rest.map((box) => box[1])]).toEqual(new Array(4).fill(third![1])); // below
    expect(third![1]).toBeGreaterThan(first![3]!);
    expect(boxes(svg, 2)).toEqual([]);
  });

  it('says the same in words, and shares in the legend', () => {
    const svg = renderRouting(routing, { title: 'Eyes & ears' });
    expect(svg).toContain('<title>Eyes &#38; ears</title>');
    expect(svg).toContain(
      '<desc>Shares of 3 experts in 2 pictures over 4 model evaluations from noise to data. ' +
        'On average: expert 1 72 %, expert 0 28 %.</desc>',
    );
    for (const text of ['expert 0: 28 %', 'expert 1: 72 %', 'expert 2: 0 %']) expect(svg).toContain(`>${text}<`);
    expect(svg).toMatch(/<svg [^>]*role="img"/);
  });

  it('marks near-ties only where they are', () => {
    expect(renderRouting(routing)).not.toContain('<circle');
    const watched = [[record([1, 0, 0], 0, false), record([0, 1, 0], 1, true), record([0, 1, 0], 2, false)]];
    expect(renderRouting(watched).match(/<circle/g)).toHaveLength(2); // above the column, and in the legend
  });

  it('draws many pictures thinly, in the order of their labels, under their mean', () => {
    const many = Array.from({ length: 40 }, (_, i) => routing[i % 2]!);
    const labels = many.map((_, i) => (i < 20 ? 'cat' : i < 39 ? 'dog' : 'owl'));
    const svg = renderRouting(many, { labels });
    const [mean, ...thin] = boxes(svg, 1).filter(([left]) => left === boxes(svg, 1)[0]![0]);
    expect(mean![3]! - mean![1]!).toBe(34); // all begin with expert 1
    expect(thin).toHaveLength(40);
    for (const [i, [, from, , to]] of thin.entries()) {
      expect(to! - from!).toBe(7);
      if (i > 0) expect(from).toBe(thin[i - 1]![1]! + 8);
    }
    // Once for each label.
    expect([...svg.matchAll(/<text y="\d+">([^<]*)</g)].map(([, text]) => text)).toEqual([
      'all 40 pictures',
      'cat',
      'dog',
      'owl',
    ]);
    expect(svg.match(/<g shape-rendering="crispEdges">\n<title>dog<\/title>/g)).toHaveLength(19);
    const [second] = boxes(svg, 0); // of the mean: expert 0 has a quarter in half of the pictures
    expect((second![3]! - second![1]!) / 34).toBeCloseTo(0.125, 2);
    const [, height] = /viewBox="0 0 860 (\d+)"/.exec(svg)!;
    expect(Number(height)).toBeLessThan(600);
    const dense = renderRouting(many, { labels: many.map((_, i) => `picture ${i}`) });
    expect(dense.match(/<text y="10">/g)).toHaveLength(20); // every second line
  });

  it('takes any text for a label', () => {
    const labels = ['</text><script>alert("x")</script> & more', `a\u0000b\ud800c ${'long '.repeat(20)}`];
    const svg = renderRouting(routing, { labels });
    expect(svg).not.toContain('<script');
    expect(svg).toContain(
      '<title>&#60;/text&#62;&#60;script&#62;alert(&#34;x&#34;)&#60;/script&#62; &#38; more</title>',
    );
    expect(svg).toContain('>a\ufffdb\ufffdc long long long lon…<');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(svg).not.toMatch(/[\u0000-\u0008\ud800-\udfff]/);
  });

  it('has sixteen colours that differ', () => {
    const colours = Array.from({ length: 16 }, (_, k) => lab(expertColour(k)));
    for (const [j, a] of colours.entries()) {
      expect(distance(a, lab('#FFFFFF'))).toBeGreaterThan(40);
      for (const b of colours.slice(0, j)) expect(distance(a, b)).toBeGreaterThan(26);
    }
    expect(new Set(Array.from({ length: 40 }, (_, k) => expertColour(k))).size).toBe(40);
  });

  it('refuses nothing, pictures of different length, and labels that do not fit', () => {
    expect(() => renderRouting([])).toThrow(ValueError);
    expect(() => renderRouting([])).toThrow(
      '[renderRouting] there is nothing to draw: 0 pictures with no evaluations. Pass the routing that generate returned.',
    );
    expect(() => renderRouting([routing[0]!, []])).toThrow('2 pictures with 4, 0 evaluations');
    expect(() => renderRouting(routing, { labels: ['a'] })).toThrow(
      '[renderRouting] 2 pictures have 1 labels. Give one for each.',
    );
  });
});

/** CIE L*a*b* of an sRGB colour, white point D65. */
function lab(colour: string): number[] {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const c = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  const [x, y, z] = [
    (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047,
    0.2126 * r + 0.7152 * g + 0.0722 * b,
    (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883,
  ].map((t) => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116)) as [number, number, number];
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

function distance(a: readonly number[], b: readonly number[]): number {
  return Math.hypot(...a.map((value, i) => value - b[i]!));
}
