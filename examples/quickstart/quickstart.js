// From a model folder to a picture: node quickstart.js [model] [prompt] [picture]
import { loadPipeline, top } from '@paris/sampler';
import { savePng } from '@paris/sampler/node';

const [model = '../../models/emoji', prompt = 'cat face', file = 'picture.png'] = process.argv.slice(2);

const pipeline = await loadPipeline(model); // a folder, or any URL that serves one
const { images, routing } = await pipeline.generate({ prompt, seed: 7, steps: 30, routing: top(2) });
await savePng(file, images[0]);
for (const { time, weights } of routing[0]) {
  console.log(time.toFixed(2), [...weights].map((weight) => weight.toFixed(2)).join(' ')); // who drew it, step by step
}
await pipeline.close();
console.log(`${file}: ${prompt}`);
