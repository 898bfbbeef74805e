// What a newcomer gets wrong first on the command line, and the sentence that comes back. Read them aloud.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { saidBy } from '@paris/test-tools/said';
import type { Command } from 'commander';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { initialOf } from './expert-options.js';
import { loadArchitecture } from './modules.js';
import { createProgram } from './program.js';
import { commandHere } from './testing/paris-here.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paris-mistakes-'));
  await writeFile(join(folder, 'no-file.csv'), 'name,caption\na.png,a\n');
  await writeFile(join(folder, 'torn.csv'), 'file,caption\na.png,"a\n');
  await writeFile(join(folder, 'a.png'), 'no picture');
  await writeFile(join(folder, 'mine.mjs'), 'export default { architecture: "mine" };');
  await writeFile(join(folder, 'broken.mjs'), 'import "./not-there.mjs";');
  await writeFile(join(folder, 'config.json'), '[1, 2]');
});
afterAll(() => rm(folder, { recursive: true }));

/** What a command prints before it ends with a code other than 0. Commands that use a GPU only read their options. */
async function cli(...args: string[]): Promise<string> {
  const { code, stderr } = await commandHere(args);
  return `${code}: ${stderr.trim().replaceAll(folder, '…')}`;
}

it.each(['prepare', 'partition', 'train expert', 'train router', 'train codec', 'sample', 'evaluate'])(
  '%s takes the seeds that all others take',
  async (name) => {
    const command = name
      .split(' ')
      .reduce((parent, own) => parent.commands.find((each) => each.name() === own)!, createProgram() as Command);
    const { parseArg } = command.options.find(({ long }) => long === '--seed')!;
    const seed = (text: string) => parseArg!(text, 0);
    expect(['0', '7', '9007199254740991'].map(seed)).toEqual([0, 7, 2 ** 53 - 1]);
    for (const text of ['-1', '0.5', '9007199254740992', '1e300', 'x', '', 'Infinity', 'NaN']) {
      expect(() => seed(text), text).toThrow(/whole number/);
    }
  },
);

it('commands', async () => {
  expect(await cli('tran')).toMatchInlineSnapshot(`
    "2: error: unknown command 'tran'
    (Did you mean train?)
    (paris --help shows the commands)"
  `);
  expect(await cli('train', 'exprt', 'data')).toMatchInlineSnapshot(`
    "2: error: unknown command 'exprt'
    (Did you mean expert?)"
  `);
  expect(await cli('prepare')).toMatchInlineSnapshot(`"2: error: required option '--out <folder>' not specified"`);
  expect(await cli('prepare', folder)).toMatchInlineSnapshot(
    `"2: error: required option '--out <folder>' not specified"`,
  );
  expect(await cli('prepare', folder, '--out', 'x', '--sise', '32')).toMatchInlineSnapshot(`
    "2: error: unknown option '--sise'
    (Did you mean --size?)"
  `);
  expect(await cli('prepare', folder, '--out', 'x', '--size', '31.5')).toMatchInlineSnapshot(
    `"2: error: option '--size <pixels>' argument '31.5' is invalid. It is not a whole number."`,
  );
  expect(await cli('prepare', folder, '--out', 'x', '--fit', 'stretch')).toMatchInlineSnapshot(
    `"2: error: option '--fit <how>' argument 'stretch' is invalid. Allowed choices are cover, contain."`,
  );
  expect(await cli('train', 'expert', 'data', '--out', 'runs')).toMatchInlineSnapshot(
    `"2: error: required option '--cluster <k>' not specified"`,
  );
  expect(await cli('train', 'expert', 'data', '--out', 'runs', '--cluster', 'all')).toMatchInlineSnapshot(
    `"2: error: option '--cluster <k>' argument 'all' is invalid. It is not a whole number."`,
  );
  expect(await cli('sample', 'my-model')).toMatchInlineSnapshot(
    `"2: paris: [sample] there is no prompt. Give --prompt "…", --batch FILE or --like PICTURE."`,
  );
  expect(await cli('info', join(folder, 'nothing'))).toMatchInlineSnapshot(
    `"2: paris: [info] …/nothing is neither a model, run, data or codec folder nor a preset (dit-xl-2, dit-l-2, dit-b-2, dit-s-2, router-b-2). Check the path."`,
  );
  expect(await cli('assemble', join(folder, 'nothing'), '--out', join(folder, 'model'))).toMatchInlineSnapshot(
    `"78: paris: [assemble] there is no run of an expert (expert-00, …). Train them first."`,
  );
});

it('options that would do nothing beside others', async () => {
  expect(await cli('partition', folder, '--sweep', '2,3', '--stages', '2')).toMatchInlineSnapshot(
    `"2: error: option '--sweep <list>' cannot be used with option '--stages <n>'"`,
  );
  expect(await cli('partition', folder, '--ooc', '0.1', '--sweep', '2,3')).toMatchInlineSnapshot(
    `"2: error: option '--sweep <list>' cannot be used with option '--ooc <share>'"`,
  );
  expect(await cli('merge', folder, '--out', 'x', '--keep-clusters', '--holdout', '0.2')).toMatchInlineSnapshot(
    `"2: error: option '--keep-clusters' cannot be used with option '--holdout <share>'"`,
  );
  expect(await cli('merge', folder, '--out', 'x', '--keep-clusters', '--no-near-copies')).toMatchInlineSnapshot(
    `"2: error: option '--keep-clusters' cannot be used with option '--no-near-copies'"`,
  );
  const like = ['--like', folder, '--codec', folder, '--thumbnail', '8'];
  expect(await cli('prepare', folder, '--out', 'x', ...like)).toMatchInlineSnapshot(
    `"2: error: option '--like <folder>' cannot be used with option '--thumbnail <pixels>'"`,
  );
  await expect(initialOf({ initLayout: 'facebook' })).rejects.toThrow('Give the checkpoint, too: --init FILE.');
});

it('pictures and captions', async () => {
  const prepare = (...args: string[]) => cli('prepare', ...args, '--out', `${folder}-data`, '--json'); // progress is not said
  expect(await prepare(join(folder, 'nowhere'))).toMatchInlineSnapshot(
    `"65: paris: [prepare] …/nowhere is not a folder, a .tar (.tar.gz, .tgz) or a .parquet. Check the path."`,
  );
  expect(await prepare(join(folder, 'a.png'))).toMatchInlineSnapshot(
    `"65: paris: [prepare] …/a.png is not a folder, a .tar (.tar.gz, .tgz) or a .parquet. Check the path."`,
  );
  expect(await prepare(folder)).toMatchInlineSnapshot(
    `"65: paris: [prepare] none of 1 pictures could be used; the first: a.png: Input file contains unsupported image format."`,
  );
  expect(await prepare(folder, '--captions', join(folder, 'captions.csv'))).toMatchInlineSnapshot(
    `"65: paris: [prepare] the captions file …/captions.csv cannot be read (ENOENT). Check its path."`,
  );
  expect(await prepare(folder, '--captions', join(folder, 'no-file.csv'))).toMatchInlineSnapshot(
    `"65: paris: [captions] …/no-file.csv has no column file (columns: name, caption). The first line names the columns."`,
  );
  expect(await prepare(folder, '--captions', join(folder, 'torn.csv'))).toMatchInlineSnapshot(
    `"65: paris: [captions] …/torn.csv is not a CSV file with a header: Quote Not Closed: the parsing is finished with an opening quote at line 2."`,
  );
});

it('modules of one’s own', async () => {
  const load = async (file: string) =>
    (await saidBy(() => loadArchitecture(join(folder, file)))).replaceAll(folder, '…');
  expect(await load('nowhere.mjs')).toMatchInlineSnapshot(
    `"ValueError: [train] …/nowhere.mjs cannot be loaded: it, or what it imports, is not there."`,
  );
  expect(await load('broken.mjs')).toMatchInlineSnapshot(
    `"ValueError: [train] …/broken.mjs cannot be loaded: it, or what it imports, is not there."`,
  );
  expect(await load('mine.mjs')).toMatchInlineSnapshot(
    `"ValueError: [train] …/mine.mjs has no default export made by defineArchitecture(…)."`,
  );
});
