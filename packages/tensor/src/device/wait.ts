// Who asks for the GPU's answers (node/calmPolling.ts) is told here when a wait begins. Over globalThis, because bundles
// may load this module twice.
const LISTENER: unique symbol = Symbol.for('paris.tensor.wait');
const told = globalThis as { [LISTENER]?: (() => void) | undefined };

/**
 * Tells `calmPolling` that something was handed to the GPU that this process will wait for. A Device says so itself; this is
 * for other libraries on WebGPU in the same process.
 */
export function beginWait(): void {
  told[LISTENER]?.();
}

/** Hears of each wait; `undefined` for nobody. */
export function onWait(listener: (() => void) | undefined): void {
  told[LISTENER] = listener;
}
