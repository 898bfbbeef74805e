// Every relative link and image of every Markdown file leads to a file that is there, and to a heading that is in it.
import { readFileSync, statSync } from 'node:fs';
import { posix } from 'node:path';
import { anchors, markdownFiles, ROOT, relativeLinks } from './markdown.js';

/** @type {string[]} */
const problems = [];
let links = 0;
for (const { path, text } of markdownFiles()) {
  for (const link of relativeLinks(text)) {
    links += 1;
    const [target = '', anchor] = link.split('#');
    const file = target === '' ? path : posix.join(posix.dirname(path), target);
    if (!statSync(ROOT + file, { throwIfNoEntry: false })?.isFile()) problems.push(`${path}: ${link} leads to no file`);
    else if (anchor && !anchors(readFileSync(ROOT + file, 'utf8')).has(anchor)) {
      problems.push(`${path}: ${file} has no heading for #${anchor}`);
    }
  }
}
if (links === 0) problems.push('no link was found, which cannot be right');
for (const problem of problems) console.error(problem);
console.log(`${links} links`);
process.exitCode = problems.length > 0 ? 1 : 0;
