// The page's files and the jobs, read only. No other name is looked for on the disk.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const types = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
};

/**
 * The built page, held in memory. @param {string} folder
 * @returns {ReadonlyMap<string, { body: Buffer, type: string }>} by path from the root: `/assets/index-….js`
 */
export function pageFiles(folder) {
  const files = new Map();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const path = `/${file.slice(folder.length + 1).replaceAll('\\', '/')}`;
    const type = types[/** @type {keyof types} */ (path.split('.').at(-1) ?? '')] ?? 'application/octet-stream';
    files.set(path === '/index.html' ? '/' : path, { body: readFileSync(file), type });
  }
  return files;
}

/** The jobs that are given out: files of a folder, looked up again each time. @param {string} folder */
export function jobNames(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isFile() && /^[\w-][\w.-]*\.paris$/.test(entry.name) ? [entry.name] : [],
  );
}
