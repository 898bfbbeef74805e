// The way of the data: pictures part into clusters, each feeds one expert and no other, the experts meet again in a model.
// Bands are as wide as their cluster is large.

import { linkHorizontal } from 'd3-shape';
import { count } from '../format.js';
import { type Html, html } from '../html.js';
import { expertColour } from '../palette.js';
import type { PageInput } from '../types.js';
import { round } from './frame.js';

const [width, lane, top] = [1040, 44, 30];
const columns = { data: 128, cluster: 330, expert: 640, model: 880 };

export function flowChart({ data, clusters }: PageInput): Html {
  const height = top + lane * (clusters.length + 1) + 24;
  const middle = top + (lane * clusters.length) / 2;
  const scale = (0.62 * lane * clusters.length) / data.train;
  let used = middle - (data.train * scale) / 2;
  const bands = clusters.map((cluster) => {
    const thickness = Math.max(2, cluster.train * scale);
    const from = used + thickness / 2;
    used += thickness;
    return { cluster, thickness, from, y: top + lane * (cluster.index + 0.5) };
  });
  const routerY = top + lane * (clusters.length + 0.5);
  const curve = (x0: number, y0: number, x1: number, y1: number) =>
    linkHorizontal()({ source: [x0, y0], target: [x1, y1] }) ?? '';
  const label = `${count(data.train)} training pictures part into ${clusters.length} clusters of ${clusters.map((c) => count(c.train)).join(', ')} pictures. Each cluster trains one expert. A router learns to name the cluster. All of them together are the model.`;
  return html`<svg class="chart flow" viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">
<g class="flow-head"><text x="0" y="14">pictures</text><text x="${columns.cluster}" y="14">clusters</text><text x="${columns.expert}" y="14">experts, each trained alone</text><text x="${columns.model + 34}" y="14">model</text></g>
${bands.map(
  ({ cluster, thickness, from, y }) => html`<g data-expert="${cluster.index}" stroke="${expertColour(cluster.index)}">
<path class="band" d="${curve(columns.data, from, columns.cluster - 12, y)}" stroke-width="${round(thickness)}"/>
<path class="wire" d="M${columns.cluster + 236} ${round(y)}H${columns.expert - 8}"/>
<path class="wire" d="${curve(columns.expert + 112, y, columns.model, middle)}"/></g>`,
)}
<path class="wire router" d="M${columns.data - 60} ${round(middle + (data.train * scale) / 2)}V${routerY - 14}Q${columns.data - 60} ${routerY} ${columns.data - 46} ${routerY}H${columns.expert - 8}"/>
<path class="wire router" d="${curve(columns.expert + 112, routerY, columns.model, middle)}"/>
<rect class="data" x="0" y="${round(middle - (data.train * scale) / 2)}" width="${columns.data}" height="${round(data.train * scale)}" rx="4"/>
<text class="flow-number" x="14" y="${middle - 4}">${count(data.train)}</text><text class="flow-note" x="14" y="${middle + 16}">for training</text>
<text class="flow-note" x="14" y="${middle + 36}">${count(data.test)} held out</text>
${bands.map(
  ({ cluster, y }) => html`<g data-expert="${cluster.index}">
${cluster.pictures.slice(0, 7).map((picture, i) => html`<image href="${picture.src}" x="${columns.cluster + i * 26}" y="${round(y - 11)}" width="22" height="22"/>`)}
<text class="flow-note" x="${columns.cluster + 186}" y="${round(y + 4)}">${count(cluster.train)}</text>
<rect class="expert" x="${columns.expert}" y="${round(y - 15)}" width="112" height="30" rx="6" fill="${expertColour(cluster.index)}" stroke="${expertColour(cluster.index)}"/>
<text class="expert-name" x="${columns.expert + 56}" y="${round(y + 5)}" text-anchor="middle">expert ${cluster.index}</text></g>`,
)}
<rect class="router-box" x="${columns.expert}" y="${routerY - 15}" width="112" height="30" rx="6"/>
<text class="router-name" x="${columns.expert + 56}" y="${routerY + 5}" text-anchor="middle">router</text>
<text class="flow-note" x="${columns.cluster}" y="${routerY - 8}">noisy pictures of all clusters</text>
<rect class="model" x="${columns.model}" y="${middle - 62}" width="${width - columns.model}" height="124" rx="8"/>
<text class="flow-number" x="${columns.model + 80}" y="${middle - 26}" text-anchor="middle">at each step</text>
<text class="flow-note" x="${columns.model + 80}" y="${middle}" text-anchor="middle">the router weighs</text>
<text class="flow-note" x="${columns.model + 80}" y="${middle + 20}" text-anchor="middle">the best experts run</text>
<text class="flow-note" x="${columns.model + 80}" y="${middle + 40}" text-anchor="middle">their answers mix</text></svg>`;
}
