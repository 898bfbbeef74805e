// Every call on WebGPU objects, counted. Vitest only, so no part of @paris/tensor/testing.

/** Calls by name, `GPUQueue.submit`, say. */
export type CallCounts = Map<string, number>;

/**
 * Counts the calls on a device, its queue, and all objects that come from them, from now on.
 * @returns the counts, which keep growing
 */
export function countCalls(device: GPUDevice): CallCounts {
  const counts: CallCounts = new Map();
  const watched = new WeakSet<object>();
  // What an implementation in JavaScript calls of its own objects is no call of ours.
  let inside = false;
  const watch = (object: object) => {
    if (watched.has(object)) return;
    watched.add(object);
    const kind = object.constructor.name;
    for (const name of methodsOf(object)) {
      const method = (object as Record<string, (...args: unknown[]) => unknown>)[name]!;
      const counted = (...args: unknown[]) => {
        if (inside) return method.apply(object, args);
        const call = `${kind}.${name}`;
        counts.set(call, (counts.get(call) ?? 0) + 1);
        inside = true;
        try {
          const result = method.apply(object, args);
          if (isGpuObject(result)) watch(result);
          return result;
        } finally {
          inside = false;
        }
      };
      Object.defineProperty(object, name, { configurable: true, value: counted });
    }
  };
  watch(device);
  watch(device.queue);
  return counts;
}

/** The sum of the counts, or of those whose name ends so. */
export function callsOf(counts: CallCounts, name = ''): number {
  return [...counts].reduce((sum, [call, n]) => sum + (call.endsWith(name) ? n : 0), 0);
}

function methodsOf(object: object): string[] {
  const descriptors = Object.getOwnPropertyDescriptors(Object.getPrototypeOf(object));
  return Object.keys(descriptors).filter(
    (name) => typeof descriptors[name]!.value === 'function' && name !== 'constructor',
  );
}

function isGpuObject(x: unknown): x is object {
  return typeof x === 'object' && x !== null && /^GPU/.test(x.constructor.name);
}
