/** Kernels of functions of elements that are written in TypeGPU, which is needed for nothing else. */
export type { ElementKernel, ShaderFunction } from '../graph/shader-function.js';
export { element, shaderFunction } from './fn.js';
