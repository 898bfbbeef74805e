// SwiftShader out of an npm package: `@sparticuz/chromium` carries it, with a Vulkan loader, as one 3.5 MB archive. It
// is unpacked once, into the user's cache folder, so that Dawn has an adapter on a machine where nothing is installed.
import { createHash, randomUUID } from 'node:crypto';
import { access, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync } from 'node:zlib';
import { tarFiles } from './tar.js';

/** The files that matter: a software Vulkan driver, its manifest, and a loader for machines without one. */
export const SWIFTSHADER_FILES = ['libvk_swiftshader.so', 'libvulkan.so.1', 'vk_swiftshader_icd.json'] as const;
const ARCHIVE = join('node_modules', '@sparticuz', 'chromium', 'bin', 'swiftshader.tar.br');

/** The archive's path as seen from any of `folders` or a folder above it, or undefined. */
export async function findSwiftShader(
  folders: readonly string[] = [dirname(fileURLToPath(import.meta.url)), process.cwd()],
): Promise<string | undefined> {
  for (const folder of folders) {
    for (let at = folder; ; at = dirname(at)) {
      if (await exists(join(at, ARCHIVE))) return join(at, ARCHIVE);
      if (dirname(at) === at) break;
    }
  }
  return undefined;
}

/**
 * Unpacks the archive into a folder of `cache` that is named after its content, and returns that folder. Any number
 * of processes may do so at once: each unpacks aside and renames, and the first rename wins.
 */
export async function unpackSwiftShader(archive: string, cache: string = cacheFolder()): Promise<string> {
  const packed = await readFile(archive);
  const folder = join(cache, `swiftshader-${createHash('sha256').update(packed).digest('hex').slice(0, 16)}`);
  if (await exists(folder)) return folder;

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
    if (!(await exists(folder))) throw error;
  }
  return folder;
}

/** Where this user's caches belong, by the platform's own convention. */
export function cacheFolder(
  environment: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  if (environment.XDG_CACHE_HOME) return join(environment.XDG_CACHE_HOME, 'paris');
  if (platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'paris');
  if (platform === 'win32' && environment.LOCALAPPDATA) return join(environment.LOCALAPPDATA, 'paris', 'cache');
  return join(homedir(), '.cache', 'paris');
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
