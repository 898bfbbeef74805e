// What is collected, from small packages in place of the real ones.
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collect, sets } from './collect.js';
import { concepts, heldOut, tones } from './concepts.js';
import prompts from './prompts.json' with { type: 'json' };

const captions = Object.entries(concepts).flatMap(([kind, names]) =>
  names.flatMap((name) => [
    name.replaceAll('-', ' '),
    ...(kind === 'hand' ? tones.map((tone) => `${name.replaceAll('-', ' ')} ${tone} skin tone`) : []),
  ]),
);

describe('the concepts', () => {
  it('are named once each', () => {
    expect(new Set(captions).size).toBe(captions.length);
  });

  it('hold the prompts and the captions that no training sees, whose words others have', () => {
    for (const caption of [...prompts.prompts, ...heldOut]) expect(captions).toContain(caption);
    expect(prompts.heldOut).toEqual(heldOut);
    expect(prompts.prompts.filter((prompt) => heldOut.includes(prompt))).toEqual([]);
    const words = new Set(captions.filter((caption) => !heldOut.includes(caption)).flatMap((text) => text.split(' ')));
    for (const word of heldOut.flatMap((text) => text.split(' '))) expect(words).toContain(word);
  });

  it('have no caption of more words than a model reads', () => {
    expect(captions.filter((caption) => caption.split(' ').length > 8)).toEqual([]);
  });
});

describe('collect', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'paris-collect-'));
    for (const set of sets) {
      const at = join(folder, 'node_modules/@iconify-json', set);
      await mkdir(at, { recursive: true });
      const file = (name: string, content: unknown) => writeFile(join(at, name), JSON.stringify(content));
      await file('package.json', { name: `@iconify-json/${set}`, version: '1.0.0' });
      await file('info.json', { name: `Set ${set}`, license: { spdx: 'MIT' } });
      await file('icons.json', {
        ...{ width: 32, height: 32 },
        icons:
          set === 'fxemoji'
            ? { heavyredheart: { body: '<path/>' } }
            : {
                'red-heart': { body: '<path/>', width: 64 },
                'waving-hand-dark-skin-tone': { body: '<g/>' },
                ox: { body: '' },
              },
        aliases: set === 'noto' ? { skull: { parent: 'ox' } } : {},
      });
      if (set === 'twemoji') await file('chars.json', { '2764': 'red-heart' });
      if (set === 'fxemoji') await file('chars.json', { '2764': 'heavyredheart' });
    }
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('takes what a set has, by its name, an alias or a codepoint, with licence and source', () => {
    const pictures = collect(folder);
    const of = (caption: string) => pictures.filter((picture) => picture.caption === caption);
    expect(of('red heart').map(({ file }) => file)).toEqual(sets.map((set) => `${set}/red-heart.svg`));
    const licences = Object.fromEntries(of('red heart').map(({ file, licence }) => [file, licence]));
    expect([licences['noto/red-heart.svg'], licences['fxemoji/red-heart.svg']]).toEqual(['MIT', 'CC-BY-4.0']);
    expect(of('waving hand dark skin tone')).toHaveLength(sets.length - 1);
    expect(of('skull').map(({ file }) => file)).toEqual(['noto/skull.svg']);
    expect(pictures.every(({ caption }) => captions.includes(caption))).toBe(true); // no ox
    expect(of('red heart')[0]).toEqual({
      ...{ file: 'noto/red-heart.svg', caption: 'red heart', group: 'red-heart', category: 'heart', licence: 'MIT' },
      source: 'Set noto (@iconify-json/noto@1.0.0)',
      svg: expect.stringContaining('width="96" height="96" viewBox="0 0 64 32"><path/></svg>'),
    });
  });

  it('refuses a set whose licence has changed', async () => {
    const info = join(folder, 'node_modules/@iconify-json/noto/info.json');
    await writeFile(info, JSON.stringify({ name: 'Set noto', license: { spdx: 'CC-BY-SA-4.0' } }));
    const other = await mkdtemp(join(tmpdir(), 'paris-collect-'));
    await rm(other, { recursive: true });
    await cp(folder, other, { recursive: true }); // require keeps what it has read
    expect(() => collect(other)).toThrow('noto is under CC-BY-SA-4.0, not under Apache-2.0, CC-BY-4.0, MIT.');
    await rm(other, { recursive: true });
  });
});
