// Every command with every output equal to, inside and around every input: refused in one sentence before it begins, and
// not a byte of the tree is changed.
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Command } from 'commander';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { createProgram } from './program.js';
import { commandHere } from './testing/paris-here.js';

interface Case {
  /** Options of the command that name what it reads; the last is its first argument. */
  readonly reads: Readonly<Record<string, 'folder' | 'file'>>;
  readonly writes: Readonly<Record<string, 'folder' | 'file'>>;
  readonly rest?: readonly string[];
}
const cases: Readonly<Record<string, Case>> = {
  prepare: { reads: { '': 'folder', '--captions': 'file' }, writes: { '--out': 'folder' } },
  merge: { reads: { '': 'folder' }, writes: { '--out': 'folder' }, rest: ['--json'] }, // progress is not said
  'train expert': {
    reads: { '': 'folder', '--tuning': 'file', '--init': 'file', '--expert': 'file', '--config': 'file' },
    writes: { '--out': 'folder' },
    rest: ['--cluster', '3', '--fresh'],
  },
  'train router': {
    reads: { '': 'folder', '--tuning': 'file', '--config': 'file' },
    writes: { '--out': 'folder' },
    rest: ['--fresh'],
  },
  'train codec': {
    reads: { '': 'folder', '--tuning': 'file', '--config': 'file' },
    writes: { '--out': 'folder' },
    rest: ['--fresh'],
  },
  assemble: {
    reads: { '': 'folder', '--data': 'folder', '--init': 'file' },
    writes: { '--out': 'folder' },
    rest: ['--no-gate'], // with it no process is started
  },
  bundle: { reads: { '': 'folder', '--key': 'file' }, writes: { '--out': 'file' } },
  withdraw: {
    reads: { '': 'folder', '--data': 'folder' },
    writes: { '--out': 'folder', '--data-out': 'folder' },
    rest: ['--source', 'x'],
  },
  import: { reads: { '': 'folder', '--codec': 'folder' }, writes: { '--out': 'folder' } },
  sample: {
    reads: {
      ...{ '': 'folder', '--expert': 'file', '--tuning': 'file', '--batch': 'file', '--image': 'file' },
      ...{ '--mask': 'file', '--like': 'file' },
    },
    writes: { '--out': 'file', '--trace': 'file', '--routing-svg': 'file', '--singles': 'folder' },
  },
  evaluate: {
    reads: { '': 'folder', '--data': 'folder', '--expert': 'file', '--tuning': 'file' },
    writes: { '--out': 'file', '--page': 'file' },
  },
  report: { reads: { '': 'folder' }, writes: { '--out': 'file' } },
  tune: { reads: { '--tuning': 'file' }, writes: { '--out': 'file' } },
  profile: { reads: { '--tuning': 'file' }, writes: { '--trace': 'file' } },
};

/** A run is a folder in --out: files that one reads may lie beside it, but not in it. */
const runs: Readonly<Record<string, string>> = { 'train expert': 'expert-03', 'train router': 'router' };

const base = await mkdtemp(join(tmpdir(), 'paris-outputs-'));
afterAll(() => rm(base, { recursive: true }));
let tree: string;
beforeEach(async () => {
  tree = await mkdtemp(join(base, 'tree-'));
});

const name = (option: string, kind: string) => `in${option || '-argument'}${kind === 'file' ? '.json' : ''}`;

/** What a command reads, with files of names that our own folders have, and links to it. */
async function plant(reads: Case['reads']): Promise<void> {
  for (const [option, kind] of Object.entries(reads)) {
    const path = join(tree, 'deep', name(option, kind));
    await mkdir(kind === 'file' ? dirname(path) : path, { recursive: true });
    if (kind === 'file') await writeFile(path, '{}');
    else {
      for (const file of [
        'test/a.png',
        'router/run.json',
        'experts/00/x',
        'unfinished/x',
        'expert-03/x',
        'replaced/x',
      ]) {
        await mkdir(join(path, dirname(file)), { recursive: true });
        await writeFile(join(path, file), `mine: ${file}`);
      }
    }
    await symlink(path, join(tree, `link-to-${basename(path)}`));
  }
}

async function snapshot(folder: string): Promise<string[]> {
  const lines: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) lines.push(`${path}/`);
    else lines.push(`${path}: ${entry.isSymbolicLink() ? await readlink(path) : await readFile(path, 'latin1')}`);
  }
  return lines.sort();
}

const begin = () => {
  throw new Error('began');
};

async function run(command: string, { reads, rest = [] }: Case, writes: Record<string, string>) {
  const inputs = Object.entries(reads).flatMap(([option, kind]) => {
    const path = join(tree, 'deep', name(option, kind));
    return option === '' ? [path] : [option, path];
  });
  const outputs = Object.entries(writes).flat();
  const program = createProgram();
  // A command that uses a GPU starts processes: what is not refused is only seen to begin.
  const change = (of: Command): void => {
    if (!['prepare', 'merge', 'assemble', 'import'].includes(of.name()) && of.commands.length === 0) of.action(begin);
    of.commands.forEach(change);
  };
  change(program);
  const { code, stderr } = await commandHere([...command.split(' '), ...inputs, ...outputs, ...rest], { program });
  return { code, said: stderr.trim() };
}

/** Where an output would be, by how it lies to an input; `at` is the input's path. */
function relations(
  command: string,
  input: 'folder' | 'file',
  output: 'folder' | 'file',
): [string, (at: string) => string][] {
  const link = (at: string) => join(tree, `link-to-${basename(at)}`);
  const isRun = runs[command] !== undefined && input === 'file';
  const equal: [string, (at: string) => string][] = [
    ['equal', (at) => at],
    ['equal, by a link', link],
    ['equal, by a detour', (at) => `${dirname(at)}/new/../${basename(at)}`],
  ];
  if (input === 'folder') equal.push(['equal, with a slash', (at) => `${at}/`]);
  const inside: [string, (at: string) => string][] = [
    ['inside', (at) => join(at, 'new')],
    ['inside, by a link', (at) => join(link(at), 'new/deep')],
    ['inside, over a part of ours', (at) => join(at, 'test')],
  ];
  const around: [string, (at: string) => string][] = [
    ['around', (at) => dirname(at)],
    ['far around', () => tree],
  ];
  if (isRun) return [['the runs, with the run where the file is', (at) => dirname(at)]];
  if (output === 'folder') return [...equal, ...inside, ...around];
  return input === 'folder' ? [...equal, ...inside] : equal;
}

describe.each(Object.entries(cases))('paris %s', (command, given) => {
  const rows = Object.entries(given.writes).flatMap(([option, output]) =>
    Object.entries(given.reads).flatMap(([from, input]) =>
      relations(command, input, output).map(([relation, place]) => ({ option, from, input, output, relation, place })),
    ),
  );
  it.each(rows)('$option $relation $from', async ({ option, from, input, place }) => {
    await plant(given.reads);
    const at = join(tree, 'deep', name(from, input));
    let output = place(at);
    if (runs[command] && input === 'file') {
      // The run's own folder is the one in which the file lies.
      output = join(tree, 'all-runs');
      await mkdir(output);
      await symlink(dirname(at), join(output, runs[command]));
    }
    const before = await snapshot(tree);
    const { code, said } = await run(command, given, { [option]: output });
    expect(said).toMatch(/^paris: \[\w+\] .*( is | is inside | contains | is a folder).*\.$/);
    expect(code).toBe(2);
    expect(await snapshot(tree)).toEqual(before);
  });

  it('refuses an empty path', async () => {
    await plant(given.reads);
    const before = await snapshot(tree);
    for (const option of Object.keys(given.writes)) {
      const { code, said } = await run(command, given, { [option]: '' });
      expect(said).toMatch(/^error: option '--.*' argument '' is invalid\. It is empty\.$/);
      expect(code).toBe(2);
    }
    expect(await snapshot(tree)).toEqual(before);
  });

  it('begins when all is apart', async () => {
    await plant(given.reads);
    const outputs = Object.keys(given.writes).map((option) => [option, join(tree, 'out', `out${option}`)]);
    const { said } = await run(command, given, Object.fromEntries(outputs));
    const [first] = said.split('\n');
    if (command === 'prepare') expect(first).toContain('[captions]');
    else if (command === 'merge') expect(first).toContain('manifest.json is missing');
    else if (command === 'assemble') expect(first).toContain('run.json is not JSON');
    else if (command === 'import') expect(first).toContain('[loadPipeline] there is no model_index.json');
    // All places are in order, and then the options, which are given together here only.
    else if (command === 'sample') expect(first).toContain('both --like and --batch are given');
    else expect(first).toContain('began');
  });
});

it('a section of a config file counts as the file', async () => {
  const train: Case = { reads: { '': 'folder' }, writes: {}, rest: ['--cluster', '3', '--fresh'] };
  await plant(train.reads);
  const own = join(tree, 'out/expert-03/model.yaml');
  await mkdir(dirname(own), { recursive: true });
  await writeFile(own, 'expert: { steps: 3 }\n');
  const before = await snapshot(tree);
  const { code, said } = await run('train expert', train, { '--out': join(tree, 'out'), '--config': `${own}#expert` });
  expect(said).toContain(`contains the config file "${own}". Write it elsewhere.`);
  expect(code).toBe(2);
  expect(await snapshot(tree)).toEqual(before);
});

it('partition writes into its data folder, so that a table in one of its parts is refused', async () => {
  const partition: Case = { reads: { '': 'folder' }, writes: {} };
  await plant(partition.reads);
  const data = join(tree, 'deep/in-argument');
  const before = await snapshot(tree);
  const { code, said } = await run('partition', partition, { '--tuning': join(data, 'test/a.png') });
  expect(said).toBe(
    `paris: [partition] the output folder "${data}/test" contains the tuning table "${data}/test/a.png". Write it elsewhere.`,
  );
  expect(code).toBe(2);
  expect((await run('partition', partition, { '--tuning': join(data, 'tuning.json') })).said).toContain('began');
  expect(await snapshot(tree)).toEqual(before);
});

it('two outputs of one command are not the same file', async () => {
  await plant(cases.sample!.reads);
  const file = join(tree, 'x.png');
  const { said } = await run('sample', cases.sample!, { '--out': file, '--trace': `${tree}/deep/../x.png` });
  expect(said).toBe(
    `paris: [sample] the trace "${tree}/deep/../x.png" is the output file "${file}". Write it elsewhere.`,
  );
});

describe('folders of somebody else', () => {
  const holiday = async () => {
    const folder = join(tree, 'holiday');
    for (const file of ['test/a.png', 'router/b.png', 'expert-03/c.png', 'unfinished/d.png', 'replaced/e.png']) {
      await mkdir(join(folder, dirname(file)), { recursive: true });
      await writeFile(join(folder, file), 'a photograph');
    }
    return folder;
  };
  it.each([
    ['prepare', '[store] FILE'],
    ['assemble', '[assemble] the model folder "FILE"'],
    ['import', '[import] the model folder "FILE"'],
    ['train router', '[train] the folder of runs "FILE"'],
    ['train expert', '[train] the folder of runs "FILE"'],
  ])('paris %s --out FILE says that it is one, before any work, and so for a device', async (command, what) => {
    await plant(cases[command]!.reads);
    await writeFile(join(tree, 'notes.txt'), 'mine');
    const before = await snapshot(tree);
    for (const file of [join(tree, 'notes.txt'), '/dev/null']) {
      const { said } = await run(command, cases[command]!, { '--out': file });
      expect(said).toBe(`paris: ${what.replace('FILE', file)} is a file. Give a folder.`);
    }
    expect(await snapshot(tree)).toEqual(before);
    expect((await stat('/dev/null')).isCharacterDevice()).toBe(true);
  });

  it.each(['prepare', 'assemble'])('paris %s --out FOLDER leaves them alone', async (command) => {
    await plant(cases[command]!.reads);
    const folder = await holiday();
    const before = await snapshot(tree);
    const { code, said } = await run(command, cases[command]!, { '--out': folder });
    expect(said).toMatch(
      /^paris: \[\w+\] the output folder holds "expert-03\/" and is no (data folder|model) of Paris\./,
    );
    expect(code).toBe(2);
    expect(await snapshot(tree)).toEqual(before);
  });
});
