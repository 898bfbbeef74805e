// A contender's process: sets a row up, runs one repetition when asked, and answers with the elements asked for. The
// contender's module gives `open()`, which resolves to its version and to the works it knows. A work is set up with its
// inputs and gives `launch(set)`, which queues it and returns what it gave, `read(given)` for the elements by name,
// `release(given)`, and `settle(all)` where a work that nobody reads would not run.
import { counts, gpuErrors } from './counts.js';
import { inputsOf, ROWS } from './rows.js';

/** `webgpu` (Dawn), `cpu` (ours, which openDevice takes by itself) or `wasm` (the peers' own). */
const [, , module, backend] = process.argv;
const { sayWaits } = backend === 'webgpu' ? await import('./gpu.js') : {};
if (backend === 'cpu') await import('./cpu.js');
const { open } = await import(module);
const contender = await open(backend, sayWaits);
let row;
let work;

const answers = {
  hello: () => ({ version: contender.version }),

  async setup({ id }) {
    row = ROWS[id];
    const create = contender.works[row.work];
    if (!create) throw new Error('this work is not written for it');
    work = await create(
      row,
      [0, 1].map((set) => inputsOf(row, row.varies.length > 0 ? set : 0)),
    );
  },

  /** One repetition: `count` works queued, the last one read. */
  async repetition({ set, count, picks }) {
    const before = { ...counts };
    const given = [];
    const cpu = process.cpuUsage();
    const start = performance.now();
    let queuedAt;
    for (let i = 0; i < count; i++) {
      given.push(await work.launch((set + i) % 2));
      queuedAt ??= performance.now();
    }
    await work.settle?.(given);
    const results = await work.read(given.at(-1));
    const ms = (performance.now() - start) / count;
    const used = process.cpuUsage(cpu);
    for (const one of given) await work.release(one);
    const elements = Object.fromEntries(
      Object.entries(picks).map(([name, indices]) => [name, indices.map((i) => results[name][i])]),
    );
    const cost = Object.fromEntries(Object.entries(counts).map(([name, n]) => [name, (n - before[name]) / count]));
    const cpuMs = (used.user + used.system) / 1000 / count;
    if (backend !== 'wasm' && cost.dispatches < 1)
      throw new Error(`it ran ${cost.dispatches * count} dispatches for ${count} works`);
    return { ms, jsMs: queuedAt - start, cpuMs, set: (set + count - 1) % 2, elements, cost };
  },

  async finish() {
    await work?.close?.();
    work = undefined;
  },
};

process.on('message', async ({ ask, ...rest }) => {
  let answer;
  try {
    answer = (await answers[ask](rest)) ?? {};
    if (gpuErrors.length > 0) throw new Error(gpuErrors.splice(0)[0]);
  } catch (error) {
    answer = { error: error instanceof Error ? error.message.split('\n')[0] : String(error) };
  }
  process.send(answer);
});
process.on('disconnect', () => process.exit(0));
process.send({ ready: true });
