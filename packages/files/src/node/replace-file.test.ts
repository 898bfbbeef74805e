import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requireCapability } from '@paris/test-tools';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeStore } from './node-store.js';
import { replaceFile, tryReplaceFile } from './replace-file.js';

const bytes = new TextEncoder().encode('new');
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'replace-file-'));
});
afterEach(() => rm(folder, { recursive: true }));
const at = (name: string) => join(folder, name);

/** Both ways to write. */
const writers: [string, (name: string) => Promise<void>][] = [
  ['replaceFile', (name) => replaceFile(at(name), bytes)],
  ['a store', (name) => nodeStore(folder).write(name, bytes)],
];

describe.each(writers)('%s', (_, write) => {
  it('writes through a link and keeps it, in another folder, in a chain, and to a file that is not there yet', async () => {
    await mkdir(at('elsewhere'));
    await writeFile(at('elsewhere/real'), 'old');
    await symlink('elsewhere/real', at('link'));
    await symlink(at('link'), at('chain'));
    await symlink('elsewhere/later', at('dangling'));
    await write('chain');
    await write('dangling');
    expect(await readFile(at('elsewhere/real'), 'utf8')).toBe('new');
    expect(await readFile(at('elsewhere/later'), 'utf8')).toBe('new');
    expect(await readlink(at('link'))).toBe('elsewhere/real');
    expect(await readlink(at('chain'))).toBe(at('link'));
    expect(await readlink(at('dangling'))).toBe('elsewhere/later');
    expect((await readdir(at('elsewhere'))).sort()).toEqual(['later', 'real']);
  });

  it('refuses folders, links to folders, sockets and links in a circle, and leaves them', async () => {
    await mkdir(at('folder'));
    await symlink('folder', at('to-folder'));
    await symlink('circle', at('circle'));
    const server = createServer();
    await new Promise<void>((ready) => server.listen(at('socket'), ready));
    await expect(write('folder')).rejects.toThrow('is a folder, which is never replaced. Write to another name.');
    await expect(write('to-folder')).rejects.toThrow('is a folder, which is never replaced.');
    await expect(write('socket')).rejects.toThrow('is a socket, which is never replaced.');
    await expect(write('circle')).rejects.toThrow('is a link that leads back to itself.');
    expect((await lstat(at('socket'))).isSocket()).toBe(true);
    expect((await lstat(at('to-folder'))).isSymbolicLink()).toBe(true);
    expect(await readdir(at('folder'))).toEqual([]);
    await new Promise((closed) => server.close(closed));
  });

  it('writes into a device, also through a link', async (context) => {
    const made = spawnSync('mknod', [at('null'), 'c', '1', '3']).status === 0;
    const opens = made && spawnSync('sh', ['-c', 'echo > "$0"', at('null')]).status === 0;
    requireCapability(context, 'mknod', opens, 'this user may not make device files');
    await symlink('null', at('link'));
    await write('null');
    await write('link');
    expect((await stat(at('null'))).isCharacterDevice()).toBe(true);
    expect((await stat(at('null'))).rdev).toBe((await stat('/dev/null')).rdev);
    expect((await lstat(at('link'))).isSymbolicLink()).toBe(true);
    expect((await readdir(folder)).sort()).toEqual(['link', 'null']);
  });

  it('writes into a pipe that is read, and says so of one that is not', async (context) => {
    requireCapability(context, 'mknod', spawnSync('mkfifo', [at('pipe')]).status === 0, 'mkfifo is missing');
    await expect(write('pipe')).rejects.toThrow('nobody reads from the pipe');
    const reader = spawn('cat', [at('pipe')], { stdio: ['ignore', 'pipe', 'ignore'] });
    let read = '';
    reader.stdout.on('data', (chunk) => {
      read += chunk;
    });
    const ended = new Promise((resolve) => reader.once('close', resolve));
    for (;;) {
      const error = await write('pipe').then(
        () => undefined,
        (reason: Error) => reason,
      );
      if (!error) break;
      expect(error.message).toContain('nobody reads'); // the reader takes a moment to start
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await ended;
    expect(read).toBe('new');
    expect((await stat(at('pipe'))).isFIFO()).toBe(true);
  });
});

describe('tryReplaceFile', () => {
  it('refuses what replaceFile would refuse, before anything is made', async () => {
    await mkdir(at('folder'));
    await writeFile(at('file'), 'old');
    await expect(tryReplaceFile('')).rejects.toThrow('the name of a file to write is empty.');
    await expect(tryReplaceFile(at('new/'))).rejects.toThrow('is the name of a folder. Name a file in it.');
    await expect(replaceFile(at('new/'), bytes)).rejects.toThrow('is the name of a folder. Name a file in it.');
    await expect(tryReplaceFile(at('folder'))).rejects.toThrow('is a folder, which is never replaced.');
    await expect(tryReplaceFile(at('file/x'))).rejects.toThrow('cannot be written (ENOTDIR). Check its folder');
    expect((await readdir(folder)).sort()).toEqual(['file', 'folder']);
  });

  it('accepts what can be written and changes nothing', async () => {
    await writeFile(at('file'), 'old');
    await symlink('later', at('link'));
    for (const name of ['file', 'link', 'fresh', 'a/b/c']) await tryReplaceFile(at(name));
    expect(await readFile(at('file'), 'utf8')).toBe('old');
    expect((await readdir(folder)).sort()).toEqual(['file', 'link']);
  });

  it('tries the folder itself: a system that forbids files says so now', async (context) => {
    requireCapability(context, 'proc', process.platform === 'linux', 'there is no /proc here');
    await expect(tryReplaceFile('/proc/paris.png')).rejects.toThrow('"/proc/paris.png" cannot be written (ENOENT).');
  });
});

it('a program writes to /dev/stdout in a pipeline', () => {
  const dist = new URL('../../dist/node/index.js', import.meta.url).href;
  const script = `import { replaceFile } from ${JSON.stringify(dist)};
    await replaceFile('/dev/stdout', new TextEncoder().encode('new'));`;
  const argv = ['-c', '"$0" --input-type=module -e "$1" | cat', process.execPath, script];
  expect(execFileSync('sh', argv, { encoding: 'utf8' })).toBe('new');
});
