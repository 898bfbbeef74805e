// The suites of tensor, model and sampler that name no runner, as one script for a runtime without npm: sources, fixtures and all.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { build } from 'esbuild';
import typegpu from 'unplugin-typegpu/esbuild';
import { ROOT } from '../markdown.js';

const PACKAGES = join(ROOT, 'packages');
/** Where suites are looked for, by package. */
const NAMES = ['tensor', 'model', 'sampler'];
const FIXTURES = join(PACKAGES, 'tensor', 'fixtures');

/**
 * Writes the script, which defines `runEverything` on globalThis (entry.ts).
 * @param {string} outfile
 * @param {RegExp} [only] - the files to take, by their paths; default: all
 * @returns {Promise<{ suites: number }>}
 */
export async function bundleSuites(outfile, only) {
  // Whatever a test file needs of a runner, it imports; these need none.
  const suites = NAMES.flatMap((name) =>
    filesIn(join(PACKAGES, name, 'src'), '.test.ts').filter(
      (file) => (only?.test(file) ?? true) && !/from '(?:vitest|node:[\w/]+)'/.test(readFileSync(file, 'utf8')),
    ),
  );
  if (suites.length < (only ? 1 : 10))
    throw new Error(`only ${suites.length} test files name no runner, which cannot be right`);
  const fixtures = NAMES.flatMap((name) => filesIn(join(PACKAGES, name, 'fixtures'), '.json'));
  const contents = {
    suites: suites.map((file) => `import ${JSON.stringify(file)};`).join('\n'),
    // Named as a SuiteContext has it: by the path from tensor's fixtures.
    fixtures: `export default {${fixtures
      .map((file) => [relative(FIXTURES, file).replaceAll('\\', '/').replace('.json', ''), readFileSync(file, 'utf8')])
      .map(([name, text]) => `${JSON.stringify(name)}: ${text}`)
      .join(',\n')}};`,
  };
  await build({
    entryPoints: [join(ROOT, 'tools', 'test', 'src', 'runtimes', 'entry.ts')],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['@paris/source'],
    target: 'es2022',
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'error',
    plugins: [virtual(contents), typegpu()],
  });
  return { suites: suites.length };
}

/** Modules `virtual:name` made of text. @returns {import('esbuild').Plugin} */
function virtual(/** @type {Record<string, string>} */ contents) {
  return {
    name: 'virtual',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^virtual:/ }, ({ path }) => ({ path: path.slice('virtual:'.length), namespace: 'virtual' }));
      // The package says that its modules have no side effects; its tests have one.
      onResolve({ filter: /\.test\.ts$/ }, ({ path }) => ({ path, sideEffects: true }));
      onLoad({ filter: /.*/, namespace: 'virtual' }, ({ path }) => ({
        contents: contents[path] ?? '',
        resolveDir: ROOT,
      }));
    },
  };
}

/** Absolute paths. @param {string} folder @param {string} ending */
function filesIn(folder, ending) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending))
    .map((file) => join(folder, file))
    .sort();
}
