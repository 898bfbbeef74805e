// Draws a card's results: npm run chart --workspace=@paris/benchmarks -- results/lavapipe.json ../docs/images/benchmarks-lavapipe.svg
import { readFileSync, writeFileSync } from 'node:fs';
import { scaleLinear } from 'd3-scale';
import { ALONE } from './names.js';

const [from, to] = process.argv.slice(2);
if (!from || !to) throw new Error('[chart] it takes two files: the results (JSON) and the drawing (SVG).');
const rows = JSON.parse(readFileSync(from, 'utf8'));
/** The scale reaches at least so far. */
const TARGET = 2;

writeFileSync(to, draw(rows));

function draw(rows) {
  const [rowHeight, left, width, top] = [22, 420, 860, 56];
  // On the CPU by what a processor's time gives: the peers have one thread.
  const perProcessor = rows.some(({ cpu_ms: cpu }) => cpu[ALONE]);
  // How many times as long as we the best peer took; a row without one has no bar.
  const bars = rows.map(({ work, shape, ours_ms, peers, cpu_ms: cpu }) => {
    const ours = perProcessor ? cpu[ALONE] : ours_ms;
    const best = Math.min(...Object.entries(peers).map(([name, ms]) => (perProcessor ? cpu[name] : ms)));
    return { label: `${work}, ${shape}`, ratio: ours && Number.isFinite(best) ? best / ours : undefined };
  });
  const largest = Math.max(TARGET, ...bars.map(({ ratio }) => ratio ?? 0));
  const x = scaleLinear([0, largest], [left, width - 50]).nice();
  const height = top + rowHeight * bars.length + 16;
  const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const ticks = x.ticks(6).map((tick) => {
    return `<line class="tick" x1="${x(tick)}" x2="${x(tick)}" y1="${top}" y2="${height - 12}"/>
<text class="axis" x="${x(tick)}" y="${top - 6}" text-anchor="middle">${tick}×</text>`;
  });
  const drawn = bars.map(({ label, ratio }, i) => {
    const y = top + rowHeight * i;
    const bar = ratio
      ? `<rect x="${left}" y="${y + 4}" width="${(x(ratio) - left).toFixed(1)}" height="14" rx="2"/>
<text x="${(x(ratio) + 6).toFixed(1)}" y="${y + 15}">${ratio.toPrecision(2)}×</text>`
      : `<text x="${left + 6}" y="${y + 15}">no peer</text>`;
    return `<text x="${left - 8}" y="${y + 15}" text-anchor="end">${escaped(label)}</text>\n${bar}`;
  });
  const { adapter, versions } = rows[0];
  const peers = Object.entries(versions).flatMap(([name, version]) => (name === 'paris' ? [] : [version]));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>How many times as fast as the best peer, on ${escaped(adapter)}</title>
<style>
  svg { background: #fff; font: 12px system-ui, sans-serif; fill: #222 }
  rect { fill: #2f6f8f } .tick { stroke: #ddd } .axis { fill: #777 } .head { font-weight: 600; font-size: 13px }
</style>
<text class="head" x="8" y="18">Times as fast as the best of ${escaped(peers.join(', '))}</text>
<text class="axis" x="8" y="34">${escaped(adapter)}, f32${perProcessor ? '; processor time, ours with one thread' : ''}</text>
${ticks.join('\n')}
${drawn.join('\n')}
</svg>
`;
}
