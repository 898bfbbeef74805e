// The files of the repository that its checks look at.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Generated, or data. */
const NO_SOURCES = new Set(['node_modules', 'dist', 'out', 'fixtures']);

/**
 * All files below a folder, but for what has one of these names, or one that begins with a dot.
 * @returns {string[]}
 */
export function filesBelow(/** @type {string} */ folder, /** @type {ReadonlySet<string>} */ leftOut) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (leftOut.has(entry.name) || entry.name.startsWith('.')) return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path, leftOut) : [path];
  });
}

/**
 * The sources below a folder that are no tests.
 * @returns {string[]}
 */
export function sourcesBelow(/** @type {string} */ folder) {
  return filesBelow(folder, NO_SOURCES).filter(
    (path) => /\.[cm]?[jt]sx?$/.test(path) && !/\.test(ing)?\.\w+$/.test(path),
  );
}
