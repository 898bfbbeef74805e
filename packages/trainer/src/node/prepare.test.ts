import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryStore } from '@paris/files';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readManifestFolder } from '../data/files.js';
import { selectRows } from '../data/rows.js';
import { captionFromName } from './pictures.js';
import { prepare } from './prepare.js';

let folder: string;
const colours = ['red', 'green', 'blue', 'white'];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paris-prepare-'));
  await mkdir(join(folder, 'photos/more'), { recursive: true });
  const rows = ['file,caption,group,category,licence'];
  for (let i = 0; i < 40; i++) {
    const file = `${i % 2 ? 'more/' : ''}${String(i).padStart(2, '0')}.png`;
    const background = { r: i * 6, g: 255 - i * 6, b: 7 };
    const picture = sharp({ create: { width: 12, height: 12, channels: 3, background } });
    await picture.png().toFile(join(folder, 'photos', file));
    rows.push(`${file},"A ${colours[i % 4]} square, number ${i}",g${i >> 1},${colours[i % 4]},MIT`);
  }
  rows.push('gone.png,not there,,,', '00.png,again,,,');
  await writeFile(join(folder, 'photos/broken.png'), 'no picture');
  await writeFile(join(folder, 'photos/uncaptioned.png'), 'not looked at');
  await writeFile(join(folder, 'photos/notes.txt'), 'not looked at');
  rows.push('broken.png,broken,,,');
  await writeFile(join(folder, 'captions.csv'), rows.join('\n'));
});
afterAll(() => rm(folder, { recursive: true }));

const run = async (change: object = {}) => {
  const out = memoryStore();
  const source = join(folder, 'photos');
  const report = await prepare({
    source,
    captions: join(folder, 'captions.csv'),
    size: 4,
    holdout: 0.25,
    out,
    ...change,
  });
  return { out, ...report };
};

describe('prepare', () => {
  it('writes every usable picture with its caption, and reports the rest', async () => {
    const { out, manifest, missing, repeated } = await run();
    expect(manifest.count).toBe(40);
    expect(missing).toEqual(['gone.png']);
    expect(repeated).toEqual(['00.png']);
    expect(manifest.skipped.map(({ file }) => file).sort()).toEqual(['broken.png', 'uncaptioned.png']);
    const read = await readManifestFolder(out);
    expect(read.manifest).toEqual(manifest);
    const row = manifest.items.findIndex((item) => item.id === 'more/21.png');
    expect(manifest.items[row]).toMatchObject({
      caption: 'A green square, number 21',
      group: 'g10',
      licence: 'MIT',
    });
    const { pixels, tokens } = selectRows(read, manifest, [row]);
    expect([pixels[0], pixels[16], pixels[32]]).toEqual([126, 129, 7]);
    expect(
      Array.from(tokens, (id) => (id ? manifest.vocabulary[id] : ''))
        .join(' ')
        .trim(),
    ).toMatch(/^a green square number (21|<unk>)$/);
  });

  it('never has one group on both sides, and no word of a held-out caption alone in the vocabulary', async () => {
    const { manifest } = await run();
    const groups = (split: string) => new Set(manifest.items.filter((i) => i.split === split).map((i) => i.group));
    const [train, test] = [groups('train'), groups('test')];
    expect(test.size).toBeGreaterThan(0);
    expect([...test].filter((group) => train.has(group))).toEqual([]);
    const numbers = manifest.items.filter((i) => i.split === 'test').map((i) => i.caption.split(' ').at(-1)!);
    expect(numbers.filter((word) => manifest.vocabulary.includes(word))).toEqual([]);
  });

  it('gives the same bytes again, and another split for another seed', async () => {
    const [a, b, c] = [await run(), await run(), await run({ seed: 1 })];
    for (const path of await a.out.list()) expect(await b.out.read(path)).toEqual(await a.out.read(path));
    const split = (of: typeof a) => of.manifest.items.map((item) => item.split).join();
    expect(split(c)).not.toBe(split(a));
  });

  it('keeps the vocabulary within its limit', async () => {
    expect((await run({ vocabularyLimit: 3 })).manifest.vocabulary).toEqual([
      '<pad>',
      '<unk>',
      'a',
      'number',
      'square',
    ]);
  });

  it('captions by file name without a captions file', async () => {
    const { manifest } = await run({ captions: undefined });
    expect(manifest.items.find((item) => item.id === 'more/21.png')).toMatchObject({
      caption: '21',
      group: 'more/21.png',
    });
    expect(captionFromName('pets/Smiling-cat_2.final.png')).toBe('smiling cat 2 final');
  });

  it.each([
    [{ source: '/nowhere/at/all' }, '/nowhere/at/all is not a folder'],
    [{ captions: '/nowhere.csv' }, 'the captions file /nowhere.csv cannot be read (ENOENT)'],
    [{ holdout: 1 }, 'no picture is left for training'],
  ])('says what is wrong with %j', async (change, message) => {
    await expect(run(change)).rejects.toThrow(message);
  });

  it('loses no run to a file: what is odd is handled, what is broken is skipped with its reason', async () => {
    const source = await mkdtemp(join(tmpdir(), 'paris-odd-'));
    const noise = { raw: { width: 32, height: 32, channels: 3 as const } };
    const picture = sharp(Buffer.from(Array.from({ length: 3072 }, (_, i) => (i * 7919) % 251)), noise);
    const [png, jpeg] = [await picture.clone().png().toBuffer(), await picture.clone().jpeg().toBuffer()];
    const frames = sharp(Buffer.alloc(8 * 16 * 3, 90), { raw: { width: 8, height: 16, channels: 3, pageHeight: 8 } });
    const vast = Buffer.from(png); // claims 2³⁰ × 2³⁰ pixels
    vast.writeUInt32BE(2 ** 30, 16);
    vast.writeUInt32BE(2 ** 30, 20);
    await writeFile(join(source, '..', 'outside.png'), png);
    const svg = (inside: string, size = '8') =>
      `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}">${inside}</svg>`;
    const outside = '<image href="../outside.png" width="8" height="8"/>';
    const entity = `<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>${svg('<text>&x;</text>')}`;
    const files: Record<string, Buffer | string> = {
      'alpha.png': await picture.clone().ensureAlpha(0.5).png().toBuffer(),
      'animated.gif': await frames.gif().toBuffer(),
      'cmyk.jpg': await picture.clone().toColourspace('cmyk').jpeg().toBuffer(),
      'deep.png': await picture.clone().toColourspace('rgb16').png().toBuffer(),
      'grey.png': await picture.clone().greyscale().png().toBuffer(),
      'one.png': await picture.clone().resize(1, 1).png().toBuffer(),
      'misnamed.png': jpeg,
      'outside.svg': svg(outside),
      'bomb.png': vast,
      'cut.jpg': jpeg.subarray(0, jpeg.length >> 1),
      'cut.png': png.subarray(0, png.length >> 1),
      'empty.png': '',
      'entity.svg': entity,
      'none.svg': svg('', '0'),
      'page.png': '<!doctype html><title>404</title>',
      'vast.svg': svg('', '1000000'),
    };
    for (const [name, content] of Object.entries(files)) await writeFile(join(source, name), content);
    await mkdir(join(source, 'folder.png'));
    await symlink(join(source, '..', 'outside.png'), join(source, 'link.png'));
    const { manifest } = await run({ source, captions: undefined, holdout: 0 });
    const used = ['alpha.png', 'animated.gif', 'cmyk.jpg', 'deep.png', 'grey.png', 'misnamed.png', 'one.png'];
    expect(manifest.items.map(({ id }) => id)).toEqual([...used, 'outside.svg']);
    const skipped = ['bomb.png', 'cut.jpg', 'cut.png', 'empty.png', 'entity.svg', 'none.svg', 'page.png', 'vast.svg'];
    expect(manifest.skipped.map(({ file }) => file)).toEqual(skipped);
    for (const { reason } of manifest.skipped) expect(reason).toMatch(/^[^\n]{5,200}$/);
    const { out } = await run({ source, captions: undefined, holdout: 0 });
    const { pixels } = await readManifestFolder(out);
    expect(new Set(pixels.subarray(7 * 48))).toEqual(new Set([255])); // the SVG's reference was not followed
    await rm(source, { recursive: true });
    await rm(join(tmpdir(), 'outside.png'));
  });

  it('names the first of the files if none can be used', async () => {
    const source = await mkdtemp(join(tmpdir(), 'paris-none-'));
    await expect(run({ source, captions: undefined })).rejects.toThrow('there is no picture in the folder');
    await writeFile(join(source, 'a.png'), 'no picture');
    await expect(run({ source, captions: undefined })).rejects.toThrow(
      'none of 1 pictures could be used; the first: a.png: ',
    );
    await rm(source, { recursive: true });
  });
});
