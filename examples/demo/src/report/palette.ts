// One colour per expert, the same everywhere on the page: equal steps of hue in OKLCH at two alternating lightnesses, so
// that neighbours differ in more than hue, each with at least 3:1 contrast to the background (WCAG 2.2, 1.4.11).

/** The custom properties `--e0` … for a light and for a dark background. */
export function paletteCss(experts: number): string {
  const block = (lightness: readonly [number, number], chroma: number) =>
    Array.from({ length: experts }, (_, i) => `--e${i}:oklch(${lightness[i % 2]} ${chroma} ${hue(i, experts)});`).join(
      '',
    );
  return `:root{${block([0.5, 0.61], 0.135)}}@media (prefers-color-scheme:dark){:root{${block([0.66, 0.78], 0.125)}}}`;
}

/** CSS colour of an expert. */
export const expertColour = (expert: number) => `var(--e${expert})`;

const hue = (i: number, experts: number) => Math.round((25 + (360 * i) / experts) % 360);
