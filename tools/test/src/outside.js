// A project outside the workspace, with the packed packages and plain tsc: what it needs to compile; ops, a sampler, a codec and
// a text encoder of its own (each a file of ../outside that checks itself), and what a bundle of it holds. At last the packages
// again, under another npm scope.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkBundles } from './bundles.js';
import { Counter } from './counter.js';
import { ROOT } from './markdown.js';
import { checkPage } from './page.js';
import { environmentOf, runNode, runProgram } from './programs.js';
import { checkScope } from './scope.js';
import { makeProject, packAll } from './tarballs.js';

/** Programs may be checked by either. */
const TYPESCRIPT_5 = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
const TYPESCRIPT_7 = join(ROOT, 'node_modules', 'typescript-7', 'bin', 'tsc');
const strict = {
  target: 'es2022',
  lib: ['es2023', 'dom', 'esnext.disposable'],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
};

const counter = new Counter();
const packed = mkdtempSync(join(tmpdir(), 'paris-packed-'));
const tarballs = packAll(packed);
const outside = join(ROOT, 'tools', 'test', 'outside');
/** @type {Record<string, string>} */
const programs = Object.fromEntries(
  readdirSync(outside).map((name) => [name, readFileSync(join(outside, name), 'utf8')]),
);
try {
  // Nobody but who imports @paris/tensor/typegpu needs TypeGPU.
  const typegpu = '@paris/tensor/typegpu';
  const everything = entriesOf((entry) => entry !== typegpu);
  const nodenext = { module: 'nodenext', types: ['node'] };
  await compiles('nodenext', everything, nodenext, ['@types/node']);
  await compiles('nodenext, TypeScript 7', everything, nodenext, ['@types/node'], TYPESCRIPT_7);
  await compiles('nodenext, with TypeGPU', [typegpu], { module: 'nodenext', types: [] }, ['typegpu', '@webgpu/types']);
  const browser = everything.filter((entry) => !entry.endsWith('/node') && entry !== '@paris/cli');
  const bundler = { module: 'esnext', moduleResolution: 'bundler', types: [] };
  await compiles('bundler, TypeScript 7', browser, bundler, [], TYPESCRIPT_7);
  const { env, name, reason } = await environmentOf('auto');
  if (env) await runs(env, name);
  else counter.skip('programs of a project outside', 'adapter', reason);
  await checkPage(counter, tarballs);
  await checkBundles(counter, tarballs, browser, env);
  await checkScope(counter, env);
} finally {
  rmSync(packed, { recursive: true, force: true });
}
counter.end();

/** What the packages export. @param {(entry: string) => boolean} wanted */
function entriesOf(wanted) {
  return tarballs
    .flatMap(({ name }) => {
      const file = join(ROOT, 'packages', name.replace('@paris/', ''), 'package.json');
      const entries = Object.keys(JSON.parse(readFileSync(file, 'utf8')).exports);
      return entries.filter((entry) => entry !== './package.json').map((entry) => name + entry.slice(1));
    })
    .filter(wanted);
}

/**
 * Entries and programs under a strict consumer who has libraries' declarations checked, too, and no Dawn. Of what other
 * libraries declare (typegpu's own does not pass) nothing is held against us.
 * @param {string} name @param {string[]} entries @param {object} options @param {string[]} optional
 */
async function compiles(name, entries, options, optional, typescript = TYPESCRIPT_5) {
  const compilerOptions = { ...strict, ...options, skipLibCheck: false, noEmit: true };
  const project = makeProject(tarballs, {
    optional,
    files: {
      ...programs,
      'entries.ts': entries.map((entry, i) => `export * as entry${i} from '${entry}';\n`).join(''),
      'tsconfig.json': JSON.stringify({ compilerOptions }),
    },
  });
  const { output } = await runProgram([process.execPath, typescript, '-p', '.', '--listFiles'], {
    cwd: project.folder,
  });
  const ours = output
    .split('\n')
    .filter((line) => /^(?:node_modules\/@paris\/|\w+\.ts|tsconfig|error)\S*.*error TS/.test(line));
  ours.push(...declaredTwice(project.folder));
  if (!output.includes('entries.ts')) ours.push(output.slice(0, 2000));
  if (ours.length === 0)
    counter.pass(`${entries.length} entries and ${Object.keys(programs).length} programs compile under ${name}`);
  else counter.fail(`tsc under ${name}`, ours.join('\n'));
  project.remove();
}

/**
 * Declarations of ours that name `@webgpu/types` or what only it has. Its WebGPU clashes with the `dom` library of
 * TypeScript 7, so that it may be reached through the import `#webgpu-types` alone. @param {string} folder
 */
function declaredTwice(folder) {
  const scope = join(folder, 'node_modules', '@paris');
  return readdirSync(scope, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.d.ts') && !file.endsWith('webgpu.types.d.ts'))
    .filter((file) => /types="@webgpu|from ['"]@webgpu|GPUAllowShared/.test(readFileSync(join(scope, file), 'utf8')))
    .map((file) => `${file} needs @webgpu/types`);
}

/** tsc emits the programs as JavaScript, and they check themselves on an adapter. */
async function runs(/** @type {NodeJS.ProcessEnv} */ env, /** @type {string} */ name) {
  const options = { ...strict, types: [], skipLibCheck: true, module: 'nodenext', outDir: 'out' };
  const files = { ...programs, 'tsconfig.json': JSON.stringify({ compilerOptions: options }) };
  const project = makeProject(tarballs, { optional: ['webgpu'], files });
  const emitted = await runProgram([process.execPath, TYPESCRIPT_7, '-p', '.'], { cwd: project.folder });
  if (emitted.code !== 0) counter.fail('programs of a project outside', emitted.output);
  for (const program of emitted.code === 0 ? Object.keys(programs) : []) {
    const { code, output } = await runNode(`out/${program.replace('.ts', '.js')}`, { cwd: project.folder, env });
    if (code === 0) counter.pass(`${program} on ${name}:\n${output}`);
    else counter.fail(program, output);
  }
  project.remove();
}
