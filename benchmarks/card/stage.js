// One part of a session, in a process of its own: node stage.js NAME --file NN-name.json …, as session.js starts it. What a part finds
// is written after each item, so that the file holds it whenever the process ends. Exit code 3: the time was up.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openDevice, parseTuningTable } from '@paris/tensor';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    file: { type: 'string' },
    out: { type: 'string' },
    adapter: { type: 'string' },
    seconds: { type: 'string' },
    data: { type: 'string' },
    suites: { type: 'string' },
    tiny: { type: 'boolean', default: false },
  },
});
/** By name: the module, and what is set for it. */
const parts = {
  adapter: ['adapter'],
  'self-test': ['self-test'],
  sizes: ['sizes'],
  tune: ['tune'],
  'sizes-tuned': ['sizes', { tuned: true }],
  training: ['training', { tuned: true }],
  'first-cold': ['first-step'],
  'first-warm': ['first-step'],
  suites: ['suites'],
  peers: ['peers'],
  weights: ['weights', { tuned: true }],
};
const [module, settings = {}] = parts[positionals[0]];
const ends = performance.now() + 1000 * Number(options.seconds) - 2000;
const found = {};
const TUNING = join(options.out, 'tuning.json');

/** What a part is given. */
const context = {
  ...settings,
  ...{ out: options.out, adapter: options.adapter, data: options.data, suites: options.suites, tiny: options.tiny },
  tuningFile: TUNING,
  /** Seconds until the part should end. */
  secondsLeft: () => (ends - performance.now()) / 1000,
  /** Adds to what was found. */
  note(values) {
    Object.assign(found, values);
    writeFileSync(`${options.file}.part`, `${JSON.stringify(found, null, 1)}\n`);
    renameSync(`${options.file}.part`, options.file);
  },
  /** The device of the session, with the table that an earlier part wrote if `tuned`. */
  async open() {
    const table = settings.tuned ? readTable() : undefined;
    context.note({ tuned: table !== undefined });
    return openDevice({ require: options.adapter === 'cpu' ? 'cpu' : 'webgpu', ...(table && { tuning: table }) });
  },
};

try {
  const { run } = await import(`./stages/${module}.js`);
  const whole = await run(context);
  context.note({ complete: whole !== false });
  process.exit(whole === false ? 3 : 0);
} catch (error) {
  console.error(error);
  context.note({ complete: false, error: error instanceof Error ? error.message : String(error) });
  process.exit(1);
}

function readTable() {
  try {
    return parseTuningTable(JSON.parse(readFileSync(TUNING, 'utf8')));
  } catch {
    return undefined; // It was not measured.
  }
}
