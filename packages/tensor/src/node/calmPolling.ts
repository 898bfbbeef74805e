// Dawn for Node waits for the GPU by asking again on every turn of the event loop (a native callback handed to
// `setImmediate`), which keeps one core busy for nothing. On an adapter that itself runs on the CPU that core is half of
// what there is: on two cores a training step took 1.6 times as long, and a third of all CPU time went into asking.

import { onWait } from '../device/wait.js';

/** How long it is asked at once; after that, once a millisecond. Short waits stay short. */
const AT_ONCE_MS = 0.1;
/** As long as this where waits follow one another as quickly: a sleep would be longer than what it waits for. */
const QUICK_MS = 1;
/** A pause after which a new wait begins, of whatever does not say so itself. */
const NEW_WAIT_MS = 3;

/**
 * Lets this process wait for a software adapter without spinning. Only native callbacks are held back: what
 * JavaScript hands to `setImmediate` runs as ever.
 * @returns puts `setImmediate` back
 */
export function calmPolling(): () => void {
  const original = globalThis.setImmediate;
  let [began, last, atOnceMs] = [0, 0, AT_ONCE_MS];
  /** What is asked when the millisecond is over. */
  let asleep: { timer: NodeJS.Timeout; ask: () => void } | undefined;
  const calm = (callback: (...args: unknown[]) => void, ...args: unknown[]) => {
    if (args.length > 0 || !isNative(callback)) return original(callback, ...args);
    const now = performance.now();
    if (now - last > NEW_WAIT_MS) began = now;
    last = now;
    if (now - began < atOnceMs) return original(callback);
    const ask = () => {
      asleep = undefined;
      callback();
    };
    const timer = setTimeout(ask, 1);
    asleep = { timer, ask };
    return timer;
  };
  globalThis.setImmediate = Object.assign(calm, original) as unknown as typeof setImmediate;
  onWait(() => {
    const now = performance.now();
    atOnceMs = now - began < QUICK_MS ? QUICK_MS : AT_ONCE_MS;
    began = now;
    if (!asleep) return;
    clearTimeout(asleep.timer);
    original(asleep.ask);
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
