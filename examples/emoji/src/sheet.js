// Pictures for the prompts of prompts.json, one for each, none chosen: prompt i is drawn from seed i.
//
//   node src/sheet.js [MODEL] [PICTURE] [prompts | heldOut]

import { readFileSync } from 'node:fs';
import { enlarge } from '@paris/cli';
import { loadPipeline, tileImages } from '@paris/sampler';
import { savePng } from '@paris/sampler/node';

const [model = '../../models/emoji', file = 'samples.png', which = 'prompts'] = process.argv.slice(2);
/** @type {string[]} */
const prompts = JSON.parse(readFileSync(new URL('prompts.json', import.meta.url), 'utf8'))[which];

const pipeline = await loadPipeline(model);
const images = [];
for (const [seed, prompt] of prompts.entries()) {
  const drawn = await pipeline.generate({ prompt, seed, steps: 30 });
  images.push(enlarge(drawn.images[0], 4));
}
await pipeline.close();
const columns = prompts.length > 6 ? 10 : prompts.length;
await savePng(file, tileImages(images, columns, { gap: 16 }));
console.log(`${file}: ${prompts.join(', ')}`);
