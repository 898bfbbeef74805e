// Declares WebGPU for TypeScript before 7, whose `dom` library lacks it. Chosen by the package import `#webgpu-types`.
/// <reference types="@webgpu/types" />
export {};
