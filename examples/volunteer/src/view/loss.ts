// The loss curve, in SVG.
import type { Point } from '../messages.js';
import { number, svg } from './dom.js';

const [width, height, left, bottom, top, right] = [360, 180, 36, 24, 10, 10];

/** Mean losses over all steps of the training, from 0 to the largest of them. */
export function drawLoss(chart: SVGSVGElement, losses: readonly Point[], steps: number): void {
  const most = Math.max(...losses.map(({ loss }) => loss), 0.001);
  const x = (step: number) => left + ((width - left - right) * step) / Math.max(steps, 1);
  const y = (loss: number) => top + (height - top - bottom) * (1 - loss / most);
  const label = (text: string, x: number, y: number, anchor: string) =>
    svg('text', { x, y, 'text-anchor': anchor }, text);
  const points = losses.map(({ step, loss }) => `${x(step).toFixed(1)},${y(loss).toFixed(1)}`);
  const last = losses.at(-1);
  chart.replaceChildren(
    svg('path', { class: 'axis', d: `M${left} ${top}V${height - bottom}H${width - right}` }),
    label('0', left - 6, height - bottom + 4, 'end'),
    label(number(steps), width - right, height - 7, 'end'),
    ...(last
      ? [
          label(most.toPrecision(2), left - 6, top + 6, 'end'),
          svg('polyline', { class: 'line', points: points.join(' ') }),
          svg('circle', { class: 'dot', cx: x(last.step), cy: y(last.loss), r: 3 }),
        ]
      : []),
  );
  const [first] = losses;
  const text = last ? `from ${first!.loss.toFixed(2)} to ${last.loss.toFixed(2)} at step ${last.step}` : 'nothing yet';
  chart.setAttribute('aria-label', `Loss by step: ${text}`);
}
