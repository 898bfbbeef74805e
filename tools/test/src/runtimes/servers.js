// One server under Node, Deno and Bun: each answers the same, and on the CPU device with the same bytes. PARIS_BUN names a Bun.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Counter } from '../counter.js';
import { ROOT } from '../markdown.js';
import { environmentOf, runProgram } from '../programs.js';

const SERVED = fileURLToPath(new URL('served.js', import.meta.url));
const DENO = join(ROOT, 'node_modules', '.bin', 'deno');
const { PARIS_BUN: BUN } = process.env;

const counter = new Counter();
const { env, reason } = await environmentOf('cpu');
if (env) await checkAll(env);
else counter.skip('servers', 'adapter', reason);
counter.end();

/** @param {NodeJS.ProcessEnv} env */
async function checkAll(env) {
  const expected = await check('Node', [process.execPath, SERVED], env);
  const permissions = ['--allow-read', '--allow-net=127.0.0.1', '--allow-env'];
  if (existsSync(DENO)) await check('Deno', [DENO, 'run', '--no-prompt', ...permissions, SERVED], env, expected);
  else counter.skip('Deno', 'deno', 'the package deno is not installed');
  if (BUN) await check('Bun', [BUN, SERVED], env, expected);
  else counter.skip('Bun', 'bun', 'PARIS_BUN names none');
}

/**
 * @param {string} name @param {string[]} command @param {NodeJS.ProcessEnv} env @param {string} [expected] what another answered
 * @returns {Promise<string | undefined>} what it answered
 */
async function check(name, command, env, expected) {
  const { code, output } = await runProgram(command, { env: { ...env, NO_COLOR: '1' } });
  const line = output.split('\n').find((text) => text.startsWith('{'));
  const { page, statuses, events, left, steps } = JSON.parse(line ?? '{}');
  const answers = JSON.stringify([page, statuses, events, left, steps]);
  const wanted = JSON.stringify([
    true,
    [200, 200, 400, 401],
    ['image_generation.partial_image', 'image_generation.partial_image', 'image_generation.completed'],
    'left',
    true,
  ]);
  if (code !== 0) counter.fail(name, `ended with ${code}\n${output}`);
  else if (answers !== wanted) counter.fail(name, `answered ${answers}, not ${wanted}`);
  else if (expected && line !== expected)
    counter.fail(name, `drew another picture than Node: ${line}, not ${expected}`);
  else counter.pass(`${name} serves`);
  return line;
}
