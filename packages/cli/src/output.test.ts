import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { saveOutputs, tryOutputs } from './output.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paris-output-'));
});
afterEach(() => rm(folder, { recursive: true }));
const at = (name: string) => join(folder, name);
const png = (file: string, option = '--out') => ({ option, file, format: 'PNG' as const });

it('refuses what would be named wrong, twice, or cannot be written', async () => {
  await mkdir(at('folder'));
  await expect(tryOutputs('sample', [png(at('p.jpg'))])).rejects.toThrow(
    '[sample] --out writes PNG, not .jpg. Name it p.png.',
  );
  await expect(tryOutputs('sample', [png(at('a.png')), png(`${folder}/x/../a.png`, '--trace')])).rejects.toThrow(
    '[sample] --out and --trace name the same file',
  );
  await expect(tryOutputs('sample', [png(at('folder'))])).rejects.toThrow('is a folder, which is never replaced.');
  await expect(tryOutputs('sample', [png(at('new/'))])).rejects.toThrow('is the name of a folder.');
  await tryOutputs('sample', [png(at('new/a.PNG')), png(at('none')), { ...png(''), file: undefined }]);
  expect(await readdir(folder)).toEqual(['folder']);
});

it('makes folders, and puts what cannot be written next to it, with a sentence', async () => {
  await saveOutputs('sample', [{ file: at('new/a.png'), content: 'picture' }]);
  expect(await readFile(at('new/a.png'), 'utf8')).toBe('picture');

  await mkdir(at('taken.png')); // since it was tried
  const failed = saveOutputs('sample', [
    { file: at('taken.png'), content: 'lost?' },
    { file: at('b.json'), content: Uint8Array.of(49) },
  ]);
  await expect(failed).rejects.toThrow(
    /^\[sample\] .*taken\.png could not be written \(.* is a folder, .*\); it is in .* instead\.$/,
  );
  const saved = (await readdir(folder)).find((name) => /^taken-[0-9a-f]{8}\.png$/.test(name));
  expect(await readFile(at(saved!), 'utf8')).toBe('lost?');
  expect(await readFile(at('b.json'), 'utf8')).toBe('1'); // the others are written all the same
});

it('goes to another folder when that one is gone', async () => {
  await writeFile(at('file'), '');
  const failed: Error = await saveOutputs('tune', [{ file: at('file/t.json'), content: '{}' }]).then(
    () => new Error('written'),
    (error) => error,
  );
  const [, saved] = /it is in (.*) instead/.exec(failed.message)!;
  expect(saved).toMatch(/t-[0-9a-f]{8}\.json$/);
  expect(await readFile(saved!, 'utf8')).toBe('{}');
  await rm(saved!);
});
