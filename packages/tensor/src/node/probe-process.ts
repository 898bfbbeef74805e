// One probe in a process of its own: a driver that crashes takes only that process down.
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { dawnOptions } from '../device/gpu.node.js';
import { endWithThisProcess } from './end-with-this-process.js';

/** What an adapter says of itself. */
export type AdapterFacts = {
  vendor: string;
  architecture: string;
  device: string;
  description: string;
  /** True for software renderers. */
  isFallbackAdapter: boolean;
  features: string[];
};

/** Either the adapter that ran a small shader correctly, or why there is none, as half a sentence. */
export type ProbeOutcome = { adapter: AdapterFacts } | { reason: string };

// Kept as text, so that it needs no other file, bundled or not. It ends itself: Dawn keeps a process alive.
const SCRIPT = `
const say = (outcome) => { process.stdout.write('PROBE ' + JSON.stringify(outcome) + '\\n', () => process.exit(0)); };
try {
  const { create } = await import(process.argv[1]);
  const gpu = globalThis.keep = create(${JSON.stringify(dawnOptions)});
  const adapter = await gpu.requestAdapter();
  if (!adapter) say({ reason: 'Dawn found no adapter that it takes' });
  else {
    const { vendor, architecture, device: name, description, isFallbackAdapter } = adapter.info;
    const device = await adapter.requestDevice();
    const module = device.createShaderModule({ code:
      '@group(0) @binding(0) var<storage, read_write> x: array<u32>; @compute @workgroup_size(1) fn main() { x[0] = x[0] * 6u; }' });
    const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module } });
    const buffer = device.createBuffer({ size: 4, usage: 128 | 4 | 8 });
    const copy = device.createBuffer({ size: 4, usage: 1 | 8 });
    device.queue.writeBuffer(buffer, 0, new Uint32Array([7]));
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: [{ binding: 0, resource: { buffer } }] }));
    pass.dispatchWorkgroups(1);
    pass.end();
    encoder.copyBufferToBuffer(buffer, 0, copy, 0, 4);
    device.queue.submit([encoder.finish()]);
    await copy.mapAsync(1);
    const got = new Uint32Array(copy.getMappedRange())[0];
    if (got !== 42) say({ reason: 'a test shader gave ' + got + ' instead of 42' });
    else say({ adapter: { vendor, architecture, device: name, description, isFallbackAdapter: Boolean(isFallbackAdapter), features: [...adapter.features].sort() } });
  }
} catch (error) {
  say({ reason: String(error && error.message || error).split('\\n')[0] });
}`;

/** Opens WebGPU under `environment` in a child process, as `openDevice` does, and runs one small shader. Never throws. */
export function probeInProcess(
  environment: NodeJS.ProcessEnv,
  { timeoutMs = 60_000, dawn = findDawn() }: { timeoutMs?: number; dawn?: string | undefined } = {},
): Promise<ProbeOutcome> {
  if (!dawn) return Promise.resolve({ reason: 'the package webgpu is not installed' });
  const how = {
    env: { ...environment, NODE_OPTIONS: '' },
    timeout: timeoutMs,
    killSignal: 'SIGKILL', // what hangs in a driver does not hear anything else
    maxBuffer: 2 ** 26, // drivers may have much to say
  } as const;
  return new Promise((resolve) => {
    const child = execFile(process.execPath, ['--input-type=module', '-e', SCRIPT, dawn], how, (error, stdout) => {
      release();
      const line = stdout.split('\n').find((one) => one.startsWith('PROBE '));
      if (line) resolve(JSON.parse(line.slice('PROBE '.length)) as ProbeOutcome);
      else if (error?.killed) resolve({ reason: `the driver did not answer within ${timeoutMs / 1000} s` });
      else if (typeof error?.code === 'string') resolve({ reason: `the probe did not start: ${error.message}` });
      else resolve({ reason: `the driver ended the probe (${error?.signal ?? `exit code ${error?.code ?? 0}`})` });
    });
    const release = endWithThisProcess(child); // it may hang in a driver
  });
}

/** The URL of the installed package `webgpu` as this package finds it, never as the working folder would have it. */
function findDawn(): string | undefined {
  try {
    return pathToFileURL(createRequire(import.meta.url).resolve('webgpu')).href;
  } catch {
    return undefined;
  }
}
