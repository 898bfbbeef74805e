// What a kernel generator gets and gives. Generators are pure: the same spec is the same text, so that equal texts share
// a pipeline. The compiler owns bindings, dtypes and fusion; a generator owns the loops.

/**
 * A whole number that a kernel needs: a literal of its text, or something read at run time from a uniform. What depends
 * on the batch belongs in a uniform, so that batches of any size share one pipeline; `value` then sizes the dispatch.
 */
export interface Extent {
  /** What it is in this dispatch. */
  readonly value: number;
  /** A WGSL expression of type u32: the literal, or what the text reads at run time, such as a member of a uniform. */
  readonly wgsl: string;
}

/** An extent that is baked into the text. Negative strides wrap around, which is what u32 arithmetic wants. */
export function fixed(value: number): Extent {
  return { value, wgsl: `${value >>> 0}u` };
}

/**
 * A kernel without its bindings and entry point. The body is put into an entry point that declares exactly
 * `@builtin(workgroup_id) workgroup_id: vec3u`, `@builtin(local_invocation_id) local_id: vec3u` and
 * `@builtin(local_invocation_index) local_index: u32`. All names in it are lower case: names with a capital letter are the
 * compiler's, and what `store` declares belongs in a block of its own.
 */
export interface GeneratedKernel {
  /** A language extension that the text needs. */
  readonly enable?: 'subgroups' | undefined;
  /** Module-scope WGSL: constants, workgroup variables. */
  readonly declarations?: string;
  /** The statements of the entry point. */
  readonly body: string;
  readonly workgroupSize: readonly [number, number, number];
  /** How many workgroups to dispatch. A zero means that there is nothing to do. */
  readonly workgroups: readonly [number, number, number];
}

/** What a kernel choice may depend on, besides shapes. */
export interface KernelAdapter {
  /** The adapter runs on the CPU (lavapipe, SwiftShader): invocations are SIMD lanes, workgroup memory is no faster. */
  readonly software: boolean;
  /** `GPUAdapterInfo.architecture`: tells software adapters apart. */
  readonly architecture?: string;
  /** Invocations a subgroup, where there are subgroups and all have the same size. */
  readonly subgroupSize?: number | undefined;
  /** What was measured on it: a `TuningTable`, which kernels/ reads. Fixed rules choose where it says nothing. */
  readonly tuning?: object | undefined;
}

/** `GPUAdapterInfo.architecture` of `@paris/cpu`: four invocations side by side are one vector of a thread. */
export const WEBASSEMBLY = 'wasm';
