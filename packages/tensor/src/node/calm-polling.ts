// Dawn for Node waits for the GPU by asking again on every turn of the event loop (a native callback handed to
// `setImmediate`), which keeps one core busy for nothing. On an adapter that itself runs on the CPU that core is half of
// what there is: on two cores a training step took 1.6 times as long, and a third of all CPU time went into asking.

import { onWait } from '../device/wait.js';

/** How long it is asked at once: a sleep would be longer than what is left of most such waits. */
const AT_ONCE_MS = 1;
/** Sleeps until here are shorter than a timer can make them; after that, a timer's millisecond is exact enough. */
const SHORT_MS = 8;
/** A pause after which a new wait begins, of whatever does not say so itself. */
const NEW_WAIT_MS = 3;

/**
 * Lets this process wait for a software adapter without spinning. Only native callbacks are held back: what
 * JavaScript hands to `setImmediate` runs as ever.
 * @returns puts `setImmediate` back
 */
export function calmPolling(): () => void {
  const original = globalThis.setImmediate;
  const nobodyWakes = new Int32Array(new SharedArrayBuffer(4));
  let [began, last] = [0, 0];
  const calm = (callback: (...args: unknown[]) => void, ...args: unknown[]) => {
    if (args.length > 0 || !isNative(callback)) return original(callback, ...args);
    const now = performance.now();
    if (now - last > NEW_WAIT_MS) began = now;
    last = now;
    const waited = now - began;
    if (waited > SHORT_MS) return setTimeout(callback, 1);
    // Keeps JavaScript for a tenth of what was waited: a tenth of a millisecond at first.
    if (waited > AT_ONCE_MS) Atomics.wait(nobodyWakes, 0, 0, waited / 10);
    return original(callback);
  };
  globalThis.setImmediate = Object.assign(calm, original) as unknown as typeof setImmediate;
  onWait(() => {
    began = performance.now();
  });
  return () => {
    onWait(undefined);
    globalThis.setImmediate = original;
  };
}

/** A function of a native module: without a name and without source. */
function isNative(callback: unknown): boolean {
  return typeof callback === 'function' && callback.name === '' && nativeSource.test(toSource.call(callback));
}

const toSource = Function.prototype.toString;
const nativeSource = /\{\s*\[native code\]\s*\}$/;
