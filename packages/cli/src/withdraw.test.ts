// paris withdraw as it is typed: what it says, what it writes, and what it refuses.
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { nodeStore } from '@paris/files/node';
import { expertFolder, writeModelIndex } from '@paris/model';
import { openDevice } from '@paris/tensor';
import { thorough } from '@paris/test-tools/thorough';
import { partitionData, readLabelled, writeManifestFolder } from '@paris/trainer';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { paris as parisProcess } from './testing/paris.js';
import { commandHere } from './testing/paris-here.js';

const base = await mkdtemp(join(tmpdir(), 'paris-withdraw-'));
afterAll(() => rm(base, { recursive: true }));
let model: string;
beforeEach(async () => {
  model = await mkdtemp(join(base, 'model-'));
  const store = nodeStore(model);
  const file = (path: string, text: string) => store.write(path, new TextEncoder().encode(text));
  const learnedFrom: Record<string, { licences: Record<string, number>; sources: Record<string, number> }> = {};
  for (const k of [0, 1, 2]) {
    await file(`${expertFolder(k)}/config.json`, '{}');
    await file(`${expertFolder(k)}/model.safetensors`, `weights of ${k}`);
    learnedFrom[expertFolder(k)] =
      k === 1
        ? { licences: { MIT: 7 }, sources: { mine: 7 } }
        : { licences: { MIT: 2, 'CC0-1.0': 3 }, sources: { museum: 5 } };
  }
  learnedFrom.router = { licences: { MIT: 11, 'CC0-1.0': 6 }, sources: { mine: 7, museum: 10 } };
  for (const name of ['config.json', 'model.safetensors']) await file(`router/${name}`, name);
  const latent = { channels: 3, height: 8, width: 8 };
  await writeModelIndex(store, { clusters: 3, latent, licence: 'MIT', learnedFrom });
});

async function paris(...args: string[]): Promise<{ code: number; said: string[] }> {
  const { code, stderr } = await commandHere(['withdraw', ...args]);
  return { code, said: stderr.trimEnd().split('\n') };
}

it('says who saw a source, what trains them again, and changes nothing', async () => {
  const before = await nodeStore(model).read('model_index.json');
  const { code, said } = await paris(model, '--source', 'museum');
  expect(code).toBe(0);
  expect(said.slice(0, 3)).toEqual([
    'expert 0 learned from 5 pictures of it',
    'expert 2 learned from 5 pictures of it',
    'the router learned from 10 pictures of it',
  ]);
  expect(said[3]).toMatch(/^nothing is changed/);
  expect(said).toContain('  paris train expert CLEAN-DATA --cluster 2 --out RUNS');
  expect(said).toContain('  paris train router CLEAN-DATA --out RUNS');
  expect(await nodeStore(model).read('model_index.json')).toEqual(before);
});

it('takes those that saw a licence out, here or elsewhere', async () => {
  const out = join(base, 'smaller');
  const { said } = await paris(model, '--licence', 'CC0-1.0', '--out', out);
  expect(said).toContain(`withdrawn: 0, 2; experts 1 are as they were → ${out}`);
  expect(await nodeStore(out).list('experts')).toEqual(['experts/01/config.json', 'experts/01/model.safetensors']);
  await paris(model, '--expert', '0', '--expert', '2', '--in-place');
  expect(await nodeStore(model).list()).toEqual(await nodeStore(out).list());
  expect(await nodeStore(model).read('model_index.json')).toEqual(await nodeStore(out).read('model_index.json'));
});

it('says that it writes nothing where no expert that is there saw it', async () => {
  const [out, again] = [join(base, 'without'), join(base, 'without-again')];
  expect((await paris(model, '--expert', '1', '--expert', '1', '--out', out)).said).toContain(
    `withdrawn: 1; experts 0, 2 are as they were → ${out}`,
  );
  const { code, said } = await paris(out, '--source', 'mine', '--out', again);
  expect(code).toBe(0);
  expect(said.slice(0, 2)).toEqual([
    'the router learned from 7 pictures of it',
    'no expert that is there saw it: no model was written',
  ]);
  expect(await nodeStore(again).list()).toEqual([]);
  expect((await paris(out, '--source', 'mine', '--in-place')).said[1]).toMatch(/: the model is as it was$/);
});

/** Kills its process before so many renames and removals, which are all steps of a journal and those that write it. */
const dying = `import fs from 'node:fs/promises';
  import { syncBuiltinESMExports } from 'node:module';
  let left = Number(process.env.DIE_AFTER);
  for (const name of ['rename', 'rm', 'unlink', 'rmdir']) {
    const original = fs[name];
    fs[name] = (...args) => {
      if (left-- === 0) process.kill(process.pid, 'SIGKILL');
      return original(...args);
    };
  }
  syncBuiltinESMExports();`;

describe('killed between any two of its steps', () => {
  it.each([
    [['--source', 'mine', '--in-place'], 0],
    [['--expert', '1', '--in-place'], 1], // the steps between those of the other
    [['--expert', '1', '--out'], 1],
  ])('%j: the same command completes it, and nothing else is lost', { timeout: 120_000 }, async (args, first) => {
    const preload = join(base, 'dying.mjs');
    await writeFile(preload, dying);
    const place = (name: string) => join(base, `${args.join('')}-${name}`);
    const run = (name: string) => {
      const all = [place(name), ...args, ...(args.includes('--out') ? [place(`${name}-out`)] : [])];
      return { all, written: place(args.includes('--out') ? `${name}-out` : name) };
    };
    const begin = async (name: string) => {
      await cp(model, place(name), { recursive: true });
      return run(name);
    };
    const whole = await begin('whole');
    expect((await paris(...whole.all)).code).toBe(0);
    const [old, wanted] = await Promise.all([filesOf(model), filesOf(whole.written)]);

    let after = first;
    for (let isDone = false; !isDone; after += thorough ? 2 : 8) {
      const { all, written } = await begin(`${after}`);
      const env = { NODE_OPTIONS: `--import ${pathToFileURL(preload)}`, DIE_AFTER: `${after}` };
      const { signal, code } = await parisProcess(['withdraw', ...all], { env });
      expect(signal ?? code).toBe(code === 0 ? 0 : 'SIGKILL');
      // What stays is there at every moment.
      const left = await filesOf(all[0]!);
      for (const [path, text] of Object.entries(old).filter(([path]) => /^experts.0[02]|^router/.test(path)))
        expect(left[path], `${path}, ${after} steps`).toBe(text);
      isDone = isDeepStrictEqual(await filesOf(written), wanted);
      if (!isDone) {
        const again = await paris(...all);
        expect(again, `${after} steps`).toMatchObject({ code: 0 });
        expect(await filesOf(written), `${after} steps`).toEqual(wanted);
      }
      if (args.includes('--out')) expect(left).toEqual(old);
    }
    expect(after).toBeGreaterThan(10);
  });
});

/** The files of a folder and their texts, those too that an interruption leaves, but for the lock of a process that is dead. */
async function filesOf(folder: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isDirectory() && entry.name !== '.lock') files[relative(folder, path)] = await readFile(path, 'latin1');
  }
  return files;
}

it('says of a student that it is distilled again', async () => {
  const store = nodeStore(join(base, 'student'));
  for (const name of ['config.json', 'model.safetensors']) {
    await store.write(`${expertFolder(0)}/${name}`, new TextEncoder().encode('{}'));
  }
  const learnedFrom = { [expertFolder(0)]: { licences: { MIT: 2 }, sources: { mine: 2 } } };
  const provenance = { teacher: 'distilled from another' };
  const latent = { channels: 3, height: 8, width: 8 };
  await writeModelIndex(store, { clusters: 1, latent, licence: 'MIT', learnedFrom, provenance });
  const { said } = await paris(join(base, 'student'), '--source', 'mine');
  expect(said.at(-1)).toBe('  paris distil TEACHER --data CLEAN-DATA --out MODEL      (of a teacher without it)');
  expect(said.join()).not.toContain('train expert');
});

/** Twelve pictures in three clusters, dark, grey and light; the dark ones are of a museum. */
async function writeData(data: string): Promise<void> {
  const levels = [0, 60, 250].flatMap((level) => [level, level + 1, level + 2, level + 3]);
  const manifest = {
    ...{ version: 1 as const, size: 4, channels: 3, maxTokens: 4, vocabulary: [], skipped: [], count: levels.length },
    normalization: { scale: 127.5, offset: -1 },
    holdout: { fraction: 0, seed: 0, by: 'group' as const },
    items: levels.map((level, i) => ({
      ...{ id: `${i}`, caption: '', group: `${i}`, split: 'train' as const },
      source: level < 4 ? 'museum' : 'mine',
    })),
  };
  const images = Uint8Array.from({ length: levels.length * 48 }, (_, i) => levels[Math.floor(i / 48)]!);
  await writeManifestFolder(nodeStore(data), manifest, { images, tokens: new Uint32Array(4 * levels.length) });
  const device = await openDevice({ require: 'cpu' });
  await partitionData({ device, data: nodeStore(data), clusters: 3, metric: 'euclidean' });
  await device.close();
}

it('advises to train no expert again whose cluster has no picture left', async () => {
  const [data, out] = [join(base, 'all'), join(base, 'clean')];
  await writeData(data);
  const dark = (await readLabelled(nodeStore(data), 'router')).labels[0]!;
  const { code, said } = await paris(model, '--source', 'museum', '--data', data, '--data-out', out);
  expect(code).toBe(0);
  expect(said[0]).toBe(`expert ${dark} learned from 4 pictures of it`);
  expect(said).toContain(`cluster ${dark} has no picture left: nobody can train its expert again`);
  expect(said.join('\n')).not.toContain('train expert');
  expect(said).toContain(`  paris train router ${out} --out RUNS`);
});

it('hands the pictures of an expert over to the nearest that are left', async () => {
  const [data, out] = [join(base, 'data'), join(base, 'handed')];
  await writeData(data);
  const { labels } = await readLabelled(nodeStore(data), 'router');
  const [dark, grey] = [labels[0]!, labels[4]!];
  const { code, said } = await paris(model, '--expert', `${dark}`, '--data', data, '--data-out', out, '--in-place');
  expect(code).toBe(0);
  expect(said[0]).toBe(`pictures handed over: 4 to cluster ${grey} → ${out}`);
  expect(said[1]).toMatch(/^to teach the router: paris train router .* --from MODEL --steps 144 --out RUNS$/);
  const handed = await readLabelled(nodeStore(out), 'router');
  expect([...handed.labels]).toEqual([...labels].map((k) => (k === dark ? grey : k)));
});

it.each([
  [[], 'nothing is named to withdraw. Give --source, --licence or --expert.'],
  [['--source', 'musuem'], 'no network saw the source "musuem". Their sources are: mine, museum.'],
  [['--expert', 'three'], '"three" is no number of an expert'],
  [['--expert', '7', '--in-place'], 'there is no expert 7. Name some of 0, 1, 2.'],
  [['--expert', '7'], 'there is no expert 7. Name some of 0, 1, 2.'],
  [['--licence', 'MIT', '--in-place'], 'all 3 experts would leave, and nothing would be left'],
  [
    ['--source', 'mine', '--data-out', 'somewhere'],
    '--data-out needs the data folder that it changes. Add --data FOLDER.',
  ],
])('refuses %j', async (args, message) => {
  const { code, said } = await paris(model, ...args);
  expect(code).toBe(2);
  expect(said.join('\n')).toContain(message);
});
