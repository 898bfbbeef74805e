import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryStore } from '@paris/files';
import { openDevice } from '@paris/tensor';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readManifestFolder } from '../data/files.js';
import { selectRows } from '../data/rows.js';
import { OutputError } from '../errors.js';
import { partitionData } from '../partition/partition.js';
import { prepare } from './prepare.js';
import { captionFromName } from './sources/decode-ahead.js';

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
    expect(read.manifest).toEqual({ ...manifest, sha256: expect.any(String) });
    const row = manifest.items!.findIndex((item) => item.id === 'more/21.png');
    expect(manifest.items![row]).toMatchObject({
      caption: 'A green square, number 21',
      group: 'g10',
      licence: 'MIT',
    });
    const { images, tokens } = selectRows(read.columns, manifest, [row]);
    expect([images![0], images![16], images![32]]).toEqual([126, 129, 7]);
    expect(
      Array.from(tokens!, (id) => (id ? manifest.vocabulary[id] : ''))
        .join(' ')
        .trim(),
    ).toMatch(/^a green square number (21|<unk>)$/);
  });

  it('never has one group on both sides, and no word of a held-out caption alone in the vocabulary', async () => {
    const { manifest } = await run();
    const groups = (split: string) => new Set(manifest.items!.filter((i) => i.split === split).map((i) => i.group));
    const [train, test] = [groups('train'), groups('test')];
    expect(test.size).toBeGreaterThan(0);
    expect([...test].filter((group) => train.has(group))).toEqual([]);
    const numbers = manifest.items!.filter((i) => i.split === 'test').map((i) => i.caption.split(' ').at(-1)!);
    expect(numbers.filter((word) => manifest.vocabulary.includes(word))).toEqual([]);
  });

  it('gives the same bytes again, and another split for another seed', async () => {
    const [a, b, c] = [await run(), await run(), await run({ seed: 1 })];
    for (const path of await a.out.list()) expect(await b.out.read(path)).toEqual(await a.out.read(path));
    const split = (of: typeof a) => of.manifest.items!.map((item) => item.split).join();
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
    expect(manifest.items!.find((item) => item.id === 'more/21.png')).toMatchObject({
      caption: '21',
      group: 'more/21',
    });
    expect(captionFromName('pets/Smiling-cat_2.final.png')).toBe('smiling cat 2 final');
  });

  it.each([
    [{ source: '/nowhere/at/all' }, '/nowhere/at/all is not a folder'],
    [{ captions: '/nowhere.csv' }, 'the captions file /nowhere.csv cannot be read (ENOENT)'],
    [{ holdout: 1 }, 'no picture is left for training'],
    [{ fit: 'crop' }, '[prepare] fit is "crop". Give "cover" or "contain".'],
    [{ filter: { needs: ['licence'] } }, '[prepare] a need is "licence". Give "caption" or "category".'],
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
    const links = ['link.png'];
    expect(manifest.items!.map(({ id }) => id).sort()).toEqual([...used, ...links, 'outside.svg'].sort());
    const skipped = ['bomb.png', 'cut.jpg', 'cut.png', 'empty.png', 'entity.svg', 'none.svg', 'page.png', 'vast.svg'];
    expect(manifest.skipped.map(({ file }) => file)).toEqual(skipped);
    for (const { reason } of manifest.skipped) expect(reason).toMatch(/^[^\n]{5,200}$/);
    const { out } = await run({ source, captions: undefined, holdout: 0 });
    const { columns } = await readManifestFolder(out);
    const row = manifest.items!.findIndex(({ id }) => id === 'outside.svg');
    expect(new Set(columns.images!.subarray(row * 48, row * 48 + 48))).toEqual(new Set([255])); // the SVG's reference was not followed
    await rm(source, { recursive: true });
    await rm(join(tmpdir(), 'outside.png'));
  });

  it('finds the row of a file however its name is written', async () => {
    const source = await mkdtemp(join(tmpdir(), 'paris-accents-'));
    await copyFile(join(folder, 'photos/00.png'), join(source, 'cafe\u0301.png'));
    await copyFile(join(folder, 'photos/02.png'), join(source, 'na\u00efve.png'));
    await mkdir(join(source, 'back'));
    await copyFile(join(folder, 'photos/04.png'), join(source, 'back\\slash.png'));
    await copyFile(join(folder, 'photos/06.png'), join(source, 'back/slash.png'));
    const rows = 'caf\u00e9.png;coffee\nnai\u0308ve.png;simple\nback/slash.png;even\nback\\slash.png;odd\n';
    await writeFile(join(source, 'c.csv'), `file;caption\n${rows}`);
    const { manifest, missing, others } = await run({ source, captions: join(source, 'c.csv'), holdout: 0 });
    expect(manifest.items!.map(({ caption }) => caption).sort()).toEqual(['coffee', 'even', 'odd', 'simple']);
    const byId = Object.fromEntries(manifest.items!.map(({ id, caption }) => [id, caption]));
    expect([byId['back/slash.png'], byId['back\\slash.png']]).toEqual(['even', 'odd']);
    expect([missing, manifest.skipped, others]).toEqual([[], [], {}]);
    await writeFile(join(source, 'c.csv'), Buffer.from('file,caption\ncaf\u00e9.png,coffee\n', 'latin1'));
    await expect(run({ source, captions: join(source, 'c.csv') })).rejects.toThrow('c.csv is not UTF-8. Save it');
    await rm(source, { recursive: true });
  });

  it('follows links, each folder and picture once, and counts what it leaves out by reason', async () => {
    const place = await mkdtemp(join(tmpdir(), 'paris-links-'));
    const at = (name: string) => join(place, name);
    await mkdir(at('in/sub'), { recursive: true });
    await mkdir(at('out/deep'), { recursive: true });
    const png = join(folder, 'photos/00.png');
    for (const name of ['in/a.png', 'in/sub/b.png', 'out/c.png', 'out/deep/d.jfif']) await copyFile(png, at(name));
    for (const name of ['in/x.heic', 'in/y.bmp', 'in/Z.BMP', 'in/a.txt', 'in/sub/b.txt', 'in/list.csv', 'in/.hidden'])
      await writeFile(at(name), 'something');
    const links = {
      'in/again.png': 'a.png',
      'in/circle': '.',
      'in/sub/up': '..',
      'in/linked': '../out',
      'out/back': '../in',
      'out/e.png': '../in/sub/b.png',
      'in/nowhere.png': 'gone.png',
      'in/self': 'self',
      'in/notes.txt': 'a.txt',
      'in/far.png': '../far.png',
    };
    await copyFile(png, at('far.png'));
    for (const [name, target] of Object.entries(links)) await symlink(target, at(name));
    let last: readonly number[] = [];
    const onProgress = (...progress: number[]) => {
      last = progress;
    };
    const { manifest, others } = await run({ source: at('in'), captions: undefined, holdout: 0, onProgress });
    expect(last).toEqual([15, 15]);
    const used = ['a.png', 'far.png', 'linked/c.png', 'linked/deep/d.jfif', 'sub/b.png'];
    expect(manifest.items!.map(({ id }) => id)).toEqual(used);
    expect(manifest.skipped).toEqual([
      { file: 'Z.BMP', reason: 'BMP is not read; convert it to PNG or JPEG' },
      { file: 'again.png', reason: 'a link to a picture that is read already' },
      { file: 'circle', reason: 'a link to a folder that is read already' },
      { file: 'linked/back', reason: 'a link to a folder that is read already' },
      { file: 'linked/e.png', reason: 'a link to a picture that is read already' },
      { file: 'nowhere.png', reason: 'a link that leads nowhere' },
      { file: 'self', reason: 'a link that leads nowhere' },
      { file: 'sub/up', reason: 'a link to a folder that is read already' },
      { file: 'x.heic', reason: 'HEIC is not read; convert it to PNG or JPEG' },
      { file: 'y.bmp', reason: 'BMP is not read; convert it to PNG or JPEG' },
    ]);
    expect(others).toEqual({ '.csv': 1, '.txt': 1 }); // a.txt and b.txt caption a.png and b.png
    await rm(place, { recursive: true });
  });

  it('captions by a text file, by metadata or by the name, in this order of kinds', async () => {
    const source = await mkdtemp(join(tmpdir(), 'paris-captions-'));
    await mkdir(join(source, 'sub'));
    for (const file of ['a.png', 'b-c.png', 'sub/d.png']) {
      await copyFile(join(folder, 'photos/00.png'), join(source, file));
    }
    const captioned = async (options: object = {}) => {
      const { manifest, ...report } = await run({
        source,
        captions: undefined,
        holdout: 0,
        nearCopies: false,
        ...options,
      });
      const captions = Object.fromEntries(manifest.items!.map(({ id, caption }) => [id, caption]));
      return { captions, skipped: manifest.skipped, ...report };
    };
    await writeFile(join(source, 'a.txt'), ' A black cat\n');
    await writeFile(join(source, 'alone.txt'), 'captions nothing');
    await writeFile(join(source, 'metadata.json'), '{}');
    expect(await captioned()).toMatchObject({
      captions: { 'a.png': 'A black cat', 'b-c.png': 'b c', 'sub/d.png': 'd' },
      named: ['b-c.png', 'sub/d.png'],
      others: { '.json': 1, '.txt': 1 }, // a.txt was read
      unread: ['metadata.json'],
    });
    await writeFile(
      join(source, 'sub/metadata.jsonl'),
      '{"file_name": "d.png", "text": "a dog"}\n{"file_name": "e.png", "text": ""}\n',
    );
    expect(await captioned()).toMatchObject({
      captions: { 'a.png': 'A black cat', 'sub/d.png': 'a dog' },
      skipped: [{ file: 'b-c.png', reason: 'no row in sub/metadata.jsonl' }],
      missing: ['sub/e.png'],
      named: [],
    });
    await writeFile(join(source, 'own.csv'), 'file,caption\na.png,mine\n');
    expect(await captioned({ captions: join(source, 'own.csv') })).toMatchObject({
      captions: { 'a.png': 'mine' },
      skipped: [{ file: 'b-c.png' }, { file: 'sub/d.png', reason: 'no row in the captions file' }],
      unread: [],
    });
    await writeFile(join(source, 'a.txt'), Uint8Array.of(0x63, 0xe9));
    await expect(captioned()).rejects.toThrow('a.txt is not UTF-8. Save it in UTF-8.');
    await rm(source, { recursive: true });
  });

  it('takes no table for the text of a picture of its name, and counts what captions two once', async () => {
    const source = await mkdtemp(join(tmpdir(), 'paris-captions-'));
    for (const file of ['a.png', 'a.jpg', 'metadata.png']) {
      await copyFile(join(folder, 'photos/00.png'), join(source, file));
    }
    await writeFile(join(source, 'a.txt'), 'A black cat');
    await writeFile(join(source, 'notes.txt'), 'captions nothing');
    await writeFile(join(source, 'metadata.jsonl'), '{"file_name": "b.png", "text": "a dog"}\n');
    const { manifest, others } = await run({ source, captions: undefined, holdout: 0, nearCopies: false });
    expect(manifest.items!.map(({ caption }) => caption)).toEqual(['A black cat', 'A black cat']);
    expect(manifest.skipped).toEqual([{ file: 'metadata.png', reason: 'no row in metadata.jsonl' }]);
    expect(others).toEqual({ '.txt': 1 });
    await rm(source, { recursive: true });
  });

  it('counts captions that are longer than the text length', async () => {
    const csv = join(folder, 'long.csv');
    await writeFile(csv, 'file,caption\n00.png,one two three four five six seven eight\n02.png,1 2 3 4 5 6 7 8 9\n');
    expect((await run({ captions: csv, holdout: 0 })).cut).toEqual(['02.png']);
    expect((await run()).cut).toEqual([]);
  });

  it('keeps the clusters of a folder that is partitioned, unless it is to begin again', async () => {
    const { out } = await run();
    const again = (change: object) => run({ out, ...change });
    await again({ seed: 1 }); // there are no clusters yet
    const device = await openDevice();
    await partitionData({ device, data: out, clusters: 2 });
    await device.close();
    const before = await Promise.all((await out.list()).map(async (path) => [path, await out.read(path)]));
    const refusal =
      'the output folder is partitioned, and other pictures would remove its clusters. Give another folder';
    const onFile = vi.fn();
    await expect(again({ seed: 2, onProgress: onFile })).rejects.toThrow(refusal);
    await expect(again({ seed: 1, size: 8, onProgress: onFile })).rejects.toThrow(refusal);
    expect(onFile).not.toHaveBeenCalled();
    await expect(again({ seed: 1, captions: undefined })).rejects.toThrow(OutputError); // known when all are decoded
    await again({ seed: 1 }); // the same pictures
    expect(await Promise.all((await out.list()).map(async (path) => [path, await out.read(path)]))).toEqual(before);
    await again({ seed: 2, fresh: true });
    expect(await out.list()).toEqual(['images.safetensors', 'manifest.json']);
  });

  it('names the first of the files if none can be used', async () => {
    const source = await mkdtemp(join(tmpdir(), 'paris-none-'));
    await expect(run({ source, captions: undefined })).rejects.toThrow('there is no picture in the folder');
    await writeFile(join(source, 'b.heic'), 'something');
    await expect(run({ source, captions: undefined })).rejects.toThrow(
      'but 1 that cannot be used; the first: b.heic: HEIC is not read; convert it to PNG or JPEG.',
    );
    await writeFile(join(source, 'a.png'), 'no picture');
    await expect(run({ source, captions: undefined })).rejects.toThrow(
      'none of 2 pictures could be used; the first: a.png: ',
    );
    await rm(source, { recursive: true });
  });
});
