// The commands and the program of docs/train-your-own.md, in their order, in a folder with sixty pictures. What is different from the
// guide is in `smaller`: the numbers, and what a training of four steps does not pass.
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { bash, fencesOf, type Replacements, scriptOf, small, useGuideFolder } from './guide-script.js';
import { ROOT } from './markdown.js';

const guide = 'train-your-own.md';
const smaller: Replacements = [
  ['--clusters 8', '--clusters 2'],
  ['for k in 0 1 2 3 4 5 6 7', 'for k in 0 1'],
  [/--cluster [34]\b/g, '--cluster 1'],
  ['paris assemble', 'paris assemble --no-gate'], // it would refuse such short trainings
  [' --check', ''], // and the controls fail
  ...small,
];

const folder = useGuideFolder();

/** Sixteen patches of one of two colours, in levels that a hash of the number gives. */
function picture(i: number): sharp.Sharp {
  const colour = i % 2 === 0 ? [200, 120, 40] : [90, 90, 110];
  let hash = i + 1;
  const pixels = Uint8Array.from({ length: 48 }, (_, at) => {
    hash = (Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) + at) | 0;
    return colour[at % 3]! + ((hash >>> 24) % 56);
  });
  return sharp(pixels, { raw: { width: 4, height: 4, channels: 3 } }).resize(24, 20, { kernel: 'nearest' });
}

/** `photos/` with captions in a table, as the guide has it, and `new-photos/`, whose names are their captions. */
async function writePictures(): Promise<void> {
  const names = ['cats', 'dogs'];
  for (const of of ['photos/cats', 'photos/dogs', 'new-photos'])
    await mkdir(join(folder.path, of), { recursive: true });
  const rows = ['file,caption,group,category,licence,source'];
  for (let i = 0; i < 60; i++) {
    const kind = names[i % 2]!;
    const file = `${kind}/${i}.${i % 3 === 0 ? 'png' : 'jpg'}`;
    await picture(i).toFile(join(folder.path, 'photos', file));
    const caption = `a ${i % 2 === 0 ? 'grey cat' : 'brown dog'} ${i % 4 < 2 ? 'asleep' : 'awake'}`;
    rows.push(`${file},${caption},${kind}-${i >> 2},${kind},${i % 3 === 2 ? '' : 'CC0-1.0'},my camera`);
  }
  await writeFile(join(folder.path, 'captions.csv'), `${rows.join('\n')}\n`);
  for (let i = 60; i < 72; i++) await picture(i).toFile(join(folder.path, 'new-photos', `smiling-cat_${i}.png`));
}

const file = (...path: string[]) => readFile(join(folder.path, ...path));
const json = async (...path: string[]) => JSON.parse(String(await file(...path)));

it('train on your own pictures', async () => {
  await writePictures();
  const fences = await fencesOf(guide);
  const plan = fences.find(({ language, runs }) => language === 'yaml' && runs)!;
  await writeFile(join(folder.path, 'model.yaml'), plan.code);
  const nobody = { HF_ENDPOINT: 'http://127.0.0.1:9', HF_TOKEN: '' };
  const said = await bash(await scriptOf(guide, smaller), folder.path, nobody);

  expect(await json('data/manifest.json')).toMatchObject({ count: 60 });
  expect(await json('cc-data/manifest.json')).toMatchObject({ count: 40 });
  expect(await readdir(join(folder.path, 'data/clusters'))).toEqual(['00', '01']);
  expect(await json('more-data/manifest.json')).toMatchObject({ count: 12 });
  for (const run of ['runs/expert-00', 'runs/router', 'longer-runs/expert-01', 'watched-runs/expert-01']) {
    expect(await json(run, 'run.json'), run).toMatchObject({ status: 'finished', result: { steps: 4 } });
  }
  const weights = await file('runs/expert-01/model.safetensors');
  expect(await file('watched-runs/expert-01/model.safetensors')).toEqual(weights); // looking changes no byte
  expect(said).toContain('paris train expert data/ --cluster 1');
  expect(String(await file('report.html'))).toContain('expert-01');
  expect(await json('evaluation.json')).toHaveProperty('controls');
  expect(await sharp(await file('grid.png')).metadata()).toMatchObject({ format: 'png' });
  expect(said).toContain('Nothing was sent. --yes sends this to');

  await symlink(join(ROOT, 'node_modules'), join(folder.path, 'node_modules'));
  const program = fences.find(({ language, code }) => language === 'ts' && code.includes("loadPipeline('my-model')"))!;
  await writeFile(join(folder.path, 'package.json'), '{ "type": "module" }');
  await writeFile(join(folder.path, 'app.js'), program.code);
  await bash(`'${process.execPath}' app.js`, folder.path, {});
  expect((await readdir(folder.path)).filter((name) => /^sample-\d\.png$/.test(name))).toHaveLength(4);

  await checkTables(fences.find(({ language }) => language === 'python')!.code);
}, 1_800_000);

/** What the guide's lines of pandas and DuckDB read is there: a flat object a line, with the columns that they name. */
async function checkTables(code: string): Promise<void> {
  const reads = [...code.matchAll(/read_json\('([^']+)'.*$/gm)];
  expect(reads.length).toBeGreaterThanOrEqual(3);
  for (const [line, path] of reads) {
    const lines = String(await file(path!.replace('*', 'expert-01').replace('expert-03', 'expert-01')))
      .trimEnd()
      .split('\n')
      .map((text) => JSON.parse(text));
    const [first] = lines;
    for (const each of lines) {
      expect(Object.keys(each), line).toEqual(Object.keys(first));
      for (const value of Object.values(each)) expect(typeof value, line).toBe('number');
    }
    for (const [, name] of line.matchAll(/'(\w+)'/g)) expect(first, line).toHaveProperty(name!);
    for (const [, name] of code.slice(code.indexOf('SELECT')).matchAll(/min\((\w+)\)/g))
      expect(first).toHaveProperty(name!);
  }
}
