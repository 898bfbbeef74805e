// What the model draws for the captions of pictures that it has not seen, next to these.
import { type FileSource, type Html, html, trustedHtml } from '@paris/files';
import { renderRouting } from '@paris/sampler';
import { type Items, listItems, pickItems, readLabelled, subjectsOf } from '@paris/trainer';
import { type SampleOptions, sample } from '../sample/sample.js';
import { imagesOf } from './clusters.js';
import { picture, section } from './page.js';

const DRAWN = 3;

/**
 * Held-out pictures of as many clusters as there are, each with three that were drawn for its caption, and which experts drew
 * them. Undefined if no picture is held out.
 * @throws what `sample` throws
 */
export async function sampleSection(
  data: FileSource,
  prompts: number,
  options: Omit<SampleOptions, 'prompts' | 'count'> & { readonly model: FileSource },
): Promise<Html | undefined> {
  const { manifest, rows, items, labels } = await readLabelled(data, 'test');
  const chosen = await oneOfEach(items, labels, prompts);
  if (chosen.length === 0) return undefined;
  const shown = await listItems(pickItems(items, chosen));
  const { texts, guided } = await subjectsOf(options.model, shown);
  const captions = shown.map(({ caption }, i) => texts[i] || caption);
  const held = await imagesOf(rows, manifest, chosen);
  const guidance = guided ? {} : { guidance: 1 };
  const sampled = await sample({ ...options, ...guidance, prompts: texts, count: DRAWN, allowUnknown: true });
  const figures = captions.map((caption, i) => {
    const drawn = sampled.images.slice(DRAWN * i, DRAWN * (i + 1));
    return html`<figure>
<figcaption>“${caption}”</figcaption>
<div class="sampled"><div>${picture(held[i]!, `held out: ${caption}`)}</div><div>${drawn.map((image) => picture(image, `drawn: ${caption}`))}</div></div>
</figure>
`;
  });
  const routing = sampled.routing.filter((_, i) => i % DRAWN === 0);
  const { steps, seed, routing: policy } = sampled.trace;
  return section(
    'Samples',
    `Left a held-out picture, right what the model draws for its caption: ${steps} steps, guidance ${sampled.trace.guidance}, seed ${seed}, routing ${policy}; not chosen.`,
    html`${figures}`,
    trustedHtml(renderRouting(routing, { labels: captions, title: 'Which expert drew the first of each' })),
  );
}

/** Rows, of the clusters in turn, each caption once. */
async function oneOfEach(items: Items, labels: Uint32Array, count: number): Promise<number[]> {
  const chosen: number[] = [];
  const captions = new Set<string>();
  for (const row of turns(labels)) {
    if (chosen.length === count) break;
    for (const { caption } of await items.read(row, 1)) {
      if (!captions.has(caption)) chosen.push(row);
      captions.add(caption);
    }
  }
  return chosen;
}

/** All rows: the first of each cluster, then the second of each, and so on. */
function turns(labels: Uint32Array): Uint32Array {
  const seen = new Map<number, number>();
  const turnOf = labels.map((cluster) => {
    const turn = seen.get(cluster) ?? 0;
    seen.set(cluster, turn + 1);
    return turn;
  });
  const rows = Uint32Array.from(labels.keys());
  return rows.sort((a, b) => turnOf[a]! - turnOf[b]! || labels[a]! - labels[b]! || a - b);
}
