// Limits and features. https://www.w3.org/TR/webgpu/#limits

/** What this adapter has, and what a device gets that asks for nothing. Alignments are better the lower they are. */
const table = {
  maxTextureDimension1D: [8192, 8192],
  maxTextureDimension2D: [8192, 8192],
  maxTextureDimension3D: [2048, 2048],
  maxTextureArrayLayers: [256, 256],
  maxBindGroups: [8, 4],
  maxBindGroupsPlusVertexBuffers: [24, 24],
  maxBindingsPerBindGroup: [1000, 1000],
  maxDynamicUniformBuffersPerPipelineLayout: [16, 8],
  maxDynamicStorageBuffersPerPipelineLayout: [16, 4],
  maxSampledTexturesPerShaderStage: [16, 16],
  maxSamplersPerShaderStage: [16, 16],
  maxStorageBuffersPerShaderStage: [32, 8],
  maxStorageTexturesPerShaderStage: [4, 4],
  maxUniformBuffersPerShaderStage: [32, 12],
  maxUniformBufferBindingSize: [1 << 20, 65536],
  maxStorageBufferBindingSize: [2 ** 31 - 4, 2 ** 27],
  minUniformBufferOffsetAlignment: [32, 256],
  minStorageBufferOffsetAlignment: [32, 256],
  maxVertexBuffers: [8, 8],
  maxBufferSize: [2 ** 31 - 4, 2 ** 28],
  maxVertexAttributes: [16, 16],
  maxVertexBufferArrayStride: [2048, 2048],
  maxInterStageShaderVariables: [16, 16],
  maxColorAttachments: [8, 8],
  maxColorAttachmentBytesPerSample: [32, 32],
  maxComputeWorkgroupStorageSize: [65536, 16384],
  maxComputeInvocationsPerWorkgroup: [1024, 256],
  maxComputeWorkgroupSizeX: [1024, 256],
  maxComputeWorkgroupSizeY: [1024, 256],
  maxComputeWorkgroupSizeZ: [1024, 64],
  maxComputeWorkgroupsPerDimension: [65535, 65535],
} as const satisfies Record<string, readonly [adapter: number, device: number]>;

export type LimitName = keyof typeof table;
export type Limits = GPUSupportedLimits & Readonly<Record<LimitName, number>>;

const names = Object.keys(table) as LimitName[];

export function adapterLimits(): Limits {
  return freeze((name) => table[name][0]);
}

/** A device's limits. Throws an OperationError for those that this adapter lacks or WebGPU does not know. */
export function deviceLimits(required: Readonly<Record<string, number | undefined>>): Limits {
  const asked = new Map<string, number>();
  for (const [name, value] of Object.entries(required)) {
    if (value === undefined) continue;
    if (!(name in table)) throw refused(`there is no limit ${name}.`);
    const [best] = table[name as LimitName];
    const alignment = name.startsWith('min');
    if (alignment ? value < best : value > best)
      throw refused(`${name} ${value} is asked for; this adapter has ${best}.`);
    if (alignment && !(Math.log2(value) % 1 === 0 && value < 2 ** 32))
      throw refused(`${name} ${value} is not a power of two.`);
    asked.set(name, value);
  }
  return freeze((name) => {
    const value = asked.get(name) ?? table[name][1];
    return name.startsWith('min') ? Math.min(value, table[name][1]) : Math.max(value, table[name][1]);
  });
}

function refused(message: string): DOMException {
  return new DOMException(`requestDevice: ${message}`, 'OperationError');
}

function freeze(value: (name: LimitName) => number): Limits {
  return Object.freeze(Object.fromEntries(names.map((name) => [name, value(name)]))) as unknown as Limits;
}
