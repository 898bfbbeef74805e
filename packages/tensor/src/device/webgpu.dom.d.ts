// Declares nothing: the `dom` library of TypeScript 7 has WebGPU, and `@webgpu/types` clashes with it. Chosen by the package
// import `#webgpu-types`.
export {};
