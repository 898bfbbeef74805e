// SwiftShader out of an npm package: `@sparticuz/chromium` carries it, with a Vulkan loader, as one 3.5 MB archive. It
// is unpacked once, into the user's cache folder, so that Dawn has an adapter on a machine where nothing is installed.
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync } from 'node:zlib';
import { tarFiles } from './tar.js';

/** The files that matter: a software Vulkan driver, its manifest, and a loader for machines without one. */
export const SWIFTSHADER_FILES = ['libvk_swiftshader.so', 'libvulkan.so.1', 'vk_swiftshader_icd.json'] as const;
const ARCHIVE = join('node_modules', '@sparticuz', 'chromium', 'bin', 'swiftshader.tar.br');

/**
 * The archive's path as this package finds it: in a `node_modules` at its own folder or above, as Node finds packages. Never
 * as seen from the working folder: anyone who can write there would choose which driver runs.
 */
export function findSwiftShader(from: string = dirname(fileURLToPath(import.meta.url))): string | undefined {
  for (let at = from; ; at = dirname(at)) {
    if (existsSync(join(at, ARCHIVE))) return join(at, ARCHIVE);
    if (dirname(at) === at) return undefined;
  }
}

/**
 * Unpacks the archive into a folder of `cache` that is named after its content, and returns that folder. Any number
 * of processes may do so at once: each unpacks aside and renames, and the first rename wins.
 */
export async function unpackSwiftShader(archive: string, cache: string = cacheFolder()): Promise<string> {
  const packed = await readFile(archive);
  const folder = join(cache, `swiftshader-${createHash('sha256').update(packed).digest('hex').slice(0, 16)}`);
  if (existsSync(folder)) return folder;

  const aside = `${folder}.${randomUUID()}`;
  await mkdir(aside, { recursive: true, mode: 0o700 });
  try {
    const missing = new Set<string>(SWIFTSHADER_FILES);
    for (const [path, content] of tarFiles(brotliDecompressSync(packed))) {
      if (missing.delete(basename(path))) await writeFile(join(aside, basename(path)), content, { mode: 0o755 });
    }
    if (missing.size > 0) throw new Error(`${archive} lacks ${[...missing].join(', ')}`);
    await rename(aside, folder);
  } catch (error) {
    await rm(aside, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

/** Where this user's caches belong (XDG base directories: SwiftShader is for Linux only). */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const given = environment.XDG_CACHE_HOME ?? '';
  // A relative one is to be ignored, as its specification says: it would be a folder of wherever one stands.
  return join(isAbsolute(given) ? given : join(homedir(), '.cache'), 'paris');
}
