// Nothing that we did not write is removed, moved or written over, whatever interrupts a replacement.
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FileStore, memoryStore } from '@paris/files';
import { nodeStore } from '@paris/files/node';
import { afterEach, describe, expect, it } from 'vitest';
import { assertApart } from './apart.js';
import { claimOutput, type OutputKind } from './claim.js';
import { recoverOutput, replaceOutput, withScratch } from './replace.js';

/** A folder whose index is a list of its files. */
const listed: OutputKind = {
  name: 'list',
  index: 'index.json',
  parts: ['a', 'b', 'c'],
  async owned(store) {
    if (!(await store.exists('index.json'))) return undefined;
    const text = new TextDecoder().decode(await store.read('index.json'));
    return text.startsWith('[') ? new Set(['index.json', ...(JSON.parse(text) as string[])]) : undefined;
  },
};
const { parts, index: last } = listed;
const before = { 'index.json': '["a/1","a/2","b/old/1","c"]', 'a/1': 'a1', 'a/2': 'a2', 'b/old/1': 'b1', c: 'c' };
const after = { 'index.json': '["a/1","b/new/1","c"]', 'a/1': 'A1', 'b/new/1': 'B1', c: 'C' };
const theirs = { 'notes.txt': 'mine', 'd/a/1': 'mine', 'unfinished/x': 'mine', 'replaced/x': 'mine' };

async function fill(store: FileStore, files: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(files)) await store.write(path, new TextEncoder().encode(text));
}
const replace = (store: FileStore, files: Record<string, string> = after) =>
  replaceOutput(store, listed, { parts, last }, 'test', (fresh) => fill(fresh, files));

async function contents(store: FileStore): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const path of await store.list()) files[path] = new TextDecoder().decode(await store.read(path));
  return files;
}

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});
async function onDisk(): Promise<FileStore & { folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'paris-output-'));
  folders.push(folder);
  return { ...nodeStore(folder), folder };
}

/** The process dies before its n-th change of a file. */
function dying(store: FileStore, n: number): FileStore {
  let left = n;
  const touch = (change: () => Promise<void>) => (left-- > 0 ? change() : Promise.reject(new Error('killed')));
  return {
    ...store,
    write: (path, bytes) => touch(() => store.write(path, bytes)),
    remove: (path) => touch(() => store.remove(path)),
    move: (from, to) => touch(() => store.move(from, to)),
    lock: async () => ({ release: async () => {} }), // that of a process that died is taken over
  };
}

describe.each([
  ['memory', async (): Promise<FileStore> => memoryStore()],
  ['disk', onDisk],
])('a folder in %s', (_, make) => {
  it('is written where nothing is, and replaced where ours is; all else stays', async () => {
    const store = await make();
    await replace(store, before);
    await fill(store, theirs);
    await replace(store);
    expect(await contents(store)).toEqual({ ...after, ...theirs });
  });

  it('is the old or the new after a death at any touch, and a second one while that is repaired', async () => {
    let deaths = 0;
    for (let n = 0; ; n++) {
      const store = await make();
      await fill(store, { ...before, ...theirs });
      const died = await replace(dying(store, n)).then(
        () => false,
        () => true,
      );
      if (!died) break;
      deaths += 1;
      for (let again = 0; again < 4; again++) await recoverOutput(dying(store, again)).catch(() => undefined);
      await recoverOutput(store);
      expect(
        [
          { ...before, ...theirs },
          { ...after, ...theirs },
        ],
        `after ${n}`,
      ).toContainEqual(await contents(store));
      await replace(store);
      expect(await contents(store)).toEqual({ ...after, ...theirs });
    }
    expect(deaths).toBeGreaterThan(12);
  });

  it('has a folder for a while only: not after an error, and not after a death at any touch', async () => {
    const use = (store: FileStore) =>
      withScratch(store, last, async (scratch) => {
        await fill(await scratch(), { x: '1' });
        await fill(await scratch(), { 'deep/y': '2' });
        return (await store.list()).length;
      });
    let deaths = 0;
    for (let n = 0; ; n++) {
      const store = await make();
      await fill(store, { ...before, ...theirs });
      const most = await use(dying(store, n)).catch(() => undefined);
      if (most === undefined) deaths += 1;
      for (let again = 0; again < 4; again++) await recoverOutput(dying(store, again)).catch(() => undefined);
      await recoverOutput(store);
      expect(await contents(store), `after ${n}`).toEqual({ ...before, ...theirs });
      if (most === undefined) continue;
      expect(most).toBe(Object.keys({ ...before, ...theirs }).length + 3);
      break;
    }
    expect(deaths).toBe(5); // three files are written, two folders removed
    const store = await make();
    const failing = withScratch(store, last, async (scratch) => {
      await fill(await scratch(), { x: '1' });
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await store.list()).toEqual([]);
    expect(await withScratch(dying(store, 0), last, async () => 'unused')).toBe('unused');
  });

  it('has no index between the old and the new', async () => {
    for (let n = 0; ; n++) {
      const store = await make();
      await fill(store, before);
      const died = await replace(dying(store, n)).catch((error: Error) => error);
      const { 'index.json': index, ...files } = await contents(store);
      const now = Object.fromEntries(Object.entries(files).filter(([path]) => !path.startsWith('paris-replacement-')));
      const { 'index.json': __, ...old } = before;
      const { 'index.json': ___, ...fresh } = after;
      if (index === before['index.json']) expect(now).toEqual(old);
      else if (index !== undefined) expect(now).toEqual(fresh);
      if (!died) break;
    }
  });

  it('keeps a file that came where a new one goes, and says so', async () => {
    const store = await make();
    await fill(store, before);
    const write = async (fresh: FileStore) => {
      await fill(fresh, after);
      await fill(store, { 'b/new/1': 'mine' });
    };
    const replacing = replaceOutput(store, listed, { parts, last }, 'test', write);
    await expect(replacing).rejects.toThrow(
      '[test] "b/new/1" in the output folder was not written by Paris, and would be in the way. Move it elsewhere first.',
    );
    expect(await contents(store)).toEqual({ ...before, 'b/new/1': 'mine' });
  });

  it('keeps a file that came while files changed places, too', async () => {
    const store = await make();
    await fill(store, before);
    const slow: FileStore = {
      ...store,
      move: async (from, to) => {
        if (to === 'b/new/1') throw new Error('killed');
        await store.move(from, to);
      },
    };
    await expect(replace(slow)).rejects.toThrow('killed');
    await fill(store, { 'b/new/1': 'mine' });
    await expect(recoverOutput(store)).rejects.toThrow(
      '"b/new/1" came to the output folder while it was being written',
    );
    expect((await contents(store))['b/new/1']).toBe('mine');
    await store.move('b/new/1', 'kept');
    await recoverOutput(store);
    expect(await contents(store)).toEqual({ ...after, kept: 'mine' });
  });

  it('leaves folders alone that are called like ours and are not', async () => {
    const store = await make();
    const id = '0d1f0c6f-34ec-4d7f-92a1-d25425b6135c';
    const journal = {
      format: 'paris-replacement',
      version: 1,
      id,
      ready: true,
      last: 'z',
      added: ['z'],
      removed: ['z'],
    };
    const alike = {
      [`paris-replacement-${id}/photo.png`]: 'mine',
      'paris-replacement-11111111-34ec-4d7f-92a1-d25425b6135c/replacement.json': JSON.stringify(journal), // of another
      'paris-replacement-22222222-34ec-4d7f-92a1-d25425b6135c/replacement.json': '{"ready":true}',
      z: 'mine',
    };
    await fill(store, { ...before, ...alike });
    await recoverOutput(store);
    await replace(store);
    expect(await contents(store)).toEqual({ ...after, ...alike });
  });

  it.each([
    [
      { 'holiday.jpg': 'x' },
      '[test] the output folder holds "holiday.jpg" and is no list of Paris. Give an empty folder',
    ],
    [{ 'a/1': 'x' }, '[test] the output folder holds "a/" and is no list of Paris.'],
    [{ 'index.json': '{"of": "others"}' }, '[test] the output folder holds "index.json" and is no list of Paris.'],
    [{ ...before, 'a/3': 'x' }, '[test] "a/3" in the output folder was not written by Paris, and would be in the way.'],
    [{ ...before, 'B/x': 'x' }, '[test] "B/x" in the output folder was not written by Paris'],
  ])('is refused, and nothing happens: %j', async (files, message) => {
    const store = await make();
    await fill(store, files as Record<string, string>);
    await expect(claimOutput(store, listed, 'test')).rejects.toThrow(message);
    await expect(replace(store)).rejects.toThrow(message);
    await expect(replace(store)).rejects.toMatchObject({ code: 'OUTPUT' });
    expect(await contents(store)).toEqual(files);
  });
});

describe('on disk', () => {
  it('what is no file counts: links, also to nothing, and empty folders among our parts', async () => {
    const store = await onDisk();
    await symlink(join(store.folder, 'gone'), join(store.folder, 'c'));
    await expect(claimOutput(store, listed, 'test')).rejects.toThrow('holds "c" and is no list');
    await rm(join(store.folder, 'c'));
    await fill(store, before);
    await symlink(join(store.folder, 'gone'), join(store.folder, 'a/link'));
    await expect(replace(store)).rejects.toThrow('"a/link" in the output folder was not written by Paris');
    await rm(join(store.folder, 'a/link'));
    await mkdir(join(store.folder, 'a/3'));
    await expect(replace(store)).rejects.toThrow('"a/3/" in the output folder was not written by Paris');
    await rm(join(store.folder, 'a/3'), { recursive: true });
    await symlink('..', join(store.folder, 'a/loop'));
    await expect(replace(store)).rejects.toThrow('"a/loop/'); // and it ends
    await rm(join(store.folder, 'a/loop'));
    await writeFile(join(store.folder, 'a/.DS_Store'), 'system');
    await replace(store);
    expect(await contents(store)).toEqual({ ...after, 'a/.DS_Store': 'system' });
  });

  it('a second replacement at the same time is refused', async () => {
    const store = await onDisk();
    await fill(store, before);
    await replaceOutput(store, listed, { parts, last }, 'test', async (fresh) => {
      await expect(replace(store)).rejects.toMatchObject({ code: 'FILE_LOCKED' });
      await expect(recoverOutput(store)).rejects.toMatchObject({ code: 'FILE_LOCKED' });
      await fill(fresh, after);
    });
    expect(await contents(store)).toEqual(after);
  });

  it('nothing is replaced while a folder for a while is there', async () => {
    const store = await onDisk();
    await withScratch(store, last, async (scratch) => {
      await fill(await scratch(), { x: '1' });
      await expect(replace(store)).rejects.toMatchObject({ code: 'FILE_LOCKED' });
      await expect(withScratch(store, last, async (other) => other())).rejects.toMatchObject({ code: 'FILE_LOCKED' });
      expect(await contents(await scratch())).toEqual({ x: '1' });
    });
    await replace(store);
    expect(await contents(store)).toEqual(after);
  });
});

it('places are apart unless one is the other, lies in it or contains it', async () => {
  const { folder, ...store } = await onDisk();
  await fill(store, { 'data/f': 'x', 'elsewhere/f': 'x' });
  await symlink(join(folder, 'data'), join(folder, 'link'));
  const memory = memoryStore();
  const place = (path: string) => ({ what: path, store: nodeStore(join(folder, path)) });
  const check = async (output: string) =>
    assertApart('test', [place(output)], [place('data'), { what: 'memory', store: memory }]).then(
      () => 'apart',
      (error: Error) => error.message,
    );
  expect(await check('data')).toBe('[test] data is data. Write it elsewhere.');
  expect(await check('link')).toBe('[test] link is data. Write it elsewhere.');
  expect(await check('link/new/deep')).toBe('[test] link/new/deep is inside data. Write it elsewhere.');
  expect(await check('data/f')).toBe('[test] data/f is inside data. Write it elsewhere.');
  expect(await check('.')).toBe('[test] . contains data. Write it elsewhere.');
  for (const apart of ['elsewhere', 'data2', 'data.old', 'new/data']) expect(await check(apart)).toBe('apart');
  const inMemory = (path?: string) => ({ what: 'it', store: memory, ...(path && { path }) });
  await expect(assertApart('test', [inMemory('a/b')], [inMemory('a')])).rejects.toThrow('it is inside it');
  await assertApart('test', [inMemory('a')], [inMemory('b'), { what: 'another', store: memoryStore() }]);
});
