import { afterEach, describe, expect, it, vi } from 'vitest';
import { beginWait } from '../device/wait.js';
import { calmPolling } from './calm-polling.js';

let restore = () => {};
afterEach(() => {
  vi.restoreAllMocks();
  restore();
});

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

  it('leaves long waits to a timer, and asks sooner when a new one begins', () => {
    restore = calmPolling();
    let now = 1000;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    const timers = vi.spyOn(globalThis, 'setTimeout');
    const native = Object.defineProperty((() => {}).bind(null), 'name', { value: '' });
    /** At each millisecond of a wait: whether a timer asks next. */
    const waitFor = (ms: number) =>
      Array.from({ length: ms }, () => {
        timers.mockClear();
        setImmediate(native);
        now++;
        return timers.mock.calls.length > 0;
      });
    expect(waitFor(12)).toEqual([...Array(9).fill(false), ...Array(3).fill(true)]);
    beginWait();
    expect(waitFor(2)).toEqual([false, false]);
    expect(waitFor(10).at(-1)).toBe(true);
    now += 20;
    expect(waitFor(1)).toEqual([false]);
  });

  it('passes arguments on and can be taken back', async () => {
    const before = globalThis.setImmediate;
    restore = calmPolling();
    expect(await new Promise((resolve) => setImmediate(resolve, 7))).toBe(7);
    restore();
    expect(globalThis.setImmediate).toBe(before);
  });
});
