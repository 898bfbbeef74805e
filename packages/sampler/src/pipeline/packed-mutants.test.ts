// Damaged files of a model folder in q8 and q4, listed with the hashes that they have: what a hostile author writes. Each is
// loaded, or refused in a sentence.
import { type FileStore, memoryStore, ParisError } from '@paris/files';
import { parseModelIndex, writeModelIndex } from '@paris/model';
import { type Device, openDevice } from '@paris/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mutantCount, mutantsOf } from '../../../files/src/checkpoint/mutants.testing.js';
import { diffusersDiT } from '../foreign/folders.testing.js';
import { importModel } from '../foreign/import.js';
import { loadModel } from './load.js';

const weightsPath = 'experts/00/model.safetensors';
let device: Device;
let source: FileStore;
beforeAll(async () => {
  device = await openDevice();
  source = await diffusersDiT(device);
});
afterAll(() => device.close());

/** A copy with another file, and with an index that lists it as it is. */
async function listed(model: FileStore, path: string, bytes: Uint8Array): Promise<FileStore> {
  const store = memoryStore();
  for (const each of await model.list()) await store.write(each, each === path ? bytes : await model.read(each));
  if (path === 'model_index.json') return store;
  const { files: _, format: __, version: ___, ...description } = parseModelIndex(await model.read('model_index.json'));
  await writeModelIndex(store, description);
  return store;
}

/** Mutants of a file's first bytes, the rest as it was. */
function mutantsOfStart(bytes: Uint8Array, length: number, count: number): Uint8Array[] {
  return mutantsOf(bytes.subarray(0, length), count).map((start) =>
    Uint8Array.from(Buffer.concat([start, bytes.subarray(length)])),
  );
}

describe.each(['q8', 'q4'] as const)('%s', (weights) => {
  let model: FileStore;
  beforeAll(async () => {
    model = memoryStore();
    await importModel(source, model, { weights });
  });
  const count = Math.ceil(mutantCount / 5);

  it.each([
    ['the header of its weights', weightsPath],
    ['its weights', weightsPath],
    ["an expert's config", 'experts/00/config.json'],
    ["the codec's config", 'codec/config.json'],
    ['the index', 'model_index.json'],
  ])('%s', { timeout: 3_600_000 }, async (what, path) => {
    const bytes = await model.read(path);
    const header = 8 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
    const mutants = what.startsWith('the header') ? mutantsOfStart(bytes, header, count) : mutantsOf(bytes, count);
    const outcome = { loaded: 0, refused: 0 };
    for (const [seed, mutant] of mutants.entries()) {
      const { bytesAllocated } = device.counters;
      try {
        const loaded = await loadModel(await listed(model, path, mutant), { device });
        await loaded.close();
        outcome.loaded++;
      } catch (cause) {
        if (!(cause instanceof ParisError)) throw new Error(`mutant ${seed} was not refused in a sentence`, { cause });
        outcome.refused++;
      }
      // The pool keeps what was given back; no more than the model is ever asked for.
      expect(device.counters.bytesAllocated - bytesAllocated, `mutant ${seed}`).toBeLessThan(2 ** 24);
    }
    expect(outcome.loaded + outcome.refused).toBe(count);
    expect(outcome.refused).toBeGreaterThan(0);
  });
});
