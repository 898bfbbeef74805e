// What the back end makes of a program, and how it is called. The device (gpu/) and its workers (run/) know no more.

/** One buffer that a kernel binds. Its position in {@link CompiledKernel.bindings} is its position in the argument block. */
export interface KernelBinding {
  readonly group: number;
  readonly binding: number;
  readonly kind: 'uniform' | 'storage' | 'read-only-storage';
  /** Bytes that a binding must have at least (WebGPU: the minimum buffer binding size of the variable). */
  readonly minimumBytes: number;
}

/**
 * A compute kernel as a WebAssembly module. It imports `env.memory` (every buffer is a range of it) and exports
 *
 *     run(block: i32, scratch: i32, first: i32, count: i32)
 *
 * which runs the workgroups of linear index first … first + count − 1 (x runs fastest). `block` is the address of
 * u32 values: the numbers of workgroups x, y, z, a zero, then address and size in bytes of each binding. `scratch` is the
 * address (16-byte aligned) of `scratchBytes` bytes that belong to the calling worker: workgroup memory, private and
 * spilled values; their contents on entry do not matter.
 */
export interface CompiledKernel {
  readonly wasm: Uint8Array<ArrayBuffer>;
  readonly workgroupSize: readonly [number, number, number];
  readonly bindings: readonly KernelBinding[];
  readonly scratchBytes: number;
  /** How invocations run: one by one, or four side by side. */
  readonly mode: 'scalar' | 'lanes';
}

/** u32 values of an argument block before those of the bindings. */
export const BLOCK_HEADER_WORDS = 4;
