// Two small charts in SVG: who is at work at each step, and the loss.

/** Colours that people with any colour vision tell apart (Okabe and Ito, https://jfly.uni-koeln.de/color/). */
const COLOURS = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00', '#f0e442', '#999999'];

export function colourOf(expert: number): string {
  return COLOURS[expert % COLOURS.length]!;
}

/** A column for each step, divided among the experts by their weights. */
export class RoutingStrip {
  readonly element: SVGSVGElement = svg('svg', { role: 'img', preserveAspectRatio: 'none', class: 'strip' });
  readonly #totals: number[];
  #steps = 0;

  constructor(experts: number, steps: number) {
    this.#totals = new Array<number>(experts).fill(0);
    this.element.setAttribute('viewBox', `0 0 ${steps} 1`);
    this.element.setAttribute('aria-label', 'No step yet');
  }

  /** @param weights [K], sum to 1 */
  add(step: number, weights: readonly number[]): void {
    let y = 0;
    for (const [expert, height] of weights.entries()) {
      this.#totals[expert]! += height;
      if (height > 0) this.element.append(svg('rect', { x: step, y, width: 0.92, height, fill: colourOf(expert) }));
      y += height;
    }
    this.#steps += 1;
    const shares = this.#totals.map((total, expert) => `expert ${expert} ${Math.round((100 * total) / this.#steps)} %`);
    this.element.setAttribute('aria-label', `Drawn by ${shares.join(', ')}`);
  }
}

const [WIDTH, HEIGHT, LEFT, BOTTOM] = [320, 160, 34, 22];

/** Loss over steps, from 0 to its largest value. */
export function drawLoss(chart: SVGSVGElement, losses: readonly number[], steps: number): void {
  const top = Math.max(...losses, 0.001);
  const x = (step: number) => LEFT + ((WIDTH - LEFT - 6) * step) / Math.max(steps - 1, 1);
  const y = (loss: number) => 8 + (HEIGHT - BOTTOM - 8) * (1 - loss / top);
  const label = (text: string, at: { x: number; y: number }, anchor: string) => {
    const element = svg('text', { ...at, 'text-anchor': anchor });
    element.textContent = text;
    return element;
  };
  chart.replaceChildren(
    svg('path', { class: 'axis', d: `M${LEFT} 8V${HEIGHT - BOTTOM}H${WIDTH - 6}` }),
    ...(losses.length > 0
      ? [
          svg('polyline', { class: 'line', points: losses.map((loss, i) => `${x(i)},${y(loss)}`).join(' ') }),
          label(top.toFixed(1), { x: LEFT - 6, y: 14 }, 'end'),
          label('0', { x: LEFT - 6, y: HEIGHT - BOTTOM }, 'end'),
          label('1', { x: LEFT, y: HEIGHT - 6 }, 'middle'),
          label(String(steps), { x: WIDTH - 6, y: HEIGHT - 6 }, 'end'),
        ]
      : []),
  );
  const [first, last] = [losses[0], losses.at(-1)];
  const text = last === undefined ? 'nothing yet' : `from ${first!.toFixed(2)} to ${last.toFixed(2)}`;
  chart.setAttribute('aria-label', `Loss by step: ${text}`);
}

function svg<Name extends 'svg' | 'rect' | 'path' | 'polyline' | 'text'>(
  name: Name,
  attributes: Record<string, string | number>,
): SVGElementTagNameMap[Name] {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}
