// Every suite of the tests, as pack.js bundled them: each outcome is a line of suites.jsonl as it comes.
import { appendFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

export async function run({ suites, adapter, out, note, secondsLeft, tiny }) {
  if (!existsSync(suites)) throw new Error(`there is no ${suites}. pack.js makes it.`);
  if (adapter !== 'cpu') await provideWebGpu();
  await import(pathToFileURL(suites).href);
  const counts = { passed: 0, failed: 0, skipped: 0, compared: 0 };
  const failed = [];
  let isLate = false;
  const done = globalThis.runEverything({
    brief: tiny,
    require: adapter === 'cpu' ? 'cpu' : 'webgpu',
    report(outcome) {
      appendFileSync(join(out, 'suites.jsonl'), `${JSON.stringify(outcome)}\n`);
      counts[outcome.state]++;
      counts.compared += outcome.compared;
      if (outcome.state === 'failed') failed.push(outcome);
      note({ counts, failed });
    },
  });
  const late = new Promise((resolve) => {
    setTimeout(
      () => {
        isLate = true;
        resolve();
      },
      Math.max(1, 1000 * secondsLeft()),
    );
  });
  await Promise.race([done, late]);
  if (failed.length > 0) throw new Error(`${failed.length} cases failed: see failed`);
  return !isLate;
}

/** Suites find WebGPU where browsers have it. */
async function provideWebGpu() {
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  const gpu = create(['enable-dawn-features=allow_unsafe_apis,vulkan_enable_f16_on_nvidia,use_vulkan_memory_model']);
  globalThis.keptGpu = gpu; // Dawn crashes once it is collected
  Object.defineProperty(globalThis, 'navigator', { value: { gpu, userAgent: 'Node' }, configurable: true });
}
