// Notifies the code that polls the GPU (node/calm-polling.ts) when a wait begins. It goes through globalThis, because bundles
// may load this module twice.
const LISTENER: unique symbol = Symbol.for('paris.tensor.wait');
const shared = globalThis as { [LISTENER]?: (() => void) | undefined };

/**
 * Tells `calmPolling` that something was handed to the GPU that this process will wait for. A Device says so itself; this is
 * for other libraries on WebGPU in the same process.
 */
export function beginWait(): void {
  shared[LISTENER]?.();
}

/** Sets the function that is called at each wait; `undefined` for none. */
export function onWait(listener: (() => void) | undefined): void {
  shared[LISTENER] = listener;
}
