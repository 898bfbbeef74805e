// No function of more than 60 lines, but for tests: a test says one thing after the other.
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { sourcesBelow } from './files.js';
import { longFunctions, MOST_LINES } from './long-functions.js';
import { ROOT } from './markdown.js';

const FOLDERS = ['packages', 'tools', 'examples', 'benchmarks'];

let files = 0;
for (const file of FOLDERS.flatMap((folder) => sourcesBelow(join(ROOT, folder)))) {
  files += 1;
  for (const { line, name, lines } of longFunctions(file, readFileSync(file, 'utf8'))) {
    const what = `${relative(ROOT, file)}:${line}: ${name} has ${lines} lines of code, of ${MOST_LINES}`;
    console.error(`${what}. Give a stage of it, or options of one kind, a function and a name of its own.`);
    process.exitCode = 1;
  }
}
if (files === 0) throw new Error('no source was found, which cannot be right');
console.log(`${files} files`);
