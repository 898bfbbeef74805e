// Which adapter it is, and how fast a product is there: what the estimates follow from.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { hostUniform, key } from '@paris/tensor';
import { median } from '../../src/data.js';

export async function run({ open, note, tiny }) {
  const device = await open();
  const { gpu, info } = device;
  const limits = {};
  for (const name in gpu.limits) if (typeof gpu.limits[name] === 'number') limits[name] = gpu.limits[name];
  const driver = await promisify(execFile)('nvidia-smi', [
    '--query-gpu=name,driver_version,memory.total',
    '--format=csv,noheader',
  ])
    .then(({ stdout }) => stdout.trim())
    .catch(() => null);
  note({
    adapter: info.adapter,
    fingerprint: info.fingerprint,
    features: [...gpu.features].sort(),
    limits,
    driver,
    node: process.version,
  });
  const n = tiny ? 128 : 2048;
  const product = device.compile((a, b) => a.matmul(b));
  const [a, b] = [1, 2].map((seed) => device.tensor(hostUniform(key(seed), n * n), { shape: [n, n] }));
  const times = [];
  for (let i = 0; i < 8; i++) {
    const start = performance.now();
    const made = await product(a, b);
    await gpu.queue.onSubmittedWorkDone();
    times.push(performance.now() - start);
    made.dispose();
  }
  const ms = median(times.slice(2));
  note({ productMs: ms, flopsPerSecond: (2 * n ** 3) / (ms / 1000) });
  await device.close();
}
