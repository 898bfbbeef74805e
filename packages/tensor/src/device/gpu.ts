// The way to WebGPU where the platform has it built in: browsers, Deno, workers. Chosen by the package import `#gpu`.
import { NoAdapterError } from '../errors.js';

/** The platform's own WebGPU. Throws a NoAdapterError where there is none. */
export async function requestGpu(): Promise<GPU> {
  const gpu = builtInGpu();
  if (gpu) return gpu;
  throw new NoAdapterError(
    'openDevice',
    'this platform has no WebGPU: navigator.gpu is missing. Use a browser with WebGPU over https, or pass your own GPUDevice.',
  );
}

/** What can be done where WebGPU finds no adapter. */
export const withoutAdapter: string =
  'Turn on graphics acceleration in the browser and start it again, or open the page in a current Chrome or Edge on a machine with a GPU.';

/** `navigator.gpu`, if there is one. */
export function builtInGpu(): GPU | undefined {
  return (globalThis.navigator as Navigator | undefined)?.gpu as GPU | undefined;
}
