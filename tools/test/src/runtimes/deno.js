// The tensor library's suites under a real Deno, on the adapter that is named: node deno.js lavapipe|cpu.
import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Counter } from '../counter.js';
import { ROOT } from '../markdown.js';
import { environmentOf } from '../programs.js';
import { bundleSuites } from './bundle.js';
import { count } from './count.js';

const DENO = join(ROOT, 'node_modules', '.bin', 'deno');
const NAMES = { lavapipe: /llvmpipe/i, cpu: /Paris on WebAssembly/ };
const adapter = /** @type {keyof typeof NAMES} */ (process.argv[2] ?? 'lavapipe');
const FOLDER = join(ROOT, '.cache', 'runtimes', `deno-${adapter}`);

const counter = new Counter();
const { env, reason } = await environmentOf(adapter);
if (!env) counter.skip(`Deno on ${adapter}`, 'adapter', reason);
else if (!existsSync(DENO)) counter.skip(`Deno on ${adapter}`, 'deno', 'the package deno is not installed');
else await run(env);
counter.end();

async function run(/** @type {NodeJS.ProcessEnv} */ env) {
  const { suites } = await bundleSuites(join(FOLDER, 'suites.js'));
  writeFileSync(
    join(FOLDER, 'deno.js'),
    `import './suites.js';
const say = (message) => console.log(JSON.stringify(message));
say({ adapter: await runEverything({ brief: false, require: '${adapter === 'cpu' ? 'cpu' : 'webgpu'}', report: say }) });
`,
  );
  // No permissions at all, but for what its own WebGPU needs.
  const child = spawn(
    DENO,
    ['run', '--no-prompt', '--allow-env=PARIS_FUZZ_SEED,PARIS_FUZZ_GRAPHS,PARIS_THOROUGH', join(FOLDER, 'deno.js')],
    {
      // Vitest runs more random graphs on the same adapter; here the runtime is what is new.
      env: { PARIS_FUZZ_GRAPHS: '60', ...env, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  /** @type {string | undefined} */
  let name;
  const { outcome, summary } = count(counter, `Deno on ${adapter}`);
  createInterface(child.stdout).on('line', (line) => {
    const message = line.startsWith('{') ? JSON.parse(line) : undefined;
    if (message?.adapter) name = message.adapter;
    else if (message) outcome(message);
    else console.log(line);
  });
  const code = await new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', resolve);
  });
  if (code !== 0 || !name) counter.fail('Deno', `ended with ${code}`);
  else if (!NAMES[adapter].test(name)) counter.fail('Deno', `ran on ${name}, not on ${adapter}`);
  console.log(`${suites} files on ${name}: ${summary()}`);
}
