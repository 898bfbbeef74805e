// A cold shader cache makes every compilation slow, and slow compilations have ended processes: Dawn's instance was
// collected while a device of it lived (see gpu.node.ts). So the core runs from a cold cache, each time in a process
// of its own, with garbage collected as often as it comes. About a quarter of a minute on two free cores.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ChildProgram, childProgram } from '../testing/child-program.testing.js';
import { findAdapter } from './adapter.js';

const runs = 8;

// A few kernels of each kind, forward and backward, with collections between the awaits where devices were lost.
const program = `
import { gelu, layerNorm, mse, openDevice, softmax, valueAndGrad } from './src/index.js';
const device = await openDevice();
globalThis.gc();
const x = device.tensor(Float32Array.from({ length: 64 }, (_, i) => Math.sin(i)), { shape: [4, 16] });
const w = device.tensor(Float32Array.from({ length: 256 }, (_, i) => Math.cos(i) / 4), { shape: [16, 16] });
const step = device.compile((p) => {
  const [loss, d] = valueAndGrad((q) => mse(softmax(gelu(layerNorm(x).matmul(q))), x.square()))(p);
  return { loss, p: p.sub(d.mul(0.1)) };
});
const running = step(w);
globalThis.gc();
const result = await running;
await new Promise((resolve) => setImmediate(resolve));
globalThis.gc();
console.log(await result.loss.item());
await device.close();
process.exit(0);
`;

let folder: string;
let child: ChildProgram;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paris-cold-'));
  child = await childProgram(program);
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await child.remove();
});

it(`the core runs ${runs} times from a cold shader cache`, { timeout: 600_000 }, async (context) => {
  const found = await findAdapter().catch(() => undefined);
  requireCapability(context, 'adapter', found !== undefined, 'WebGPU gives no adapter');
  const losses = new Set<string>();
  const once = async (number: number) => {
    const cache = join(folder, String(number));
    const environment = { MESA_SHADER_CACHE_DIR: cache, XDG_CACHE_HOME: cache };
    losses.add((await child.run({ flags: ['--expose-gc'], environment, timeoutMs: 180_000 })).trim());
  };
  // Two at a time: what waits on one process's compiler is worked on by the other.
  for (let i = 0; i < runs; i += 2) await Promise.all([once(i), once(i + 1)]);
  expect([...losses]).toHaveLength(1);
  expect(Number([...losses][0])).toBeGreaterThan(0);
});
