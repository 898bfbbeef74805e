// The page of examples/volunteer in a real Chromium, in front of its own server: a job is opened, agreed to, trained, paused, interrupted
// by a reload, and handed in; what arrives is what Node trains from the same file, byte for byte. And what the server refuses.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryStore } from '@paris/files';
import { openDevice } from '@paris/tensor';
import { acceptResult, assemble, createKeys, openJob, openResult, trainJob, verifyRun } from '@paris/trainer';
import { volunteerHandler } from '../../../examples/volunteer/src/server/handler.js';
import { onPage, WEBGPU } from './browser.js';
import { ROOT } from './markdown.js';
import { toyJob } from './toy-job.js';
import { opensWithoutFiles, refusesJobs, runsOutOfSpace, trainsOnWebGpu, volunteers } from './visits/volunteer.js';

/** A name that is no secure context, unlike localhost. */
const INSECURE = ['--host-resolver-rules=MAP volunteer.test 127.0.0.1'];
/** What a page asks for and is refused is reported by the browser as well; and, without https, what it ignores. */
const REPORTED = /status of 4\d\d|origin was untrustworthy/;
const MOST_BYTES = 8_000_000;

/** @param {import('./counter.js').Counter} counter */
export async function checkVolunteer(counter) {
  const folder = mkdtempSync(join(tmpdir(), 'paris-volunteer-'));
  const [jobs, results] = [join(folder, 'jobs'), join(folder, 'results')];
  const { server, origin, given } = await serve(jobs, results);
  /** @param {string} name @param {string[]} flags @param {(page: import('playwright-core').Page) => Promise<string[]>} check @param {string} [at] */
  const visit = async (name, flags, check, at = origin) => {
    const wrong = await onPage({ flags, origin: at, ignored: REPORTED, timeout: 300_000 }, check);
    if (wrong.length === 0) counter.pass(`${name} does what it should`);
    else counter.fail(name, wrong.join('\n'));
  };
  try {
    await visit('the page of a job that is refused', [], (page) => refusesJobs(page, given.publicKey));
    await visit('the page of a volunteer', [], (page) => volunteers(page, given));
    await checkResult(counter, given, results);
    await checkServer(counter, given, { origin, results, jobs });
    checkOptions(counter);
    await visit('the page of a volunteer with WebGPU', WEBGPU, trainsOnWebGpu);
    await visit('the page of a volunteer whose browser is full', [], runsOutOfSpace);
    const insecure = origin.replace('127.0.0.1', 'volunteer.test');
    await visit('the page of a volunteer without https', INSECURE, opensWithoutFiles, insecure);
  } catch (error) {
    counter.fail('the page of a volunteer', error instanceof Error ? (error.stack ?? error.message) : String(error));
  } finally {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Jobs, one of them forged, and the example's server in front of them. @param {string} jobs @param {string} results */
async function serve(jobs, results) {
  mkdirSync(jobs);
  const keys = await createKeys();
  const { job, data } = await toyJob({ ...keys, steps: 240, maxHours: 2 });
  const short = await toyJob({ ...keys, steps: 12, proveEvery: 5 });
  const forged = job.slice();
  forged[forged.length - 2000] = /** @type {number} */ (forged.at(-2000)) ^ 1;
  for (const [name, bytes] of Object.entries({ job, short: short.job, forged })) {
    writeFileSync(join(jobs, `${name}.paris`), bytes);
  }
  const page = join(ROOT, 'examples', 'volunteer', 'dist');
  const server = createServer(volunteerHandler({ page, jobs, results, mostBytes: MOST_BYTES, mostResults: 4 }));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return { server, origin: `http://127.0.0.1:${port}/`, given: { ...keys, job, data, steps: 240 } };
}

/**
 * What was handed in: signed, sound, the bytes of Node, taken by `assemble`, and true.
 * @param {import('./counter.js').Counter} counter @param {{ job: Uint8Array, data: import('@paris/files').FileStore }} given @param {string} results
 */
async function checkResult(counter, { job, data }, results) {
  const kept = readdirSync(results);
  if (kept.length !== 1) throw new Error(`${kept.length} results are kept: ${kept}`);
  const opened = await openResult(readFileSync(join(results, kept[0] ?? '')));
  const device = await openDevice({ require: 'cpu' });
  try {
    const runs = memoryStore();
    await trainJob(await openJob(job), { device, runs });
    const weights = 'model.safetensors';
    const same = Buffer.compare(await opened.run.read(weights), await runs.read(`expert-00/${weights}`)) === 0;
    if (same) counter.pass('what a volunteer hands in has the bytes of Node on the CPU device');
    else counter.fail('the weights of a volunteer', 'are not those that Node trains');
    const expected = (await openJob(job)).job.identity;
    const { odds, segments, checked } = await verifyRun({ device, run: opened.run, data, expected });
    const exact = checked.every(({ exact, drift }) => exact && drift === 0);
    if (odds === 1 && exact && checked.length === segments)
      counter.pass(`and verifies bit for bit, in ${segments} segments`);
    else counter.fail('verify', `odds of ${odds}; ${JSON.stringify(checked)}`);
    const [taken, out] = [memoryStore(), memoryStore()];
    await acceptResult(opened, taken);
    const { clusters } = await assemble({ runs: taken, out, data });
    if (clusters === 1 && (await out.exists('experts/00/model.safetensors'))) counter.pass('and is assembled');
    else counter.fail('assemble', `makes a model of ${clusters} experts`);
  } finally {
    await device.close();
  }
}

/**
 * What strangers may send: nothing is kept of what is refused.
 * @param {import('./counter.js').Counter} counter @param {{ job: Uint8Array }} given
 * @param {{ origin: string, results: string, jobs: string }} where
 */
async function checkServer(counter, { job }, { origin, results }) {
  const before = readdirSync(results);
  const result = readFileSync(join(results, before[0] ?? ''));
  const changed = Uint8Array.from(result);
  changed[changed.length - 3000] = /** @type {number} */ (changed.at(-3000)) ^ 1;
  const post = (/** @type {Uint8Array} */ body, /** @type {Record<string, string>} */ headers = {}) =>
    fetch(new URL('results', origin), { method: 'POST', body: Buffer.from(body), headers });
  for (const [name, answer, status, sentence] of /** @type {const} */ ([
    ['a changed result', () => post(changed), 422, /signature is not that of these bytes/],
    ['a job', () => post(job), 422, /It is a job, and no result/],
    ['nothing', () => post(new Uint8Array(0)), 422, /It is no bundle/],
    ['too much', () => post(new Uint8Array(MOST_BYTES + 1)), 413, /may have 8000000 bytes/],
    ['another site', () => post(result, { origin: 'https://example.org' }), 403, /from the page of this server only/],
    ['what was sent before', () => post(result), 201, /is here already/],
    ['reading results', () => fetch(new URL('results', origin)), 405, /with POST/],
    ['a way out', () => fetch(new URL('jobs/..%2Fresults', origin)), 404, /nothing of this name/],
    ['a name that is none', () => fetch(new URL('constructor', origin)), 404, /nothing of this name/],
  ])) {
    const response = await answer();
    const said = await response.text();
    if (response.status === status && sentence.test(said)) counter.pass();
    else counter.fail(`the volunteers' server, ${name}`, `answers ${response.status}: ${said}`);
  }
  if (readdirSync(results).join() === before.join())
    counter.pass("the volunteers' server keeps nothing that it refuses");
  else counter.fail("the volunteers' server", `keeps ${readdirSync(results)}`);
}

/**
 * Numbers that are none end the server before it listens: no limit is lost to a typing error.
 * @param {import('./counter.js').Counter} counter
 */
function checkOptions(counter) {
  const program = join(ROOT, 'examples', 'volunteer', 'serve.js');
  for (const [option, value] of /** @type {const} */ ([
    ['--most-bytes', '1MB'],
    ['--most-bytes', '0'],
    ['--most-bytes', ''],
    ['--port', '80a'],
    ['--port', '65536'],
  ])) {
    const { status, stderr } = spawnSync(process.execPath, [program, option, value], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    const said = stderr.trim();
    if (status === 1 && said.startsWith(`${option} ${value} is no whole number from `)) counter.pass();
    else counter.fail(`serve.js ${option} ${value}`, `ends with ${status}: ${said}`);
  }
}
