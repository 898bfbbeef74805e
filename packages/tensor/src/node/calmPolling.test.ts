import { afterEach, describe, expect, it, vi } from 'vitest';
import { beginWait } from '../device/wait.js';
import { calmPolling } from './calmPolling.js';

let restore = () => {};
afterEach(() => restore());

/** How often a callback that asks again each time is called in 60 ms. */
async function asks(native: boolean): Promise<number> {
  let count = 0;
  const until = performance.now() + 60;
  await new Promise<void>((resolve) => {
    const ask = () => {
      count++;
      if (performance.now() > until) resolve();
      else setImmediate(callback);
    };
    // Bound functions have no source either, as those of native modules.
    const callback = native ? Object.defineProperty(ask.bind(null), 'name', { value: '' }) : ask;
    setImmediate(callback);
  });
  return count;
}

describe('calmPolling', () => {
  it('holds back native callbacks, and no others', async () => {
    restore = calmPolling();
    expect(await asks(true)).toBeLessThan((await asks(false)) / 3);
  });

  it('asks at once again when a new wait begins', async () => {
    restore = calmPolling();
    await asks(true);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const timers = vi.spyOn(globalThis, 'setTimeout');
    await new Promise<void>((resolve) => {
      setImmediate(Object.defineProperty(resolve.bind(null), 'name', { value: '' }));
    });
    expect(timers).not.toHaveBeenCalled();
    timers.mockRestore();
  });

  it('asks at once again when it is told of a wait, even where one goes on', async () => {
    restore = calmPolling();
    let [count, until] = [0, performance.now() + 60];
    const over = new Promise<void>((resolve) => {
      const ask = () => {
        count++;
        if (performance.now() > until) resolve();
        else setImmediate(callback);
      };
      const callback = Object.defineProperty(ask.bind(null), 'name', { value: '' });
      setImmediate(callback);
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    const before = count;
    beginWait();
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    const soon = count - before;
    until = 0;
    await over;
    expect(soon).toBeGreaterThan(0);
  });

  it('passes arguments on and can be taken back', async () => {
    const before = globalThis.setImmediate;
    restore = calmPolling();
    expect(await new Promise((resolve) => setImmediate(resolve, 7))).toBe(7);
    restore();
    expect(globalThis.setImmediate).toBe(before);
  });
});
