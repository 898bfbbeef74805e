// The tensor library's suites that name no runner, as one script for a runtime without npm: sources, fixtures and all.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import typegpu from 'unplugin-typegpu/esbuild';
import { ROOT } from '../markdown.js';

const SOURCES = join(ROOT, 'packages', 'tensor', 'src');
const FIXTURES = join(ROOT, 'packages', 'tensor', 'fixtures');

/** Writes the script, which defines `runEverything` on globalThis (entry.ts). @returns {Promise<{ suites: number }>} */
export async function bundleSuites(/** @type {string} */ outfile) {
  // Whatever a test file needs of a runner, it imports; these need none.
  const suites = filesIn(SOURCES, '.test.ts').filter(
    (file) => !/from '(?:vitest|node:[\w/]+)'/.test(readFileSync(join(SOURCES, file), 'utf8')),
  );
  if (suites.length < 10) throw new Error(`only ${suites.length} test files name no runner, which cannot be right`);
  const contents = {
    suites: suites.map((file) => `import ${JSON.stringify(join(SOURCES, file))};`).join('\n'),
    fixtures: `export default {${filesIn(FIXTURES, '.json')
      .map((file) => `${JSON.stringify(file.replace('.json', ''))}: ${readFileSync(join(FIXTURES, file), 'utf8')}`)
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

/** @param {string} folder @param {string} ending */
function filesIn(folder, ending) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => file.endsWith(ending))
    .sort();
}
