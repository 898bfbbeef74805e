/** What tells adapters on the CPU from GPUs: what they say of themselves. */
const names = /llvmpipe|lavapipe|softpipe|swiftshader|software|warp|basic render/i;

/** Whether an adapter computes on the CPU. */
export function isSoftware(
  info: Pick<GPUAdapterInfo, 'vendor' | 'architecture' | 'device' | 'description' | 'isFallbackAdapter'>,
): boolean {
  const said = [info.vendor, info.architecture, info.device, info.description].join(' ');
  return info.isFallbackAdapter === true || names.test(said);
}
