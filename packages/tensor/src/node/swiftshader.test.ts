import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { cacheFolder, findSwiftShader, SWIFTSHADER_FILES, unpackSwiftShader } from './swiftshader.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paris-swiftshader-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('is found from a folder below the one that installed it', async () => {
  const bin = join(folder, 'node_modules', '@sparticuz', 'chromium', 'bin');
  await mkdir(bin, { recursive: true });
  await writeFile(join(bin, 'swiftshader.tar.br'), '');
  expect(findSwiftShader(join(folder, 'a', 'b'))).toBe(join(bin, 'swiftshader.tar.br'));
  expect(findSwiftShader(tmpdir())).toBeUndefined();
});

it('is not what the working folder offers', async () => {
  const bin = join(folder, 'node_modules', '@sparticuz', 'chromium', 'bin');
  await mkdir(bin, { recursive: true });
  await writeFile(join(bin, 'swiftshader.tar.br'), 'code of a stranger');
  const own = findSwiftShader();
  const before = process.cwd();
  process.chdir(folder);
  try {
    expect(own).toBeDefined();
    expect(findSwiftShader()).toBe(own);
  } finally {
    process.chdir(before);
  }
});

it('unpacks once, also when several processes start at the same time', async () => {
  const archive = findSwiftShader() as string;
  const cache = join(folder, 'cache');
  const unpacked = await Promise.all([1, 2, 3].map(() => unpackSwiftShader(archive, cache)));
  expect(new Set(unpacked).size).toBe(1);
  expect(await readdir(cache)).toHaveLength(1);
  expect((await readdir(unpacked[0] as string)).sort()).toEqual([...SWIFTSHADER_FILES].sort());
});

it('leaves nothing behind when the archive is not what it should be', async () => {
  const archive = join(folder, 'empty.tar.br');
  await writeFile(archive, brotliCompressSync(Buffer.alloc(1024)));
  const cache = join(folder, 'cache');
  await expect(unpackSwiftShader(archive, cache)).rejects.toThrow('lacks libvk_swiftshader.so');
  expect(await readdir(cache)).toEqual([]);
});

it('goes to the cache folder of the user', () => {
  expect(cacheFolder({ XDG_CACHE_HOME: '/caches' })).toBe(join('/caches', 'paris'));
  expect(cacheFolder({ XDG_CACHE_HOME: 'caches' })).toMatch(/\.cache.paris$/);
  expect(cacheFolder({})).toMatch(/\.cache.paris$/);
});
