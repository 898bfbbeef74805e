// A server under load: `node --expose-gc src/load.js [--clients 200] [--seconds 120]`. Good, bad, slow, leaving and streaming clients
// at once, on the quickstart's model; then the same model sampled directly, in batches of several sizes. Prints one JSON object.
// `paris exec --adapter lavapipe -- node …` runs it on another adapter.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { nodeStore } from '@paris/files/node';
import { loadPipeline } from '@paris/sampler';
import { createServer } from '@paris/serve';
import { listen } from '@paris/serve/node';

const MODEL = fileURLToPath(new URL('../../examples/quickstart/model', import.meta.url));
const CLIENTS = fileURLToPath(new URL('load-clients.js', import.meta.url));
const STEPS = 2;

/**
 * @param {{ clients: number, seconds: number }} options
 * @returns {Promise<Record<string, unknown>>}
 */
export async function load({ clients, seconds }) {
  const open = () => loadPipeline(nodeStore(MODEL));
  const server = createServer({ name: 'load', open, limits: { queue: clients, bodyMs: 1000 } });
  const listening = await listen(server, { port: 0 });
  const weights = { heapMB: /** @type {number[]} */ ([]), rssMB: /** @type {number[]} */ ([]) };
  const weigh = () => {
    globalThis.gc?.();
    const { heapUsed, external, rss } = process.memoryUsage();
    weights.heapMB.push(Math.round((heapUsed + external) / 1e6));
    weights.rssMB.push(Math.round(rss / 1e6));
  };
  const timer = setInterval(weigh, (1000 * seconds) / 20);
  try {
    const [began, before] = [performance.now(), process.cpuUsage()];
    const child = fork(CLIENTS, [listening.url, String(clients), String(seconds)]);
    const [{ heard, times }] = await once(child, 'message', { signal: AbortSignal.timeout(1000 * (seconds + 120)) });
    const elapsed = (performance.now() - began) / 1000;
    const { user, system } = process.cpuUsage(before);
    for (let i = 0; i < 100 && server.state.drawing + server.state.waiting > 0; i++) await wait(100); // whose clients left
    const { pictures } = server.state;
    return {
      clients,
      seconds: Math.round(elapsed),
      ...heard,
      picturesPerSecond: round(pictures / elapsed),
      picturesPerProcessorSecond: round(pictures / ((user + system) / 1e6)),
      p50Ms: quantile(times, 0.5),
      p99Ms: quantile(times, 0.99),
      ...weights,
      state: server.state,
      health: (await fetch(`${listening.url}/health`)).status,
    };
  } finally {
    clearInterval(timer);
    await listening.close();
  }
}

/** Pictures a processor second without a server, by batch size. @param {number} count */
async function direct(count) {
  const pipeline = await loadPipeline(nodeStore(MODEL));
  /** @type {Record<string, { perSecond: number, perProcessorSecond: number }>} */
  const rates = {};
  try {
    for (const batchSize of [1, 2, 4, 8, 16]) {
      const options = { prompts: Array.from({ length: count }, () => 'cat'), steps: STEPS, batchSize };
      await pipeline.generate(options); // compiles
      const [began, before] = [performance.now(), process.cpuUsage()];
      await pipeline.generate(options);
      const { user, system } = process.cpuUsage(before);
      rates[`batch ${batchSize}`] = {
        perSecond: round((1000 * count) / (performance.now() - began)),
        perProcessorSecond: round((1e6 * count) / (user + system)),
      };
    }
    return { adapter: pipeline.device.info.adapter, rates };
  } finally {
    await pipeline.close();
  }
}

/** @param {number[]} times @param {number} share */
function quantile(times, share) {
  const sorted = times.toSorted((a, b) => a - b);
  return Math.round(sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN);
}

/** @param {number} value */
function round(value) {
  return Math.round(10 * value) / 10;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { values } = parseArgs({
    options: { clients: { type: 'string', default: '200' }, seconds: { type: 'string', default: '120' } },
  });
  const served = await load({ clients: Number(values.clients), seconds: Number(values.seconds) });
  console.log(JSON.stringify({ ...served, direct: await direct(128) }));
  process.exit();
}
