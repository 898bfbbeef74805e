// No function of more than 60 lines, but for tests: a test says one thing after the other.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { longFunctions, MOST_LINES } from './long-functions.js';
import { ROOT } from './markdown.js';

const FOLDERS = ['packages', 'tools', 'examples', 'benchmarks'];
/** Generated, or data. */
const LEFT_OUT = new Set(['node_modules', 'dist', 'out', 'fixtures']);

let files = 0;
for (const file of FOLDERS.flatMap((folder) => sources(join(ROOT, folder)))) {
  files += 1;
  for (const { line, name, lines } of longFunctions(file, readFileSync(file, 'utf8'))) {
    const what = `${relative(ROOT, file)}:${line}: ${name} has ${lines} lines of code, of ${MOST_LINES}`;
    console.error(`${what}. Give a stage of it, or options of one kind, a function and a name of its own.`);
    process.exitCode = 1;
  }
}
if (files === 0) throw new Error('no source was found, which cannot be right');
console.log(`${files} files`);

/** @returns {string[]} */
function sources(/** @type {string} */ folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (LEFT_OUT.has(entry.name) || entry.name.startsWith('.')) return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sources(path);
    return /\.[cm]?[jt]sx?$/.test(entry.name) && !/\.test(ing)?\.\w+$/.test(entry.name) ? [path] : [];
  });
}
