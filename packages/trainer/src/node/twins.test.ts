// One picture twice in a folder is never learned from and held out.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryStore } from '@paris/files';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { prepare } from './prepare.js';

let source: string;
/** A disc and a bar, other ones for each number. */
const drawing = (i: number) =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><rect width="64" height="64" fill="#eee"/>` +
  `<circle cx="${10 + ((i * 13) % 40)}" cy="${12 + ((i * 29) % 40)}" r="${6 + (i % 9)}" fill="hsl(${i * 47} 80% 45%)"/>` +
  `<rect x="${(i * 17) % 44}" y="${(i * 7) % 50}" width="20" height="8" fill="hsl(${i * 91} 60% 30%)"/></svg>`;

beforeAll(async () => {
  source = await mkdtemp(join(tmpdir(), 'paris-twins-'));
  for (let i = 0; i < 24; i++) {
    const picture = sharp(Buffer.from(drawing(i)));
    await picture
      .clone()
      .png()
      .toFile(join(source, `p${i}.png`));
    if (i < 6) await writeFile(join(source, `p${i}.svg`), drawing(i));
    else if (i < 12)
      await picture
        .clone()
        .flop()
        .png()
        .toFile(join(source, `mirrored-${i}.png`));
    else if (i < 18)
      await picture
        .clone()
        .resize(32)
        .jpeg({ quality: 90, chromaSubsampling: '4:4:4' })
        .toFile(join(source, `small-${i}.jpg`));
  }
});
afterAll(() => rm(source, { recursive: true }));

/** What is the same drawing by its number, as the file names say. */
const numberOf = (id: string) => Number(/\d+/.exec(id)![0]);

async function run(change: object = {}) {
  const { manifest } = await prepare({ source, size: 16, holdout: 0.4, out: memoryStore(), ...change });
  const numbers = (split: string) =>
    new Set(manifest.items!.filter((i) => i.split === split).map((i) => numberOf(i.id)));
  const [train, test] = [numbers('train'), numbers('test')];
  return { manifest, straddling: [...test].filter((i) => train.has(i)), test };
}

it('keeps formats, mirror images and smaller copies of a picture on one side, and names them', async () => {
  for (const seed of [0, 1, 2]) {
    const { manifest, straddling, test } = await run({ seed });
    expect(straddling).toEqual([]);
    expect(test.size).toBeGreaterThan(2);
    const sets = manifest.nearCopies!;
    expect(sets.map((ids) => [...new Set(ids.map(numberOf))].length)).toEqual(sets.map(() => 1));
    expect(sets.flat().filter((id) => numberOf(id) >= 6)).toHaveLength(24); // an SVG is drawn a little differently
  }
});

it('takes one stem for one picture even where near-copies are not looked for', async () => {
  const { manifest, straddling } = await run({ nearCopies: false });
  expect(manifest).not.toHaveProperty('nearCopies');
  expect(straddling.length).toBeGreaterThan(0);
  expect(straddling.filter((i) => i < 6)).toEqual([]);
  expect(manifest.items!.find(({ id }) => id === 'p3.svg')?.group).toBe('p3');
});

it('joins the groups that a captions file gives', async () => {
  const captions = join(source, 'captions.csv');
  await writeFile(captions, 'file,caption,group\np7.png,a,x\nmirrored-7.png,b,y\np20.png,c,y\np21.png,d,z\n');
  const { manifest } = await run({ captions, holdout: 0 });
  expect(Object.fromEntries(manifest.items!.map(({ id, group }) => [id, group]))).toEqual({
    'mirrored-7.png': 'x',
    'p20.png': 'x',
    'p21.png': 'z',
    'p7.png': 'x',
  });
});
