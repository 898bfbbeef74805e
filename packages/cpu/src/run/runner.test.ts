import { afterEach, describe, expect, it } from 'vitest';
import { handmade, type KernelName } from './kernels.testing.js';
import { head, layout } from './layout.js';
import { Runner } from './runner.js';

const runners: Runner[] = [];
afterEach(() => {
  for (const runner of runners.splice(0)) runner.destroy();
});

function open(threads: number, sharedMemory = true, failures: string[] = []): Runner {
  const runner = new Runner({ threads, sharedMemory, failed: (why) => failures.push(why) });
  runners.push(runner);
  return runner;
}

function kernel(runner: Runner, name: KernelName): number {
  return runner.addKernel(handmade(name, runner.shared))!;
}

function dispatch(
  id: number,
  groups: number,
  bindings: readonly (readonly [address: number, size: number])[],
): number[] {
  return [head(layout.dispatch, 7 + 2 * bindings.length), id, groups, groups, 1, 1, 0, ...bindings.flat()];
}

async function read(runner: Runner, address: number, count: number): Promise<number[]> {
  if (runner.shared) await runner.whenDone();
  const bytes = runner.shared ? runner.read(address, count * 4) : await runner.fetch(address, count * 4);
  return [...new Uint32Array(bytes)];
}

const bytesOf = (values: Iterable<number>) => new Uint8Array(new Uint32Array([...values]).buffer);
const range = (count: number) => Array.from({ length: count }, (_, i) => i);

const ways: [name: string, threads: number, shared: boolean][] = [
  ['one thread', 1, true],
  ['two threads', 2, true],
  ['five threads', 5, true],
  ['no shared memory', 1, false],
];

describe.each(ways)('%s', (_, threads, shared) => {
  it('doubles an array', async () => {
    const runner = open(threads, shared);
    const count = 10_000;
    const from = runner.allocate(count * 4)!.address;
    const to = runner.allocate(count * 4)!.address;
    runner.write(from, bytesOf(range(count)));
    const id = kernel(runner, 'double');
    runner.push(
      dispatch(id, Math.ceil(count / 64), [
        [from, count * 4],
        [to, count * 4],
      ]),
    );
    expect(await read(runner, to, count)).toEqual(range(count).map((i) => i * 2));
  });

  it('keeps the order of 5,000 batches and writes', async () => {
    const runner = open(threads, shared);
    const cell = runner.allocate(256)!.address;
    const id = kernel(runner, 'add-one');
    for (let i = 0; i < 5000; i++) {
      runner.push(dispatch(id, 1, [[cell, 4]]));
      runner.flush();
      if (i === 2500) runner.write(cell, bytesOf([1_000_000]));
    }
    expect(await read(runner, cell, 1)).toEqual([1_000_000 + 2499]);
  });

  it('carries out 1,000 small dispatches of a batch, one after the other', async () => {
    const runner = open(threads, shared);
    const a = runner.allocate(4096)!.address;
    const b = runner.allocate(4096)!.address;
    runner.write(a, bytesOf(range(1024).map(() => 1)));
    const id = kernel(runner, 'double');
    for (let i = 0; i < 500; i++) {
      runner.push(
        dispatch(id, 16, [
          [a, 4096],
          [b, 4096],
        ]),
      );
      runner.push(
        dispatch(id, 16, [
          [b, 4096],
          [a, 4096],
        ]),
      );
      if (i % 15 === 14) runner.push([head(layout.copy, 4), a, b, 0]);
    }
    // 2^1000 in 32 bits is 0; 30 doublings are not.
    expect(await read(runner, a, 1024)).toEqual(range(1024).map(() => 0));
    runner.write(a, bytesOf(range(1024).map((i) => i)));
    for (let i = 0; i < 10; i++) {
      runner.push(
        dispatch(id, 16, [
          [a, 4096],
          [b, 4096],
        ]),
      );
      runner.push(
        dispatch(id, 16, [
          [b, 4096],
          [a, 4096],
        ]),
      );
    }
    expect(await read(runner, a, 1024)).toEqual(range(1024).map((i) => i * 2 ** 20));
  });

  it('gives each worker scratch memory of its own, also when a kernel with more arrives', async () => {
    const runner = open(threads, shared);
    const out = runner.allocate(40_000)!.address;
    const first = kernel(runner, 'add-one');
    runner.push(dispatch(first, 1, [[out, 4]]));
    const id = kernel(runner, 'scratch');
    for (let i = 0; i < 20; i++) runner.push(dispatch(id, 10_000, [[out, 40_000]]));
    expect(await read(runner, out, 10_000)).toEqual(range(10_000));
  });

  it('clears, copies and dispatches by indirect counts', async () => {
    const runner = open(threads, shared);
    const from = runner.allocate(1024)!.address;
    const to = runner.allocate(1024)!.address;
    const counts = runner.allocate(16)!.address;
    runner.write(from, bytesOf(range(256)));
    runner.write(counts, bytesOf([2, 1, 1]));
    const id = kernel(runner, 'double');
    runner.push([head(layout.indirect, 12), id, counts, 65535, 0, 0, 0, 0, from, 1024, to, 1024]);
    runner.push([head(layout.clear, 3), to, 16]);
    runner.push([head(layout.copy, 4), to + 512, from, 8]);
    const out = await read(runner, to, 256);
    expect(out.slice(0, 6)).toEqual([0, 0, 0, 0, 8, 10]);
    expect(out.slice(126, 131)).toEqual([252, 254, 0, 1, 0]);
  });

  it('says why it failed, and settles who waits', async () => {
    const failures: string[] = [];
    const runner = open(threads, shared, failures);
    const id = kernel(runner, 'trap');
    const out = runner.allocate(4)!.address;
    runner.push(dispatch(id, 64, [[out, 4]]));
    await runner.whenDone();
    expect(failures).toHaveLength(1);
    expect(failures[0]).toContain('unreachable');
  });

  it('ends an endless kernel', async () => {
    const runner = open(threads, shared);
    const id = kernel(runner, 'endless');
    const out = runner.allocate(4)!.address;
    runner.push(dispatch(id, 64, [[out, 4]]));
    const done = runner.whenDone();
    setTimeout(() => runner.destroy(), 50);
    await done;
  });

  it('gives memory back when the work on it is done', async () => {
    const runner = open(threads, shared);
    const id = kernel(runner, 'add-one');
    const before = runner.bytesInUse;
    for (let i = 0; i < 10; i++) {
      const out = runner.allocate(1 << 20)!.address;
      runner.write(out, new Uint8Array(1 << 20).fill(7));
      runner.push(dispatch(id, 1, [[out, 4]]));
      runner.flush();
      runner.release(out, 1 << 20);
    }
    await runner.whenDone();
    const again = runner.allocate(10 << 20)!.address;
    runner.clear(again, 10 << 20);
    expect(new Set(await read(runner, again, (10 << 20) / 4))).toEqual(new Set([0]));
    runner.release(again, 10 << 20);
    await runner.whenDone();
    runner.allocate(4);
    expect(runner.bytesInUse - before).toBe(256);
  });
});

it.each(ways)('reaches to the end of 4 GiB, and gives it again: %s', async (_, threads, shared) => {
  const runner = open(threads, shared);
  const big = 2 ** 31 - 256;
  // Nothing of it is touched, so that it takes no memory of the machine.
  const filling = [big, big - (1 << 20)].map((size) => ({ size, ...runner.allocate(size)! }));
  const cell = runner.allocate(256)!.address;
  expect(cell).toBeGreaterThan(4.29e9 - (1 << 20));
  runner.write(cell, bytesOf([41]));
  const id = kernel(runner, 'add-one');
  runner.push(dispatch(id, 1, [[cell, 4]]));
  expect(await read(runner, cell, 1)).toEqual([42]);
  expect(runner.allocate(1 << 20)).toBeUndefined();
  for (const { address, size } of filling) runner.release(address, size);
  await runner.whenDone();
  expect(runner.allocate(2 ** 31)).toMatchObject({ used: true });
});

it('refuses what does not fit', () => {
  const runner = open(1);
  expect(runner.allocate(2 ** 32)).toBeUndefined();
  expect(runner.allocate(1024)).toBeDefined();
});
