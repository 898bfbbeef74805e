// Steps in flight, counted with a queue that finishes its work when the test says so.
import { afterEach, describe, expect, it, type TestContext } from 'vitest';
import { DeviceLostError, type Tensor } from '../index.js';
import { useDevice } from '../testing/use-device.testing.js';
import type { Device } from './device.js';

const device = useDevice();
let restore: (() => void) | undefined;
afterEach(() => restore?.());

/** Replaces the queue's report of finished work; `finish()` lets the oldest submission be done. */
function heldQueue(on: Device): { finish(): void } {
  const { queue } = on.gpu;
  const waiting: (() => void)[] = [];
  Object.defineProperty(queue, 'onSubmittedWorkDone', {
    configurable: true,
    value: () => new Promise<undefined>((resolve) => waiting.push(() => resolve(undefined))),
  });
  restore = () => {
    Reflect.deleteProperty(queue, 'onSubmittedWorkDone');
    for (const done of waiting) done();
  };
  return { finish: () => waiting.shift()?.() };
}

/** Long enough for everything that does not wait for the queue. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 30));

/** A device of a test's own, which it may close or lose, and a step on it. */
async function ownStep(context: TestContext) {
  device(context);
  const { openDevice } = await import('./open.js');
  const on = await openDevice();
  return { on, step: on.compile((x: Tensor) => x.mul(2)) };
}

async function steps(context: TestContext) {
  const on = device(context);
  const step = on.compile((x: Tensor) => x.mul(2));
  const x = on.tensor([1, 2]);
  (await step(x)).dispose();
  await on.gpu.queue.onSubmittedWorkDone();
  await settled();
  return { on, step, x };
}

describe('backpressure', () => {
  it('lets two steps wait on the queue; the third waits for room, not for a result', async (context) => {
    const { on, step, x } = await steps(context);
    const queue = heldQueue(on);
    const before = on.counters.submits;
    await Promise.all([step(x), step(x)]);
    expect(on.counters.submits - before).toBe(2);
    let third = false;
    const waiting = step(x).then(() => {
      third = true;
    });
    await settled();
    expect([third, on.counters.submits - before]).toEqual([false, 2]);
    queue.finish();
    await waiting;
    expect(on.counters.submits - before).toBe(3);
  });

  it('holds for calls that are made at once', async (context) => {
    const { on, step, x } = await steps(context);
    const queue = heldQueue(on);
    const before = on.counters.submits;
    const all = Promise.all(Array.from({ length: 6 }, () => step(x)));
    for (let done = 0; done <= 4; done++) {
      await settled();
      expect(on.counters.submits - before).toBe(2 + done);
      queue.finish();
    }
    await all;
  });

  it('a step that fails leaves its room to the next', async (context) => {
    const { on, step, x } = await steps(context);
    const gone = on.tensor([1, 2]);
    heldQueue(on);
    const first = step(x);
    const failing = Promise.all([step(gone), step(gone)].map((call) => call.catch((error: Error) => error.name)));
    gone.dispose();
    await first;
    await failing;
    const before = on.counters.submits;
    await step(x);
    expect(on.counters.submits - before).toBe(1);
  });
});

describe('a plan that is forgotten while its call waits for room', () => {
  it('runs all the same, and gives its memory back', async (context) => {
    const { on, step } = await ownStep(context);
    const round = async () => {
      // Two that run, one that waits, and as many others as there are plans.
      const given = Array.from({ length: 260 }, (_, i) => on.tensor(new Float32Array(i + 1).fill(i)));
      heldQueue(on);
      const calls = given.map((x) => step(x));
      await settled();
      restore!();
      const results = await Promise.all(calls);
      const read = await Promise.all(results.map((result) => result.read()));
      expect(read.map((elements) => elements.at(-1))).toEqual(given.map((_, i) => 2 * i));
      for (const x of [...given, ...results]) x.dispose();
    };
    await round();
    const { buffersCreated } = on.counters;
    await round();
    expect(on.counters.buffersCreated).toBe(buffersCreated);
    await on.close();
  });
});

describe('a device that fails', () => {
  it('rejects the next step and later reads with one typed error', async (context) => {
    const { on, step } = await ownStep(context);
    const x = on.tensor([1, 2]);
    await step(x);
    on.gpu.destroy();
    await on.gpu.lost;
    await settled();
    const [a, b] = await Promise.all([step(x), x.read()].map((call) => call.catch((error: unknown) => error)));
    expect(a).toBeInstanceOf(DeviceLostError);
    expect(b).toBe(a);
    expect((a as Error).message).toMatch(
      /\[device\] the GPU device was lost .*Open a new one and resume from a checkpoint\./,
    );
  });
});
