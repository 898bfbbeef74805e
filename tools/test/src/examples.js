// Every example runs from beginning to end, imports only what is published, and ends by itself: within five seconds of the
// last line that it prints.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkPage } from './browser.js';
import { CHROMIUM } from './chromium.js';
import { Counter } from './counter.js';
import { ROOT } from './markdown.js';
import { environmentOf, runProgram } from './programs.js';
import { checkVolunteer } from './volunteer.js';

const EXAMPLES = join(ROOT, 'examples');
const DENO = join(ROOT, 'node_modules', '.bin', 'deno');
/** The demo and the emoji have tests of their own; pages are no programs that end. */
const OTHERS = new Set(['demo', 'emoji', 'browser', 'volunteer']);
const LINGER_MS = 5000;

const counter = new Counter();
const folder = mkdtempSync(join(tmpdir(), 'paris-examples-'));
const model = '../../models/emoji';
const deno = readPermissions(join(EXAMPLES, 'deno', 'package.json'));

/** @typedef {{ command: string[], leaves: string, says?: RegExp, needsDeno?: boolean }} Run */
/** How each is run, and what it leaves. @type {Record<string, Run>} */
const RUNS = {
  quickstart: {
    command: [process.execPath, 'quickstart.js', model, 'cat face', join(folder, 'quickstart.png')],
    leaves: 'quickstart.png',
  },
  deno: {
    command: [
      DENO,
      'run',
      '--no-prompt',
      ...deno,
      `--allow-write=${folder}`,
      'sample.ts',
      model,
      'cat face',
      join(folder, 'deno.png'),
    ],
    leaves: 'deno.png',
    needsDeno: true,
  },
  'custom-expert': {
    command: [process.execPath, 'run.js', '12', join(folder, 'custom')],
    leaves: 'custom/samples.png',
    // Two DiTs and a mixer in one model, and `full()` asks all of them.
    says: /experts: dit, dit, mixer\nevaluations by expert: [1-9]\d* [1-9]\d* [1-9]\d*$/m,
  },
};

for (const name of readdirSync(EXAMPLES)) {
  if (name === 'demo' || !existsSync(join(EXAMPLES, name, 'package.json'))) continue;
  if (!RUNS[name] && !OTHERS.has(name))
    counter.fail(name, 'nothing runs it: add it to RUNS in tools/test/src/examples.js');
  checkImports(name);
}
const { env, reason } = await environmentOf('auto');
for (const [name, run] of Object.entries(RUNS)) {
  if (!env) counter.skip(name, 'adapter', reason);
  else if (run.needsDeno && !existsSync(DENO)) counter.skip(name, 'deno', 'the package deno is not installed');
  else await check(name, run, join(folder, run.leaves), env);
}
if (CHROMIUM) {
  await checkPage(counter);
  await checkVolunteer(counter);
} else counter.skip('browser', 'chromium', 'none is installed; PARIS_CHROMIUM names one that is elsewhere');
rmSync(folder, { recursive: true, force: true });
counter.end();

/** @param {string} name @param {Run} run @param {string} leaves @param {NodeJS.ProcessEnv} env */
async function check(name, { command, says }, leaves, env) {
  const { code, output, quietMs } = await runProgram(command, { cwd: join(EXAMPLES, name), env, limitMs: 400_000 });
  const size = statSync(leaves, { throwIfNoEntry: false })?.size ?? 0;
  if (code !== 0) counter.fail(name, `ended with ${code}\n${output}`);
  else if (size < 100) counter.fail(name, `left ${leaves} with ${size} bytes\n${output}`);
  else if (says && !says.test(output)) counter.fail(name, `does not say ${says}\n${output}`);
  else if (quietMs > LINGER_MS) counter.fail(name, `lived ${quietMs} ms longer than its work`);
  else counter.pass(`${name} ran, and ended ${Math.round(quietMs)} ms after its work`);
}

/** What an example imports is Node's, its own, or declared in its package.json and exported by that package. */
function checkImports(/** @type {string} */ name) {
  const { dependencies = {}, devDependencies = {} } = JSON.parse(
    readFileSync(join(EXAMPLES, name, 'package.json'), 'utf8'),
  );
  const src = join(EXAMPLES, name, 'src');
  const inner = existsSync(src) ? readdirSync(src, { recursive: true, encoding: 'utf8' }) : [];
  const files = [...readdirSync(join(EXAMPLES, name)), ...inner.map((file) => join('src', file))].flatMap((file) =>
    /(?<!\.test)\.[jt]s$/.test(file) ? [join(name, file)] : [],
  );
  for (const file of files) {
    const text = readFileSync(join(EXAMPLES, file), 'utf8');
    for (const [, from = ''] of text.matchAll(/^(?:import|export) (?:[^'"=(]* from )?'([^']+)'/gm)) {
      if (/^(?:node:|\.\.?\/)/.test(from)) continue;
      const [, owner = '', entry = ''] = /^((?:@[^/]+\/)?[^/]+)(.*)$/.exec(from) ?? [];
      if (!(owner in dependencies || owner in devDependencies)) {
        counter.fail(name, `${file} imports ${from}, which package.json does not declare`);
        continue;
      }
      const { exports } = JSON.parse(readFileSync(join(ROOT, 'node_modules', owner, 'package.json'), 'utf8'));
      if (exports && !(`.${entry}` in exports)) counter.fail(name, `${file} imports ${from}, which is not exported`);
    }
  }
  counter.pass();
}

/** The permissions that the Deno example asks for itself, but for where it writes. */
function readPermissions(/** @type {string} */ file) {
  const { scripts } = JSON.parse(readFileSync(file, 'utf8'));
  return scripts.start.split(' ').filter((/** @type {string} */ word) => /^--allow-(?!write)/.test(word));
}
