// What of a folder of downloads is listed and goes, and that nothing goes which a living process reads.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { cachedStore } from '../download/index.js';
import { serveFiles } from '../stores/serve-files.testing.js';
import { cleanDownloads, downloadFolder, listDownloads, nodeStore } from './index.js';
import { startOf } from './processes.js';

const part = (seed: number) => Uint8Array.from({ length: 1000 }, (_, i) => (i * 7 + seed) % 251);
const files = new Map([
  ['/a/one', part(1)],
  ['/a/two', part(2)],
  ['/b/one', part(1)], // as a's
  ['/b/three', part(3)],
  ['/c/four', part(4)],
]);
const server = createServer(serveFiles(files, () => ({ ranges: true, tag: '"1"' })));
let url = '';
let folder: string;
const children: ChildProcess[] = [];
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paris-cache-'));
  for (const path of files.keys()) await fetchInto(path);
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill();
  await rm(folder, { recursive: true });
});

/** Downloads without a mark, as a process that has ended. */
const fetchInto = (path: string, cache = nodeStore(folder) as ReturnType<typeof downloadFolder>) => {
  const [, source, name] = path.split('/') as [string, string, string];
  return cachedStore(`${url}/${source}/`, cache, { partBytes: 600 }).read(name);
};
const names = (sources: readonly { address: string }[]) =>
  sources.map(({ address }) => address.slice(url.length + 1)).sort();
const recordsOf = async (source: string) => {
  const store = nodeStore(folder);
  const records = (await store.list('files')).filter((path) => path.endsWith('record.json'));
  const found: string[] = [];
  for (const path of records) {
    const { address } = JSON.parse(new TextDecoder().decode(await store.read(path))) as { address: string };
    if (address === `${url}/${source}`) found.push(join(folder, path));
  }
  return found;
};
const age = async (source: string, days: number) => {
  const then = new Date(Date.now() - days * 86_400_000);
  for (const record of await recordsOf(source)) await utimes(record, then, then);
};
/** The mark that a process leaves in a source's first file. */
const mark = async (source: string, reader: object) => {
  const marks = join((await recordsOf(source))[0]!, '../readers');
  await mkdir(marks, { recursive: true });
  await writeFile(join(marks, 'a-mark'), JSON.stringify(reader));
};

it('lists sources with what they take', async () => {
  const sources = await listDownloads(folder);
  expect(names(sources)).toEqual(['a', 'b', 'c']);
  const a = sources.find(({ address }) => address.endsWith('/a'))!;
  expect(a).toMatchObject({ files: 2, keptBytes: 2000, totalBytes: 2000, inUse: false });
  expect(Date.now() - a.lastUsedMs).toBeLessThan(600_000);
  expect(await listDownloads(join(folder, 'nothing'))).toEqual([]);
});

it('removes what is old, but no part that another source has', async () => {
  await age('a', 40);
  await age('c', 10);
  const { removed, freedBytes, keptBytes } = await cleanDownloads(folder, { olderThanMs: 30 * 86_400_000 });
  expect(names(removed)).toEqual(['a']);
  expect([freedBytes, keptBytes]).toEqual([1000, 3000]); // of a's 2,000 b has the half
  expect(names(await listDownloads(folder))).toEqual(['b', 'c']);
  expect(await fetchInto('/b/one')).toEqual(part(1));
  expect((await readdir(join(folder, 'files'))).length).toBe(3);
  expect(await fetchInto('/a/two')).toEqual(part(2)); // again from the server
});

it('removes those used longest ago until the rest fits, or those of an address', async () => {
  await age('b', 3);
  await age('a', 2);
  expect(names((await cleanDownloads(folder, { keepBytes: 4000 })).removed)).toEqual([]); // what a and b share counts once
  expect(names((await cleanDownloads(folder, { keepBytes: 3000 })).removed)).toEqual(['b']);
  expect(names((await cleanDownloads(folder, { keepBytes: 3000 })).removed)).toEqual([]);
  expect(names((await cleanDownloads(folder, { address: `${url}/c` })).removed)).toEqual(['c']);
  expect((await cleanDownloads(folder, { address: '' })).keptBytes).toBe(0);
  expect(await nodeStore(folder).list()).toEqual([]);
});

it('leaves what a process has opened, as long as it runs', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  children.push(child);
  const started = await startOf(child.pid!);
  await mark('a', { pid: child.pid, host: hostname(), started });
  await mark('b', { pid: 1, host: 'another-machine', started: '' });
  await mark('c', { pid: child.pid, host: hostname(), started: 'another boot:7' }); // a later process of that id
  const first = await cleanDownloads(folder, { address: '' });
  expect(names(first.removed)).toEqual(started === '' ? [] : ['c']);
  expect(names(first.inUse)).toContain('a');
  expect(names(first.inUse)).toContain('b');
  expect(await fetchInto('/a/two')).toEqual(part(2));
  await new Promise((resolve) => child.once('exit', resolve).kill('SIGKILL'));
  const second = await cleanDownloads(folder, { address: '' });
  expect(names(second.removed)).toContain('a');
  expect(names(second.inUse)).toEqual(['b']);
});

it('sees what this process reads, and what is being downloaded', async () => {
  await fetchInto('/c/four', downloadFolder(folder));
  expect((await listDownloads(folder)).filter(({ inUse }) => inUse).map(({ address }) => address)).toEqual([
    `${url}/c`,
  ]);
  const lock = await nodeStore(folder).lock(
    (await recordsOf('a'))[0]!.slice(folder.length + 1, -'/record.json'.length),
  );
  const { removed, inUse } = await cleanDownloads(folder, { address: '' });
  expect(names(removed)).toEqual(['b']);
  expect(names(inUse)).toEqual(['a', 'c']);
  expect((await recordsOf('a')).length).toBe(2); // put back
  await lock.release();
});

it('clears away what a process that died left, but no part that has just arrived', async () => {
  const lost = join(folder, 'parts', '0'.repeat(64));
  const fresh = join(folder, 'parts', '1'.repeat(64));
  for (const file of [lost, fresh]) await writeFile(file, 'x'.repeat(10));
  const anHourAgo = new Date(Date.now() - 3_601_000); // or a moment ago, and the clock was set
  await utimes(fresh, anHourAgo, anHourAgo);
  const then = new Date(Date.now() - 25 * 3_600_000);
  await utimes(lost, then, then);
  await mkdir(join(folder, 'files', 'dead'));
  await writeFile(join(folder, 'files', 'dead', 'record.json.removed'), '{}');
  await writeFile(join((await recordsOf('c'))[0]!), 'damaged');
  expect((await cleanDownloads(folder, {})).freedBytes).toBe(10);
  expect(await readdir(join(folder, 'parts'))).toContain('1'.repeat(64));
  expect(await readdir(join(folder, 'files'))).not.toContain('dead');
});
