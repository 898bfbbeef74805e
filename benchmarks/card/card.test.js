// The session of a card, rehearsed on the CPU device with tiny networks: every part runs, and writes what it found.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { bundleSuites } from '../../tools/test/src/runtimes/bundle.js';
import { planOf, planText } from './plan.js';

const folder = mkdtempSync(join(tmpdir(), 'paris-card-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a program of this folder. */
function run(/** @type {string} */ name, /** @type {string[]} */ args) {
  return new Promise((resolve) => {
    const file = fileURLToPath(new URL(name, import.meta.url));
    execFile(process.execPath, [file, ...args], (error, stdout, stderr) => {
      resolve({ code: error ? error.code : 0, stdout, stderr });
    });
  });
}
const found = (/** @type {string} */ file) => JSON.parse(readFileSync(join(folder, 'out', file), 'utf8'));

/** Those that another one stands for are left out, and the other libraries, which take longest. */
const SAME = ['sizes-tuned', 'first-cold', 'peers'];

it('runs every part of its own, says what each would take, and keeps what was found', async () => {
  const suites = join(folder, 'suites.js');
  await bundleSuites(suites, /ops\/activation\//);
  const names = planOf(1e9).flatMap(({ name }) => (SAME.includes(name) ? [] : [name]));
  const { code, stdout, stderr } = await run('session.js', [
    ...['--out', join(folder, 'out'), '--adapter', 'cpu', '--tiny', '--minutes', '60', '--only', names.join(',')],
    ...['--suites', suites, '--data', join(folder, 'none')],
  ]);
  expect(`${code} ${stderr}`).toBe('0 ');
  expect(stdout).toMatch(/Paris on WebAssembly.*TFLOP\/s/);
  expect(stdout).toMatch(/ s in all, of 3600 s/);
  const { parts } = found('summary.json');
  expect(parts.map((/** @type {any} */ { name, state }) => `${name} ${state}`)).toEqual(
    ['adapter', ...names].map((name) => `${name} done`),
  );
  expect(found('00-adapter.json')).toMatchObject({ complete: true, fingerprint: expect.stringContaining('paris') });
  expect(found('01-self-test.json')).toMatchObject({ ok: true, failed: [] });
  const { formats } = found('02-sizes.json');
  expect(Object.keys(formats)).toEqual(['f32', 'f16', 'q8', 'q4']);
  for (const each of Object.values(formats))
    expect(each).toMatchObject({ finite: true, times: [expect.any(Number), expect.any(Number)] });
  expect(formats.q4.megabytes).toBeLessThan(formats.f16.megabytes);
  expect(found('tuning.json')).toMatchObject({ format: 'paris-tuning' });
  expect(found('05-training.json')).toMatchObject({
    tuned: true,
    complete: true,
    batches: { 1: { ms: expect.any(Number) } },
  });
  expect(found('07-first-warm.json').firstMs).toBeGreaterThan(0);
  const { counts } = found('08-suites.json');
  expect(counts.failed).toBe(0);
  expect(counts.compared).toBeGreaterThan(100);
  const { trainings, losses } = found('10-weights.json');
  expect(trainings.map((/** @type {any} */ { status }) => status)).toEqual(['finished', 'finished', 'finished']);
  expect(losses.top2).toBeGreaterThan(0);
}, 1_800_000);

it('ends a part whose time is up, with what was found until then', async () => {
  const file = join(folder, 'late.json');
  const args = ['sizes', '--file', file, '--out', folder, '--adapter', 'cpu', '--seconds', '1', '--tiny'];
  expect(await run('stage.js', args)).toMatchObject({ code: 3 });
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ complete: false });
});

it('plans in the order of what is worth most, and says what will not fit', async () => {
  const plan = planOf(30e12);
  expect(plan.map(({ name }) => name).slice(0, 3)).toEqual(['self-test', 'sizes', 'tune']);
  expect(planText(plan, 1)).toContain('cut short, the last parts first');
  expect(planText(plan, 600)).not.toContain('cut short');
  const wrong = await run('session.js', ['--minutes', 'nine', '--out', join(folder, 'wrong')]);
  expect(wrong).toMatchObject({ code: 2, stderr: '[card] --minutes takes a number above 0, got nine.\n' });
});
