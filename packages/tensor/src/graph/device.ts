// What the graph knows about the device and the memory of its values. The classes of device/ implement both interfaces.
import type { HostArray } from './dtype.js';
import type { Value } from './node.js';

/** The device that a tensor belongs to: a `Device`, as its tensors see it. */
export interface GraphDevice {
  /** Whether mistakes are looked for: nodes then remember where they were made. */
  readonly debug: boolean;
  /** @internal Whether a function is being traced: nothing can be read now. */
  readonly tracing: boolean;
  /** Computes every tensor of a tree, in one submit. */
  run<T>(tree: T): Promise<T>;
  /** @internal Copies a computed value to the host. */
  download(value: Value): Promise<HostArray>;
}

/** The memory of a computed value. */
export interface GraphStorage {
  readonly status: 'live' | 'disposed' | 'donated';
  /** Gives the memory back; a second call does nothing. */
  end(how?: 'disposed' | 'donated'): void;
}
