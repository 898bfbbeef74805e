// A model folder or URL, a prompt, a grid of pictures, on Deno's own WebGPU: deno run … sample.ts [model] [prompt] [picture]
import { encodePng, loadPipeline, tileImages } from '@paris/sampler';

const [model = '../../models/emoji', prompt = 'cat face', file = 'pictures.png'] = Deno.args;

const pipeline = await loadPipeline(model);
const { images, expertPictures } = await pipeline.generate({ prompt, count: 4, steps: 30, seed: 7, routing: 'top2' });
await Deno.writeFile(file, encodePng(tileImages(images, 2)));
console.log('evaluations by expert:', expertPictures.join(' '));
console.log('adapter:', pipeline.device.info.adapter);
await pipeline.close();
console.log(`${file}: ${prompt}`);
