// The code in Markdown files compiles against the built packages, as a reader's would. Each fence is a module. Fences
// marked with `run` are programs: they are run on the best adapter, and must end by themselves.
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { transformSync } from 'esbuild';
import { Counter } from './counter.js';
import { fences, markdownFiles, ROOT } from './markdown.js';
import { environmentOf, runNode } from './programs.js';

const FOLDER = join(ROOT, '.cache', 'fences');

/** Code that imports a neighbouring file: an op inside the sources, or a second file of the reader's. */
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

const counter = new Counter();
/** @type {string[]} */
const programs = [];
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
    counter.pass(`${names.length} pieces of ${language} compile`);
  } catch (error) {
    const { stdout, message } = /** @type {Error & { stdout?: string }} */ (error);
    counter.fail(language, stdout || message);
  }
}

const environment = await environmentOf('auto');
for (const program of programs) {
  if (!environment.env) {
    counter.skip(program, 'adapter', environment.reason);
    continue;
  }
  const { code, output } = await runNode(join(FOLDER, program), { env: environment.env });
  if (code === 0) counter.pass(`${program} runs`);
  else counter.fail(program, `ended with ${code}\n${output}`);
}
counter.end();

/** Writes each fence of a language to a file that is named after its place. @returns {string[]} */
function extract(/** @type {string} */ wanted) {
  return markdownFiles().flatMap(({ path, text }) => {
    return fences(text).flatMap(({ language, code, line, runs }) => {
      if (language !== wanted || NOT_ALONE.test(code)) return [];
      const name = `${path.replace(/\.md$/, '')}-${line}.${language}`;
      mkdirSync(dirname(join(FOLDER, name)), { recursive: true });
      writeFileSync(join(FOLDER, name), code);
      if (runs) {
        const program = name.replace(/\.\w+$/, '.run.mjs');
        writeFileSync(join(FOLDER, program), transformSync(code, { loader: 'ts', target: 'es2022' }).code);
        programs.push(program);
      }
      return [name];
    });
  });
}
