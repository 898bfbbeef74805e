// The way to WebGPU where the platform has it built in: browsers, Deno, workers. Chosen by the package import `#gpu`.

/** Where an adapter comes from: a GPU, `@paris/cpu`, or whatever the platform's WebGPU gives, software included. */
export type AdapterSource = 'gpu' | 'cpu' | 'webgpu';

/** The platform's WebGPU, or why there is none, as half a sentence. */
export type PlatformGpu = GPU | { readonly reason: string };

/** The platform's own WebGPU. */
export async function platformGpu(): Promise<PlatformGpu> {
  return builtInGpu() ?? { reason: 'navigator.gpu is missing: this browser has no WebGPU, or the page is not https' };
}

/** What the environment of the process asks for; a page has none. */
export function askedFor(): AdapterSource | undefined {
  return undefined;
}

/** How many threads the environment of the process asks for. */
export function threadsAskedFor(): number | undefined {
  return undefined;
}

/** What can be done where a GPU is required and there is none. */
export const withoutGpu: string =
  'Turn on graphics acceleration in the browser and start it again, or open the page in a current Chrome or Edge on a machine with a GPU.';

/** `navigator.gpu`, if there is one. */
export function builtInGpu(): GPU | undefined {
  return (globalThis.navigator as Navigator | undefined)?.gpu as GPU | undefined;
}
