// The same training in two processes gives the same bytes, whether its shaders come out of the driver's cache or not.
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adapterEnvironment, chooseAdapter } from '../node/adapters.js';
import { type ChildProgram, childProgram } from '../testing/child-program.testing.js';

// Steps of a transformer block; the SHA-256 of all weights and moments, and the last loss.
const program = `
import { createHash } from 'node:crypto';
import { flattenTree, openDevice, Tensor } from '@paris/tensor';
import { blockBatch, blockOptimizer, blockParameters, blockStep } from './src/testing/transformer-block.testing.js';
const device = await openDevice();
const step = blockStep(device);
let state = await device.run(blockOptimizer.init(blockParameters(device)));
let loss;
for (let i = 0; i < 4; i++) {
  const result = await step(state, blockBatch(device, 1, 2 * i));
  state = result.state;
  loss = await result.loss.item();
}
const hash = createHash('sha256');
for (const { path, value } of flattenTree(state, (x) => x instanceof Tensor)) {
  const elements = await value.read();
  hash.update(path).update(new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength));
}
console.log(hash.digest('hex'), loss);
await device.close();
`;

let child: ChildProgram;
const cache = join(tmpdir(), `paris-bitwise-${process.pid}`);
beforeAll(async () => {
  child = await childProgram(program);
});
afterAll(async () => {
  await child.remove();
  await rm(cache, { recursive: true, force: true });
});

describe('four training steps', () => {
  for (const kind of ['lavapipe', 'swiftshader'] as const) {
    it(`give the same bytes in two processes, with cold and warm caches, on ${kind}`, async (context) => {
      const adapter = await chooseAdapter({ adapter: kind }).catch(() => undefined);
      requireCapability(context, 'adapter', adapter !== undefined, `${kind} does not run here`);
      // An empty cache on disk, which the first run fills. SwiftShader keeps none: there both runs are cold.
      const environment = { ...adapterEnvironment(adapter!), MESA_SHADER_CACHE_DIR: cache };
      const cold = await child.run({ environment, timeoutMs: 300_000 });
      const warm = await child.run({ environment, timeoutMs: 300_000 });
      expect(warm).toBe(cold);
      const [hash, loss] = cold.trim().split(' ');
      expect(hash).toMatch(/^[0-9a-f]{64}$/);
      expect(Number(loss)).toBeGreaterThan(0);
    }, 900_000);
  }
});
