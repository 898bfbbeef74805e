// The loss curve, in SVG.

import { svg } from '../view/dom.js';

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
