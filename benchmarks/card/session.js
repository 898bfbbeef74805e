#!/usr/bin/env node
// One session on a machine with a GPU: every part in a process of its own, so that neither a crash of a driver nor the end of the
// time costs what was found before.
//   node session.js --out FOLDER [--minutes 9] [--adapter gpu] [--only sizes,tune] [--plan] [--tiny]
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { planOf, planText } from './plan.js';

const { values: options } = parseArgs({
  options: {
    out: { type: 'string', default: 'card-results' },
    minutes: { type: 'string', default: '9' },
    adapter: { type: 'string', default: 'gpu' },
    only: { type: 'string' },
    data: { type: 'string', default: fileURLToPath(new URL('../data', import.meta.url)) },
    suites: { type: 'string', default: fileURLToPath(new URL('../suites.js', import.meta.url)) },
    plan: { type: 'boolean', default: false },
    tiny: { type: 'boolean', default: false },
  },
});
const minutes = Number(options.minutes);
if (!(minutes > 0)) fail(`--minutes takes a number above 0, got ${options.minutes}.`);
const began = performance.now();
const secondsLeft = () => 60 * minutes - (performance.now() - began) / 1000;
const out = resolve(options.out);
mkdirSync(out, { recursive: true });

const first = await part({ name: 'adapter', share: 1 }, 0);
if (first.state !== 'done') {
  fail(`there is no adapter ${options.adapter}, or it does not work. See ${join(out, '00-adapter.log')}.`);
}
const { adapter, flopsPerSecond } = JSON.parse(readFileSync(join(out, '00-adapter.json'), 'utf8'));
const plan = planOf(flopsPerSecond);
const names = options.only?.split(',') ?? plan.map(({ name }) => name);
const unknown = names.find((name) => !plan.some((each) => each.name === name));
if (unknown !== undefined) fail(`there is no part ${unknown}. There are ${plan.map(({ name }) => name).join(', ')}.`);
console.log(`${adapter}, ${(flopsPerSecond / 1e12).toPrecision(3)} TFLOP/s in a product of f32\n`);
console.log(
  `${planText(
    plan.filter(({ name }) => names.includes(name)),
    minutes,
  )}\n`,
);
if (options.tiny)
  console.log('With --tiny these are rehearsed with tiny networks: seconds each, whatever stands above.\n');
if (options.plan) process.exit(0);

const ended = [first];
for (const [i, each] of plan.entries()) {
  if (!names.includes(each.name)) continue;
  ended.push(secondsLeft() < 5 ? { name: each.name, state: 'no time left', seconds: 0 } : await part(each, i + 1));
  const { name, state, seconds } = ended.at(-1);
  console.log(`${name}: ${state}, ${seconds.toFixed(1)} s (${Math.max(0, secondsLeft()).toFixed(0)} s left)`);
  writeFileSync(
    join(out, 'summary.json'),
    `${JSON.stringify({ adapter, flopsPerSecond, minutes, parts: ended }, null, 1)}\n`,
  );
}
// What was cut short is no failure; what ended by itself in another way is one.
process.exit(ended.every(({ state }) => !state.startsWith('failed')) ? 0 : 1);

/** Runs one part: NN-name.json is what it found, NN-name.log what it said. */
async function part({ name, share }, number) {
  const file = join(out, `${String(number).padStart(2, '0')}-${name}`);
  const seconds = Math.max(1, share * secondsLeft());
  const start = performance.now();
  const args = [
    ...[fileURLToPath(new URL('stage.js', import.meta.url)), name, '--file', `${file}.json`, '--out', out],
    ...['--adapter', options.adapter, '--seconds', String(seconds), '--data', options.data, '--suites', options.suites],
    ...(options.tiny ? ['--tiny'] : []),
  ];
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: environmentOf(name),
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text) => {
      said += text;
      writeFileSync(`${file}.log`, said);
    });
  }
  let isLate = false;
  // A part ends by itself a little before; this is for one that hangs.
  const timer = setTimeout(() => {
    isLate = true;
    killGroup(child.pid);
  }, 1000 * seconds);
  const [code, signal] = await new Promise((resolve) => {
    child.once('error', () => resolve([1, null]));
    child.once('close', (...how) => resolve(how));
  });
  clearTimeout(timer);
  const state = isLate || code === 3 ? 'cut short' : code === 0 ? 'done' : `failed (${signal ?? code})`;
  return { name, state, seconds: (performance.now() - start) / 1000 };
}

/** A first step is cold where no driver has kept a shader; the next process finds what this one kept. */
function environmentOf(name) {
  if (!name.startsWith('first-')) return process.env;
  const cache = join(out, '.shaders');
  mkdirSync(cache, { recursive: true });
  return { ...process.env, __GL_SHADER_DISK_CACHE_PATH: cache, MESA_SHADER_CACHE_DIR: cache, XDG_CACHE_HOME: cache };
}

/** A part may have processes of its own. */
function killGroup(pid) {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

function fail(message) {
  console.error(`[card] ${message}`);
  process.exit(2);
}
