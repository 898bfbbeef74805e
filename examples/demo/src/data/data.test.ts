import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { beforeAll, describe, expect, it } from 'vitest';
import { captionOf } from './caption.js';
import { baseCodepoints, type EmojiPicture, listEmoji } from './emoji.js';
import { mergeGroups } from './groups.js';
import { captionsCsv, writePhotos } from './photos.js';

describe('the emoji of the demo', () => {
  let pictures: EmojiPicture[];
  beforeAll(async () => {
    pictures = await listEmoji();
  });

  it('lists every picture of both vendors once, with words, a licence and a source', () => {
    expect(pictures.length).toBeGreaterThan(7000);
    expect(new Set(pictures.map((picture) => picture.file)).size).toBe(pictures.length);
    for (const { caption, licence, source, file } of pictures) {
      expect(caption).toMatch(/^[a-z0-9]+( [a-z0-9]+)*$/);
      expect(licence).toBe(file.startsWith('google/') ? 'Apache-2.0' : 'CC-BY-4.0');
      expect(source).toMatch(/^(Noto Emoji|Twemoji) \(emoji-datasource-(google|twitter)@\d+\.\d+\.\d+\)$/);
    }
  });

  it('has no picture of another vendor', () => {
    expect(new Set(pictures.map((picture) => picture.file.split('/')[0]))).toEqual(new Set(['google', 'twitter']));
  });

  it('puts all skin tones and both vendors of an emoji into one group', () => {
    const byBase = new Map<string, Set<string>>();
    for (const { file, group } of pictures) {
      const base = baseCodepoints(file.replace(/^.*\//, '').replace('.png', ''));
      byBase.set(base, (byBase.get(base) ?? new Set()).add(group));
    }
    expect([...byBase].filter(([, groups]) => groups.size > 1)).toEqual([]);
    const waving = pictures.filter(({ file }) => file.includes('/1f44b'));
    expect(waving).toHaveLength(12);
    expect(new Set(waving.map((picture) => picture.group))).toEqual(new Set(['1f44b']));
  });

  it('joins emoji that share a file: Norway, Bouvet Island, Svalbard and Jan Mayen', () => {
    const flags = pictures.filter(({ file }) => /\/(1f1f3-1f1f4|1f1e7-1f1fb|1f1f8-1f1ef)\.png/.test(file));
    expect(flags).toHaveLength(6);
    expect(new Set(flags.map((picture) => picture.group)).size).toBe(1);
  });

  it('can take a part, with whole groups', async () => {
    const some = await listEmoji(40);
    const groups = new Set(some.map((picture) => picture.group));
    expect(groups.size).toBeGreaterThan(35);
    expect(groups.size).toBeLessThanOrEqual(40);
    const whole = pictures.filter((picture) => groups.has(picture.group)).length;
    expect(some.length).toBeLessThanOrEqual(whole);
    expect(new Set(some.map((picture) => picture.category)).size).toBeGreaterThan(4);
  });

  it('writes the pictures and a CSV that another parser reads back', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'paris-demo-'));
    try {
      const some = pictures.filter((_, i) => i % 500 === 0);
      const { photos, captions } = await writePhotos(some, folder);
      const rows = parse(await readFile(captions, 'utf8'), { columns: true });
      expect(rows).toEqual(some.map(({ path, ...row }) => row));
      for (const { file, path } of some) {
        expect((await stat(join(photos, file))).size).toBe((await stat(path)).size);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('captions', () => {
  it.each([
    ['MAN: RED HAIR', '', 'man red hair'],
    ['Côte d’Ivoire Flag', '', 'cote divoire flag'],
    ['CLOCK FACE THREE-THIRTY', '', 'clock face three thirty'],
    ['WAVING HAND SIGN', '1F3FC', 'waving hand sign medium light skin tone'],
    ['HANDSHAKE', '1F3FB-1F3FF', 'handshake light and dark skin tone'],
    ['KISS', '1F3FD-1F3FD', 'kiss medium skin tone'],
  ])('%s %s', (name, tone, caption) => expect(captionOf(name, tone)).toBe(caption));

  it('quotes what CSV would misread', () => {
    const row = { file: 'a.png', path: '', caption: 'a "b", c', group: 'g', category: 'x', licence: 'l', source: 's' };
    expect(captionsCsv([row])).toBe('file,caption,group,category,licence,source\na.png,"a ""b"", c",g,x,l,s\n');
  });
});

describe('groups', () => {
  it('drops skin tone and variation selector', () => {
    expect(baseCodepoints('1F468-1F3FB-200D-2695-FE0F')).toBe('1f468-200d-2695');
    expect(baseCodepoints('1F3FB')).toBe('1f3fb');
  });

  it('joins through a chain', () => {
    const items = [{ group: 'c' }, { group: 'b' }, { group: 'b' }, { group: 'a' }, { group: 'd' }];
    expect(mergeGroups(items, ['1', '1', '2', '2', '3'])).toEqual(['a', 'a', 'a', 'a', 'd']);
  });
});
