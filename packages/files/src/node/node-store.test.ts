import { spawn } from 'node:child_process';
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FileStore } from '../stores/store.js';
import { nodeStore } from './node-store.js';

let folder: string;
let store: FileStore;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'node-store-'));
  store = nodeStore(folder);
});
afterEach(() => rm(folder, { recursive: true }));

describe('writing', () => {
  it('leaves no temporary file behind, also when it fails', async () => {
    await store.write('a/f', new Uint8Array(10));
    await mkdir(join(folder, 'a/g/h'), { recursive: true });
    await expect(store.write('a/g', new Uint8Array(10))).rejects.toMatchObject({ code: 'STORE' });
    expect((await readdir(join(folder, 'a'))).sort()).toEqual(['f', 'g']);
  });

  it('never shows a part: a reader sees one version or another', async () => {
    const size = 300_000;
    await store.write('f', new Uint8Array(size).fill(1));
    let writing = true;
    const writer = (async () => {
      for (let i = 2; i < 30; i++) await store.write('f', new Uint8Array(size).fill(i));
      writing = false;
    })();
    let reads = 0;
    while (writing) {
      const seen = await store.read('f');
      expect(seen.length).toBe(size);
      expect(seen[0]).toBe(seen[size - 1]);
      reads += 1;
    }
    await writer;
    expect(reads).toBeGreaterThan(1);
  });

  it('does not list unfinished writes and locks, but other hidden files', async () => {
    await store.write('.hidden', new Uint8Array(1));
    await writeFile(join(folder, '.f.tmp-01234567-89ab-cdef-0123-456789abcdef'), 'half');
    const lock = await store.lock();
    expect(await store.list()).toEqual(['.hidden']);
    await lock.release();
  });
});

it('follows links, and is not stopped by broken ones', async () => {
  await store.write('real/f', new Uint8Array([5]));
  await symlink(join(folder, 'real'), join(folder, 'link'));
  await symlink(join(folder, 'gone'), join(folder, 'broken'));
  expect(await store.list()).toEqual(['link/f', 'real/f']);
  expect([...(await store.read('link/f'))]).toEqual([5]);
  await expect(store.read('broken')).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
});

it('moves onto a link: the file that it names is replaced, and the link stays', async () => {
  await store.write('real/f', new Uint8Array([1]));
  await symlink('real/f', join(folder, 'link'));
  await store.write('new', new Uint8Array([2]));
  await store.move('new', 'link');
  expect(await readlink(join(folder, 'link'))).toBe('real/f');
  expect([...(await store.read('real/f'))]).toEqual([2]);
  expect(await store.exists('new')).toBe(false);
  await store.move('real/f', 'link'); // onto itself
  expect([...(await store.read('link'))]).toEqual([2]);
});

it('lists each file of linked folders once a way to it: loops end', async () => {
  await store.write('a/f', new Uint8Array(1));
  for (const name of ['up', 'again']) await symlink('..', join(folder, 'a', name));
  await symlink('.', join(folder, 'a/self'));
  expect(await store.list()).toEqual(['a/f']);
});

it('refuses to read what claims more bytes than memory can hold', async () => {
  await truncate(await made('huge'), 2 ** 43); // a hole: no byte on the disk
  await expect(store.read('huge')).rejects.toThrow('bytes of "huge" do not fit into memory at once. Is it the right');
  await expect(store.read('huge', undefined, { maxBytes: 10 })).rejects.toThrow(
    '[store] "huge" has 8796093022208 bytes; at most 10 are read of it.',
  );
  expect(await store.read('huge', { offset: 2 ** 42, length: 1 })).toEqual(new Uint8Array(1));
});

async function made(name: string): Promise<string> {
  await writeFile(join(folder, name), '');
  return join(folder, name);
}

it('lists nothing of a folder that is not there', async () => {
  expect(await nodeStore(join(folder, 'nowhere')).list()).toEqual([]);
});

it('has no empty path: that would be the current folder by accident', () => {
  expect(() => nodeStore('')).toThrow('[store] the path of the folder is empty. Write "." for the current folder.');
});

it('names what is no file as well, and removes no folder that holds such a thing', async () => {
  await store.write('a/f', new Uint8Array(1));
  await symlink(join(folder, 'gone'), join(folder, 'a/broken'));
  await mkdir(join(folder, 'a/empty'));
  expect((await store.entries!('a')).sort()).toEqual(['broken', 'empty/', 'f']);
  await store.remove('a/f');
  expect((await store.entries!('a')).sort()).toEqual(['broken', 'empty/']);
  await store.write('g', new Uint8Array(1));
  await expect(store.move('g', 'a/broken')).rejects.toThrow('"g" cannot move to "a/broken": something is there.');
  await expect(nodeStore(join(folder, 'g')).entries!()).rejects.toThrow(
    `[store] ${folder}/g is a file. Give a folder.`,
  );
});

it('knows a folder again by whatever way one comes to it', async () => {
  await store.write('real/f', new Uint8Array(1));
  await symlink(join(folder, 'real'), join(folder, 'link'));
  await symlink(join(folder, 'real/later'), join(folder, 'later'));
  const ids = (path: string) => nodeStore(path).ancestry!();
  const real = await ids(join(folder, 'real'));
  for (const other of ['link', 'real/', 'x/../real', './real/.', 'link/../real']) {
    expect(await ids(`${folder}/${other}`), other).toEqual(real);
  }
  expect(await store.ancestry!('link/f')).toEqual([...real, expect.any(String)]);
  expect(await ids(join(folder, 'later'))).toEqual(await ids(join(folder, 'REAL/../real/LATER'))); // not there yet
  expect(await ids(join(folder, 'later/deeper'))).toEqual([...(await ids(join(folder, 'later'))), expect.any(String)]);
  expect(await ids(folder)).toEqual(real.slice(0, -1));
});

describe('lock', () => {
  const lockFile = () => join(folder, 'run/.lock');
  const plant = async (content: string) => {
    await mkdir(join(folder, 'run'), { recursive: true });
    await writeFile(lockFile(), content);
  };
  /** A process that lives until it is asked to end; its id plays that of another trainer. */
  const bystander = () => spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });

  it('names this process, and is gone after release', async () => {
    const lock = await store.lock('run');
    expect(JSON.parse(await readFile(lockFile(), 'utf8'))).toMatchObject({ pid: process.pid, host: hostname() });
    await lock.release();
    expect(await readdir(join(folder, 'run'))).toEqual([]);
  });

  it('refuses while the other process lives, and takes over when it has died', async () => {
    const other = bystander();
    await new Promise((resolve) => other.once('spawn', resolve));
    await plant(JSON.stringify({ pid: other.pid, host: hostname(), started: '' }));
    await expect(store.lock('run')).rejects.toThrow(
      `[store] ${join(folder, 'run')} is in use by process ${other.pid} on ${hostname()}. Wait for it to end, or remove`,
    );
    const ended = new Promise((resolve) => other.once('exit', resolve));
    other.kill('SIGKILL');
    await ended;
    await (await store.lock('run')).release();
  });

  it('takes over when the process id now belongs to a later process', async (context) => {
    if (process.platform !== 'linux') context.skip('only Linux says when a process started');
    const other = bystander();
    await new Promise((resolve) => other.once('spawn', resolve));
    await plant(JSON.stringify({ pid: other.pid, host: hostname(), started: 'an earlier boot:1' }));
    await (await store.lock('run')).release();
    other.kill('SIGKILL');
  });

  it('takes over a lock of its own process id that it does not hold: a restarted container', async () => {
    await plant(JSON.stringify({ pid: process.pid, host: hostname(), started: '' }));
    await (await store.lock('run')).release();
  });

  it('refuses the lock of another machine, whose processes it cannot see', async () => {
    await plant(JSON.stringify({ pid: 1, host: 'elsewhere', started: '' }));
    await expect(store.lock('run')).rejects.toThrow('process 1 on elsewhere');
  });

  it('waits out a lock that is being written, and takes over one that was never finished', async () => {
    await plant('');
    await expect(store.lock('run')).rejects.toMatchObject({ code: 'FILE_LOCKED' });
    await utimes(lockFile(), new Date(0), new Date(0));
    await (await store.lock('run')).release();
  });

  it('leaves a file of that name alone that is no lock of ours', async () => {
    await plant('# poetry.lock');
    await utimes(lockFile(), new Date(0), new Date(0));
    await expect(store.lock('run')).rejects.toThrow(`[store] ${lockFile()} is no lock of Paris. Move it elsewhere`);
    expect(await readFile(lockFile(), 'utf8')).toBe('# poetry.lock');
  });

  it('is won by one of many', async () => {
    await plant(JSON.stringify({ pid: 2 ** 22 + 1, host: hostname(), started: '' })); // above Linux's largest id
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => store.lock('run')));
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
  });
});
