// Descriptions of a device and counts of what has happened on it.

/** What is known of an adapter. */
export interface DeviceInfo {
  /** `Mesa llvmpipe (…)`, `NVIDIA …` */
  readonly adapter: string;
  readonly vendor: string;
  readonly architecture: string;
  /** The adapter runs on the CPU. */
  readonly software: boolean;
  /** Why the CPU computes instead of a GPU, if nobody asked for that. */
  readonly insteadOfGpu?: string | undefined;
  readonly features: readonly string[];
  /** Invocations per subgroup, where there are subgroups and all have the same size. */
  readonly subgroupSize?: number | undefined;
  /** Differs between adapters for which different kernels may be chosen. */
  readonly fingerprint: string;
}

/** Counts since the device was opened: what tests assert instead of times. */
export interface DeviceCounters {
  submits: number;
  dispatches: number;
  buffersCreated: number;
  bindGroupsCreated: number;
  pipelinesCreated: number;
  bufferWrites: number;
  bytesAllocated: number;
}
