// The code in Markdown files compiles against the built packages, as a reader's would. Each fence is a module.
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fences, markdownFiles, ROOT } from './markdown.js';

const FOLDER = join(ROOT, '.cache', 'fences');

/** Code that imports a file beside it: an op inside the sources, or a second file of the reader's. */
const NOT_ALONE = /from '\.\.?\//;

/** JavaScript has no place for the types and the `!` that strictness asks for; names and arguments are still checked. */
const COMPILERS = {
  ts: {},
  js: {
    allowJs: true,
    checkJs: true,
    strict: false,
    noUncheckedIndexedAccess: false,
    exactOptionalPropertyTypes: false,
  },
};

rmSync(FOLDER, { recursive: true, force: true });
for (const [language, options] of Object.entries(COMPILERS)) {
  const names = extract(language);
  const compilerOptions = { moduleDetection: 'force', customConditions: [], ...options };
  const settings = { extends: '../../tsconfig.base.json', compilerOptions, files: names };
  const project = join(FOLDER, `tsconfig.${language}.json`);
  writeFileSync(project, JSON.stringify(settings));
  try {
    if (names.length === 0) throw new Error(`no ${language} was found, which cannot be right`);
    execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', project], {
      encoding: 'utf8',
    });
    console.log(`${names.length} pieces of ${language} compile`);
  } catch (error) {
    const { stdout, message } = /** @type {Error & { stdout?: string }} */ (error);
    console.error(stdout || message);
    process.exitCode = 1;
  }
}

/** Writes each fence of a language to a file that is named after its place. @returns {string[]} */
function extract(/** @type {string} */ wanted) {
  return markdownFiles().flatMap(({ path, text }) => {
    return fences(text).flatMap(({ language, code, line }) => {
      if (language !== wanted || NOT_ALONE.test(code)) return [];
      const name = `${path.replace(/\.md$/, '')}-${line}.${language}`;
      mkdirSync(dirname(join(FOLDER, name)), { recursive: true });
      writeFileSync(join(FOLDER, name), code);
      return [name];
    });
  });
}
