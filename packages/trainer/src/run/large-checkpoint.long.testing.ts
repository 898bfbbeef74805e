// A checkpoint of 1 GB on a disk: written in pieces without a second copy in memory, killed in the middle without harm to the one
// before. npm run test:long -- large-checkpoint
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeStore } from '@paris/files/node';
import { safetensorsParts } from '@paris/files/safetensors';
import { expect, it } from 'vitest';
import { isIntact, listCheckpoints, writeCheckpoint } from './checkpoint.js';

const MB = 2 ** 20;

it('1 GB is streamed, and what breaks off leaves the one before', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'paris-large-'));
  try {
    const store = nodeStore(folder);
    // 16 tensors of 64 MiB, all views of one array: the copy on the host is not what is measured.
    const data = new Float32Array(16 * MB).map((_, i) => i);
    const tensors = Object.fromEntries(
      Array.from({ length: 16 }, (_, i) => [`w${i}`, { dtype: 'f32' as const, shape: [data.length], data }]),
    );
    globalThis.gc?.();
    const before = process.memoryUsage().rss;
    let most = before;
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().rss);
    }, 20);
    const began = performance.now();
    const saved = await writeCheckpoint(store, 1, safetensorsParts(tensors));
    const written = (performance.now() - began) / 1000;
    clearInterval(watch);
    expect(saved.sizeBytes).toBeGreaterThan(1024 * MB);
    const extra = (most - before) / MB;
    console.log(
      `1 GiB in ${written.toFixed(1)} s (${(saved.sizeBytes / 1e6 / written).toFixed(0)} MB/s), ${extra.toFixed(0)} MiB of memory more`,
    );
    expect(extra).toBeLessThan(512);
    expect(await isIntact(store, saved)).toBe(true);

    async function* breaking() {
      let parts = 0;
      for (const part of safetensorsParts(tensors)) {
        if (parts++ === 8) throw new Error('killed');
        yield part;
      }
    }
    await expect(writeCheckpoint(store, 2, breaking())).rejects.toThrow('killed');
    expect(await listCheckpoints(store)).toEqual([1]);
    expect(await store.list()).toEqual(['checkpoints/00000001.safetensors']);
    expect(await isIntact(store, saved)).toBe(true);
  } finally {
    await rm(folder, { recursive: true });
  }
});
