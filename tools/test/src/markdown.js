// The repository's Markdown files, and what is in them: for the checks of links and of code.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const GENERATED = new Set(['node_modules', 'dist', 'out', 'coverage', 'api', 'CHANGELOG.md']);

/** @typedef {{ path: string, text: string }} MarkdownFile path with `/`, relative to the root */

/** @returns {MarkdownFile[]} */
export function markdownFiles(folder = ROOT) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (GENERATED.has(entry.name) || entry.name.startsWith('.')) return [];
    const full = join(folder, entry.name);
    if (entry.isDirectory()) return markdownFiles(full);
    if (!entry.name.endsWith('.md')) return [];
    return [{ path: relative(ROOT, full).split(sep).join('/'), text: readFileSync(full, 'utf8') }];
  });
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
