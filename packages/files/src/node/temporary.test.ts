import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { replaceFile } from './replace-file.js';
import { isTemporary, sweepTemporaries, temporaryFor } from './temporary.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'temporary-'));
});
afterEach(() => rm(folder, { recursive: true }));

const bytes = (text: string) => new TextEncoder().encode(text);

/** The name that a process with this id would have made, here or on another machine. */
async function nameOf(change: { pid?: number; machine?: string; start?: string }): Promise<string> {
  const [, machine, pid, start, id] = /-writing-(\w+)-(\d+)-(\w+)-(.*)$/.exec(await temporaryFor('x'))!;
  return `.paris-writing-${change.machine ?? machine}-${change.pid ?? pid}-${change.start ?? start}-${id}`;
}

it('names what is written so that it is known for ours, however long the name of the file', async () => {
  const name = (await temporaryFor(join(folder, 'x'.repeat(255)))).slice(folder.length + 1);
  expect(isTemporary(name)).toBe(true);
  expect(name.length).toBeLessThan(120);
  expect(isTemporary('.model.safetensors.tmp-01234567-89ab-cdef-0123-456789abcdef')).toBe(true); // of earlier versions
  for (const other of ['.paris-writing-', '.paris-writing-notes.txt', 'paris-writing', '.f.tmp-1']) {
    expect(isTemporary(other), other).toBe(false);
  }
});

it('removes what dead processes left, and nothing else', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  await new Promise((resolve) => child.once('spawn', resolve));
  const living = await nameOf({});
  const dead = await nameOf({ pid: 2 ** 22 + 1 }); // above Linux's largest id
  const reused = await nameOf({ pid: child.pid!, start: '0'.repeat(12) });
  const young = await nameOf({ machine: 'f'.repeat(12) });
  const old = await nameOf({ machine: 'e'.repeat(12) });
  const foreign = ['.model.tmp-01234567-89ab-cdef-0123-456789abcdef', '.paris-writing-notes', 'a.txt', '.hidden'];
  for (const name of [living, dead, reused, young, old, ...foreign]) await writeFile(join(folder, name), 'half');
  await utimes(join(folder, old), new Date(0), new Date(0));
  await sweepTemporaries(folder);
  child.kill('SIGKILL');
  const kept = process.platform === 'linux' ? [] : [reused]; // only Linux says when a process started
  expect((await readdir(folder)).sort()).toEqual([living, young, ...kept, ...foreign].sort());
  await writeFile(join(folder, dead), 'half');
  await sweepTemporaries(folder);
  expect(await readdir(folder)).toContain(dead); // once a process: a folder of a million files is listed once
});

it('the next process that writes takes away what kill -9 left of a checkpoint', async () => {
  const script = `
    import { openSync } from 'node:fs';
    import { temporaryFor } from ${JSON.stringify(new URL('./temporary.ts', import.meta.url).href)};
    openSync(await temporaryFor(${JSON.stringify(join(folder, 'model'))}), 'w');
    process.kill(process.pid, 'SIGKILL');`;
  const args = [
    '--experimental-strip-types',
    '--no-warnings',
    '--input-type=module',
    '-e',
    script.replaceAll('.js', '.ts'),
  ];
  const child = spawn(process.execPath, args, { stdio: 'ignore' });
  const signal = await new Promise((resolve) => child.once('close', (_, how) => resolve(how)));
  if (signal === 'SIGKILL') expect((await readdir(folder)).map(isTemporary)).toEqual([true]);
  else await writeFile(join(folder, await nameOf({ pid: 2 ** 22 + 1 })), 'half'); // a Node that reads no TypeScript
  await replaceFile(join(folder, 'model'), bytes('whole'));
  expect(await readdir(folder)).toEqual(['model']);
  expect(await readFile(join(folder, 'model'), 'utf8')).toBe('whole');
});
