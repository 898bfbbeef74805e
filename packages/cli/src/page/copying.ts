// Whether drawn pictures are copies, to see with one's own eyes.
import { type FileSource, type Html, html } from '@paris/files';
import { type evaluatePictures, formatPictures, readLabelled } from '@paris/trainer';
import { imagesOf } from './clusters.js';
import { picture, section } from './page.js';

/** The drawn pictures that are nearest to a training picture, each next to that one, and what was measured of all. */
export async function copyingSection(
  data: FileSource,
  { evaluation, images }: Awaited<ReturnType<typeof evaluatePictures>>,
): Promise<Html> {
  const { rows, manifest } = await readLabelled(data, 'router');
  const { closest } = evaluation.copying;
  const learned = await imagesOf(
    rows,
    manifest,
    closest.map(({ row }) => row),
  );
  const pairs = closest.map(({ drawn, caption, nearest }, i) => {
    return html`<span>${picture(images[drawn]!, `drawn: ${caption}`)}${picture(learned[i]!, `learned: ${nearest}`)}</span> `;
  });
  return section(
    'Copies?',
    html`<pre>${formatPictures(evaluation)}</pre>
<p>The drawn pictures that are nearest to a training picture, nearest first, each with that one on its right.</p>
<div>${pairs}</div>`,
  );
}
