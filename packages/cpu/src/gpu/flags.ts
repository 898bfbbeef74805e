// The namespaces of flags that WebGPU adds to the global scope, for platforms that lack them.

export const bufferUsage = {
  MAP_READ: 0x1,
  MAP_WRITE: 0x2,
  COPY_SRC: 0x4,
  COPY_DST: 0x8,
  INDEX: 0x10,
  VERTEX: 0x20,
  UNIFORM: 0x40,
  STORAGE: 0x80,
  INDIRECT: 0x100,
  QUERY_RESOLVE: 0x200,
} as const;

export const mapMode = { READ: 1, WRITE: 2 } as const;

export const shaderStage = { VERTEX: 1, FRAGMENT: 2, COMPUTE: 4 } as const;

const textureUsage = {
  COPY_SRC: 1,
  COPY_DST: 2,
  TEXTURE_BINDING: 4,
  STORAGE_BINDING: 8,
  RENDER_ATTACHMENT: 16,
} as const;
const colorWrite = { RED: 1, GREEN: 2, BLUE: 4, ALPHA: 8, ALL: 15 } as const;

/** As WebGPU programs expect them on globalThis. */
export const flags = {
  GPUBufferUsage: bufferUsage,
  GPUMapMode: mapMode,
  GPUShaderStage: shaderStage,
  GPUTextureUsage: textureUsage,
  GPUColorWrite: colorWrite,
} as const;
