// Dawn for Node waits for the GPU by asking again on every turn of the event loop (a native callback handed to
// `setImmediate`), which keeps one core busy for nothing. On an adapter that itself runs on the CPU that core is half of
// what there is: on two cores a training step took 1.6 times as long, and a third of all CPU time went into asking.

/** Questions in a row that are asked at once; after that one a millisecond. Short waits stay short. */
const AT_ONCE = 20;
/** A pause after which a new wait begins. */
const NEW_WAIT_MS = 3;

/**
 * Lets this process wait for a software adapter without spinning. Only native callbacks are held back: what
 * JavaScript hands to `setImmediate` runs as ever.
 * @returns puts `setImmediate` back
 */
export function calmPolling(): () => void {
  const original = globalThis.setImmediate;
  let inRow = 0;
  let last = 0;
  const calm = (callback: (...args: unknown[]) => void, ...args: unknown[]) => {
    if (args.length > 0 || !isNative(callback)) return original(callback, ...args);
    const now = performance.now();
    if (now - last > NEW_WAIT_MS) inRow = 0;
    last = now;
    return ++inRow <= AT_ONCE ? original(callback) : setTimeout(callback, 1);
  };
  globalThis.setImmediate = Object.assign(calm, original) as unknown as typeof setImmediate;
  return () => {
    globalThis.setImmediate = original;
  };
}

/** A function of a native module: without a name and without source. */
function isNative(callback: unknown): boolean {
  return typeof callback === 'function' && callback.name === '' && nativeSource.test(toSource.call(callback));
}

const toSource = Function.prototype.toString;
const nativeSource = /\{\s*\[native code\]\s*\}$/;
