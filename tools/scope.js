// The npm scope of the packages is `scope` in the root's package.json. `npm run scope` carries a change of that line to
// every file that names a package: manifests, imports, docs, workflows, the lock.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What others made, or what is generated. */
const SKIPPED = new Set(['node_modules', '.git', '.turbo', '.cache', 'coverage', 'api']);

/** What a checkout says its scope is, and what its packages are named with. */
export function scopeOf(/** @type {string} */ root) {
  const json = (/** @type {string} */ path) => JSON.parse(readFileSync(join(root, path), 'utf8'));
  const { scope } = json('package.json');
  if (!/^@[a-z0-9][a-z0-9._-]*$/.test(scope)) {
    throw new Error(`[scope] package.json: scope is ${JSON.stringify(scope)}. Give one like "@paris".`);
  }
  return { wanted: scope, used: json('packages/tensor/package.json').name.split('/')[0] };
}

/** Renames in all text files of a checkout, built ones too. @returns how many files changed */
export function renameScope(/** @type {string} */ root) {
  const { wanted, used } = scopeOf(root);
  if (wanted === used) return 0;
  const pattern = new RegExp(`${used}(?=\\\\?/)`, 'g'); // in a regular expression its slash is escaped
  let changed = 0;
  for (const file of textFiles(root)) {
    const text = readFileSync(file, 'utf8');
    const renamed = text.replace(pattern, wanted);
    if (renamed === text) continue;
    writeFileSync(file, renamed);
    changed += 1;
  }
  return changed;
}

/** Files without a NUL, by path. @returns {string[]} */
export function textFiles(/** @type {string} */ folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (SKIPPED.has(entry.name)) return [];
    if (entry.isDirectory()) return textFiles(path);
    return entry.isFile() && !readFileSync(path).includes(0) ? [path] : [];
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL('..', import.meta.url));
  console.log(`${renameScope(root)} files renamed to ${scopeOf(root).wanted}`);
}
