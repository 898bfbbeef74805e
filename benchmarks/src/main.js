#!/usr/bin/env node
// The benchmark: us and the peers on one adapter, in turns, every result checked before its time counts.
//   npm run bench -- [--only attention] [--adapter lavapipe] [--repeat 7] [--json FILE]
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ADAPTER_CHOICES, chooseAdapter, describeAdapter } from '@paris/tensor/node';
import { contendersOn, start } from './contenders.js';
import { median } from './data.js';
import { ALONE, OURS, PEERS } from './names.js';
import { compare, picksOf, referenceOf } from './reference.js';
import { ROWS } from './rows.js';

/** Repetitions before the timed ones: two at least, and for so long. JavaScript gets faster over a thousand calls. */
const WARM_UP = { repetitions: 2, ms: 3000 };
/** So many repetitions of training steps, four in each but the first, have a loss in fixtures/dit.json. */
const KNOWN = 16;
const MOST_REPETITIONS = KNOWN - WARM_UP.repetitions;

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    adapter: { type: 'string', default: process.env.PARIS_ADAPTER || 'auto' },
    repeat: { type: 'string', default: '7' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (options.help) {
  console.log(`npm run bench -- [options]
  --only TEXT     rows whose name or shape holds the text
  --adapter NAME  ${ADAPTER_CHOICES.join(', ')}
  --repeat N      timed repetitions, 1 to ${MOST_REPETITIONS} (7)
  --json FILE     write the rows to a file`);
  process.exit(0);
}
const repeat = Number(options.repeat);
const rows = ROWS.filter(({ name, shape }) => `${name} ${shape}`.includes(options.only));
if (!(Number.isInteger(repeat) && repeat >= 1 && repeat <= MOST_REPETITIONS)) {
  fail(`--repeat takes a whole number from 1 to ${MOST_REPETITIONS}, got ${options.repeat}.`);
}
if (rows.length === 0) fail(`no row is called like ${options.only}. Leave --only out to see all.`);
// npm runs this in benchmarks/, wherever it was called.
const jsonFile = options.json && resolve(process.env.INIT_CWD ?? '.', options.json);
if (jsonFile) {
  // Before the minutes that it takes, not after them.
  try {
    writeFileSync(jsonFile, '', { flag: 'a' });
  } catch (error) {
    fail(`--json names a file that cannot be written: ${error.message}.`);
  }
}

const adapter = await chooseAdapter({ adapter: options.adapter });
console.log(describeAdapter(adapter));
// Drivers and @paris/cpu keep compiled shaders on disk. Here everyone starts without any: the first call of a row is a cold one.
const caches = mkdtempSync(join(tmpdir(), 'paris-bench-'));
process.on('exit', () => rmSync(caches, { recursive: true, force: true }));

const taking = await contendersOn(adapter);
const contenders = [];
for (const one of taking) contenders.push(await start(one, caches));
const versions = Object.fromEntries(
  contenders.filter(({ name }) => [OURS, ...PEERS].includes(name)).map(({ name, version }) => [name, version]),
);
console.log(
  `${contenders.map(({ name, version, error }) => (error ? `${name}: ${error}` : version)).join(', ')}, Node ${process.version}`,
);
console.log(`medians of ${repeat}, in turns; ms a work: warm (cold, JavaScript, processor)\n`);

const results = [];
for (const row of rows) {
  const result = resultOf(row, row.fresh ? await measureFresh(row) : await measure(row, contenders));
  results.push(result);
  console.log(lineOf(result));
}
if (jsonFile) writeFileSync(jsonFile, `${JSON.stringify(results, null, 1)}\n`);
// A result of ours that is wrong is a failure; a peer's is its own affair.
process.exit(results.every(({ verified }) => verified.includes(OURS)) ? 0 : 1);

/** What nothing has prepared: one repetition in new processes, as often as asked. */
async function measureFresh(row) {
  const all = [];
  for (let i = 0; i < Math.min(repeat, 3); i++) {
    for (const one of taking.filter(({ only }) => only?.(row) ?? true)) {
      const contender = await start(one, mkdtempSync(join(caches, 'fresh-')));
      const [lane] = await measure(row, [contender], 1);
      contender.stop();
      const known = all.find(({ contender: { name } }) => name === one.name);
      if (known) known.timed.push(...lane.timed);
      else all.push(lane);
    }
  }
  return all;
}

/** @param most - repetitions in all; without it, those of the warm-up and `repeat` */
async function measure(row, contenders, most) {
  const expected = referenceOf(row);
  const taking = contenders.filter(({ takes }) => takes(row));
  const lanes = taking.map((contender) => ({ contender, cold: undefined, timed: [], error: contender.error }));
  for (const lane of lanes) lane.error ??= (await lane.contender.ask('setup', { id: row.id })).error;
  let begun = 0;
  for (let i = 0, timed = 0; timed < (most ?? repeat); i++) {
    // The first one compiles: what it takes warms nothing else.
    if (i === 1) begun = performance.now();
    const known = i >= KNOWN - repeat;
    const isWarm = most || (i >= WARM_UP.repetitions && (performance.now() - begun > WARM_UP.ms || known));
    if (isWarm) timed++;
    // Nobody is always the first.
    for (const lane of [...lanes.slice(i % lanes.length), ...lanes.slice(0, i % lanes.length)]) {
      if (lane.error) continue;
      // What the first call costs shows only if it is one call.
      const count = i === 0 ? 1 : row.count;
      const picks = picksOf(expected(0, i));
      const sample = await lane.contender.ask('repetition', { set: i % 2, count, picks });
      try {
        if (sample.error) throw new Error(sample.error);
        compare(expected(sample.set, i * count), picks, sample.elements, row.tolerance);
        lane.cold ??= sample.ms;
        if (isWarm) lane.timed.push(sample);
      } catch (error) {
        lane.error = error.message;
      }
    }
  }
  for (const lane of lanes) if (!lane.contender.error) await lane.contender.ask('finish');
  return lanes;
}

function resultOf(row, lanes) {
  const right = lanes.filter(({ error }) => !error);
  const by = (of) => Object.fromEntries(right.map((lane) => [lane.contender.name, of(lane)]));
  const warm = by(({ timed }) => median(timed.map(({ ms }) => ms)));
  const { [OURS]: ours, ...rest } = warm;
  const [peers, others] = [true, false].map((isPeer) =>
    Object.fromEntries(Object.entries(rest).filter(([name]) => PEERS.includes(name) === isPeer)),
  );
  return {
    ...{ work: row.name, shape: row.shape, dtype: row.dtype, ours_ms: ours ?? null, peers, others },
    verified: right.map(({ contender }) => contender.name),
    ...{ adapter: adapter.adapter?.description || adapter.kind, versions, flop: row.flop },
    cold_ms: by(({ cold }) => cold),
    cpu_ms: by(({ timed }) => median(timed.map(({ cpuMs }) => cpuMs))),
    js_ms: by(({ timed }) => median(timed.map(({ jsMs }) => jsMs))),
    counts: by(({ timed }) => timed.at(-1).cost),
    errors: Object.fromEntries(lanes.flatMap(({ contender, error }) => (error ? [[contender.name, error]] : []))),
  };
}

function lineOf({ work, shape, ours_ms: ours, peers, others, flop, cold_ms: cold, js_ms: js, cpu_ms: cpu, errors }) {
  const times = ([name, ms]) =>
    `${name} ${digits(ms)} (${digits(cold[name])}, ${digits(js[name])}, ${digits(cpu[name])})`;
  const best = Math.min(...Object.values(peers));
  const speed = ours && flop ? `, ${digits(flop / ours / 1e6)} GFLOP/s` : '';
  const ratio = !ours ? 'not verified' : Number.isFinite(best) ? `${digits(best / ours)}× the best peer` : 'no peer';
  const bestCpu = Math.min(...Object.keys(peers).map((name) => cpu[name]));
  const each = Number.isFinite(bestCpu) && cpu[ALONE] ? `, ${digits(bestCpu / cpu[ALONE])}× a processor-second` : '';
  const everyone = [...(ours ? [[OURS, ours]] : []), ...Object.entries(others), ...Object.entries(peers)];
  return [
    `${work}, ${shape}: ${ratio}${each}${speed}`,
    `    ${everyone.map(times).join(' · ')}`,
    ...Object.entries(errors).map(([name, error]) => `    ${name}: ${error}`),
  ].join('\n');
}

/** Three digits. */
function digits(x) {
  return x >= 100 ? x.toFixed(0) : Number(x.toPrecision(3)).toString();
}

function fail(message) {
  console.error(`[bench] ${message}`);
  process.exit(2);
}
