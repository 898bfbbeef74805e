// A model of three experts, two DiTs and a mixer of our own, from pictures to samples: node run.js [steps] [folder]
import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { full, loadPipeline, tileImages } from '@paris/sampler';
import { savePng } from '@paris/sampler/node';
import mixer from './mixer.js';

const steps = process.argv[2] ?? '800'; // two to four minutes on two cores without a GPU
const out = process.argv[3] ?? 'out';
const small = `--steps ${steps} --batch 16 --width 64 --depth 2 --learning-rate 0.003 --ema 0.99`.split(' ');

await drawPictures(await newFolder(join(out, 'pictures')));
paris('prepare', 'pictures', '--captions', 'pictures/captions.csv', '--size', '16', '--out', 'data');
paris('partition', 'data', '--clusters', '3');
paris('train', 'expert', 'data', '--cluster', '0', '--out', 'runs', ...small);
paris('train', 'expert', 'data', '--cluster', '1', '--out', 'runs', ...small);
const mine = fileURLToPath(new URL('mixer.js', import.meta.url));
paris('train', 'expert', 'data', '--cluster', '2', '--out', 'runs', '--expert', mine, ...small);
paris('train', 'router', 'data', '--out', 'runs', ...small);
paris('assemble', 'runs', '--out', 'model', '--licence', 'MIT');

// Nothing in a model folder is ever run: you supply the code of architectures that are not built in.
const pipeline = await loadPipeline(join(out, 'model'), { architectures: [mixer] });
const prompts = ['red disc', 'green square', 'blue cross'];
const { images, expertPictures } = await pipeline.generate({
  prompts,
  count: 4,
  steps: 20,
  guidance: 1,
  routing: full(),
});
await savePng(join(out, 'samples.png'), tileImages(images, 4));
await pipeline.close();
console.log(`experts: ${(await architectures(join(out, 'model'))).join(', ')}`);
console.log(`evaluations by expert: ${expertPictures.join(' ')}`);
console.log(join(out, 'samples.png'));

/** Runs a command of `paris` in the output folder, as one would type it. */
function paris(...args) {
  console.log(`paris ${args.join(' ')}`);
  const command = join(dirname(createRequire(import.meta.url).resolve('@paris/cli/package.json')), 'bin', 'paris.js');
  execFileSync(process.execPath, [command, ...args], { cwd: out, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** What each expert of a model folder is. */
function architectures(model) {
  return Promise.all(
    ['00', '01', '02'].map(async (expert) => {
      return JSON.parse(await readFile(join(model, 'experts', expert, 'config.json'), 'utf8')).architecture;
    }),
  );
}

/** A folder for our pictures. What is there already and is not of an earlier run of this example is never written over. */
async function newFolder(folder) {
  const mark = join(folder, '.drawn-by-custom-expert');
  await mkdir(folder, { recursive: true });
  const names = await readdir(folder);
  if (names.length > 0 && !names.includes('.drawn-by-custom-expert')) {
    console.error(`${folder} holds other files. Give another folder: node run.js ${steps} FOLDER`);
    process.exit(1);
  }
  await writeFile(mark, '');
  return folder;
}

/** Ninety pictures of three kinds as SVG, with their captions. */
async function drawPictures(folder) {
  const kinds = {
    'red disc': (x, y, r) => `<circle cx="${x}" cy="${y}" r="${r}" fill="#d33"/>`,
    'green square': (x, y, r) => `<rect x="${x - r}" y="${y - r}" width="${2 * r}" height="${2 * r}" fill="#3a3"/>`,
    'blue cross': (x, y, r) =>
      `<path d="M${x - r} ${y}h${2 * r}M${x} ${y - r}v${2 * r}" stroke="#33d" stroke-width="8"/>`,
  };
  const rows = ['file,caption'];
  for (const [caption, draw] of Object.entries(kinds)) {
    for (let i = 0; i < 30; i++) {
      const shape = draw(24 + 4 * (i % 5), 24 + 4 * (Math.floor(i / 5) % 3), 12 + 2 * (i % 4));
      const file = `${caption.replace(' ', '-')}-${i}.svg`;
      const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64">${shape}</svg>`;
      await writeFile(join(folder, file), svg);
      rows.push(`${file},${caption}`);
    }
  }
  await writeFile(join(folder, 'captions.csv'), `${rows.join('\n')}\n`);
}
