// Runs one part of the tests and counts what it did. Plain JavaScript: it runs before anything is built.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/**
 * @typedef {object} Part
 * @property {string} name
 * @property {string[]} [command] passes if it exits with 0; its output is shown if not. One that counts for itself
 *   (counter.js) is counted as it says
 * @property {string[]} [lacks] capabilities that the command never has, whatever PARIS_REQUIRE says
 * @property {Suite} [suite] vitest, on one adapter
 *
 * @typedef {object} Suite
 * @property {'auto' | 'gpu' | 'cpu' | 'lavapipe' | 'swiftshader'} adapter `auto`: the best there is
 * @property {string[]} paths all tests if empty
 * @property {string[]} [except] files among them that are left out
 * @property {string[]} [lacks] capabilities that this adapter never has, whatever PARIS_REQUIRE says
 *
 * @typedef {{ name: string, reason: string }} Skip
 * @typedef {{ passed: number, failed: number, failures: string[], skips: Skip[] }} Counts
 * @typedef {Counts & { adapter?: string }} SuiteCounts
 * @typedef {Counts & { name: string, seconds: number }} PartResult
 */

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const REPORTER = fileURLToPath(new URL('./reporter.js', import.meta.url));
/** @type {Counts} */
const NOTHING = { passed: 0, failed: 0, failures: [], skips: [] };
/** @type {Set<string>} */
const wholeSuiteRanOn = new Set();
/** What Dawn prints of every software adapter, twice a process. */
const DAWN_NOTICE = /^Warning: maxDynamic\w+PerPipelineLayout artificially reduced/;
const BIN = join(ROOT, 'node_modules', '.bin');

/** As many parts at once as there are processors, but at least two: most of one waits. @param {readonly Part[]} parts */
export async function runParts(parts) {
  /** @type {PartResult[]} */
  const results = [];
  const left = [...parts.entries()];
  const runNext = async () => {
    for (let next = left.shift(); next; next = left.shift()) results[next[0]] = await runPart(next[1]);
  };
  await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, runNext));
  return results;
}

/** @param {Part} part @returns {Promise<PartResult>} */
async function runPart(part) {
  console.log(`\n── ${part.name}`);
  const started = performance.now();
  const counts = part.suite ? await runSuite(part.suite) : await runCommand(part);
  const seconds = (performance.now() - started) / 1000;
  console.log(`── ${part.name}: ${counts.failed > 0 ? 'failed' : 'ok'}, ${seconds.toFixed(1)} s`);
  return { name: part.name, seconds, ...counts };
}

/**
 * The end of the output: times by part, skips with reasons, what failed, and the counts alone in the last line.
 * @param {PartResult[]} results @param {number} seconds that all took, some of them at the same time
 */
export function summary(results, seconds) {
  const sum = (/** @type {(one: PartResult) => number} */ of) => results.reduce((total, one) => total + of(one), 0);
  const width = Math.max(...results.map((one) => one.name.length), 'total'.length);
  const row = (/** @type {string[]} */ [name = '', ...cells]) =>
    `${name.padEnd(width)} ${cells.map((cell) => cell.padStart(9)).join('')}`;
  const counted = (/** @type {PartResult} */ { name, seconds: took, passed, failed, skips }) =>
    row([name, `${took.toFixed(1)} s`, String(passed), String(failed), String(skips.length)]);
  const skips = results.flatMap((one) => one.skips.map((skip) => `  ${one.name}: ${skip.name}: ${skip.reason}`));
  const failures = results.flatMap((one) => one.failures.map((failure) => `  ${one.name}: ${failure}`));
  const passed = sum((one) => one.passed);
  const failed = sum((one) => one.failed);
  const lines = [
    '',
    row(['part', 'time', 'passed', 'failed', 'skipped']),
    ...results.map(counted),
    row(['total', `${seconds.toFixed(1)} s`]),
    ...(skips.length > 0 ? ['', 'Skipped:', ...skips] : []),
    ...(failures.length > 0 ? ['', 'Failed:', ...failures] : []),
    '',
    `${passed} passed, ${failed} failed, ${skips.length} skipped`,
  ];
  return { text: lines.join('\n'), failed };
}

/** @param {Part} part @returns {Promise<Counts>} */
async function runCommand({ command = [], lacks }) {
  return withCounts(async (file) => {
    const env = { PARIS_TEST_COUNTS: file, PARIS_REQUIRE: requiredBut(lacks).join(',') };
    const { code, output } = await run(command, { capture: true, env });
    const counts = await readCounts(file);
    if (code !== 0) process.stdout.write(output);
    if (counts && (code === 0 || counts.failed > 0)) return counts;
    if (code === 0) return { ...NOTHING, passed: 1 };
    return { ...NOTHING, failed: 1, failures: [`${command.join(' ')} ended with ${code}`] };
  });
}

/** What PARIS_REQUIRE names, but for what cannot be. @param {string[]} [lacks] */
function requiredBut(lacks = []) {
  return (process.env.PARIS_REQUIRE ?? '').split(',').filter((name) => name && !lacks.includes(name));
}

/** Gives a process a file to write its counts into. @template T @param {(file: string) => Promise<T>} body */
async function withCounts(body) {
  const folder = await mkdtemp(join(tmpdir(), 'paris-test-'));
  try {
    return await body(join(folder, 'counts.json'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What a process counted, if it did. @returns {Promise<SuiteCounts | undefined>} */
function readCounts(/** @type {string} */ file) {
  return readFile(file, 'utf8').then(JSON.parse, () => undefined);
}

/** @param {Suite} suite @returns {Promise<Counts>} */
async function runSuite({ adapter, paths, except = [], lacks = [] }) {
  if (wholeSuiteRanOn.has(adapter)) {
    console.log(`every test ran on ${adapter} already`);
    return NOTHING;
  }
  const required = requiredBut(lacks);
  const missing = await whyMissing(adapter);
  if (missing) {
    if (required.includes(adapter)) return { ...NOTHING, failed: 1, failures: [`no ${adapter}: ${missing}`] };
    return { ...NOTHING, skips: [{ name: adapter, reason: missing }] };
  }
  return withCounts(async (file) => {
    const command = [
      'vitest',
      'run',
      '--reporter=default',
      `--reporter=${REPORTER}`,
      ...paths,
      ...except.map((file) => `--exclude=${file}`),
    ];
    const env = { PARIS_ADAPTER: adapter, PARIS_TEST_COUNTS: file, PARIS_REQUIRE: required.join(',') };
    const { code } = await run(command, { env });
    const counts = (await readCounts(file)) ?? /** @type {SuiteCounts} */ (NOTHING);
    if (paths.length === 0 && counts.adapter) wholeSuiteRanOn.add(counts.adapter);
    if (code === 0 || counts.failed > 0) return counts;
    return { ...counts, failed: 1, failures: [`vitest ended with ${code}, see above`] };
  });
}

/** Why there is no adapter of that name, or undefined. Asks the built launcher, as a user's program would. */
async function whyMissing(/** @type {Suite['adapter']} */ adapter) {
  if (adapter === 'auto') return undefined;
  const launcher = join(ROOT, 'packages', 'tensor', 'dist', 'node', 'index.js');
  const { chooseAdapter } = await import(launcher).catch(() => ({ chooseAdapter: undefined }));
  return chooseAdapter?.({ adapter }).then(
    () => undefined,
    (/** @type {Error} */ error) => error.message,
  );
}

/**
 * @param {string[]} command
 * @param {{ capture?: boolean, env?: Record<string, string> }} options
 * @returns {Promise<{ code: number | string, output: string }>}
 */
function run([program = '', ...args], { capture = false, env = {} }) {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: ROOT,
      env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', PATH: `${BIN}${delimiter}${process.env.PATH}`, ...env },
      stdio: ['ignore', capture ? 'pipe' : 'inherit', 'pipe'],
    });
    let output = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk) => {
      output += chunk;
    });
    createInterface(child.stderr).on('line', (line) => {
      if (DAWN_NOTICE.test(line)) return;
      if (capture) output += `${line}\n`;
      else console.error(line);
    });
    child.once('error', (error) => resolve({ code: error.message, output }));
    child.once('close', (code, signal) => resolve({ code: code ?? String(signal), output }));
  });
}
