// The repository's Markdown files, and what is in them: for the checks of links and of code.
import { readFileSync } from 'node:fs';
import { relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { filesBelow } from './files.js';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const GENERATED = new Set(['node_modules', 'dist', 'out', 'coverage', 'api', 'CHANGELOG.md']);

/** @typedef {{ path: string, text: string }} MarkdownFile path with `/`, relative to the root */

/** @returns {MarkdownFile[]} */
export function markdownFiles(folder = ROOT) {
  return filesBelow(folder, GENERATED)
    .filter((file) => file.endsWith('.md'))
    .map((file) => ({ path: relative(ROOT, file).split(sep).join('/'), text: readFileSync(file, 'utf8') }));
}

/**
 * The fenced code of a file, with the line on which each begins, and whether it is marked with `run`.
 * @returns {{ language: string, code: string, line: number, runs: boolean }[]}
 */
export function fences(/** @type {string} */ text) {
  return [...text.matchAll(FENCE)].map(({ index, 1: language = '', 2: words = '', 3: code = '' }) => {
    const runs = words.split(' ').includes('run');
    return { language, code, runs, line: text.slice(0, index).split('\n').length + 1 };
  });
}

/** Relative links and images outside of code. @returns {string[]} */
export function relativeLinks(/** @type {string} */ text) {
  const prose = text.replace(FENCE, '').replace(/`[^`\n]*`/g, '');
  const targets = [...prose.matchAll(/\]\(([^()\s]+)\)/g)].map(([, target = '']) => target);
  return targets.filter((target) => !/^[a-z]+:/i.test(target));
}

/** The anchors of a file's headings, as GitHub makes them. @returns {Set<string>} */
export function anchors(/** @type {string} */ text) {
  const headings = [...text.replace(FENCE, '').matchAll(/^#+ +(.+)$/gm)].map(([, heading = '']) => heading);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replace(/\s/g, '-'),
    ),
  );
}

const FENCE = /^```(\w*)([^\n]*)\n([\s\S]*?)^```$/gm;
