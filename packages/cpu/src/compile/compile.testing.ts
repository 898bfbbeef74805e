// For tests: carries out compiled kernels on a memory of their own.
import { parseModule } from '../wgsl/parse-module.js';
import { compileProgram } from './compile.js';
import type { CompiledKernel } from './kernel.js';

const PAGE = 65536;

/** Runs all workgroups of a kernel. Bindings are given in the kernel's order and returned with what it wrote. */
export function runKernel(
  kernel: CompiledKernel,
  groups: readonly [number, number, number],
  buffers: readonly ArrayBufferView[],
): ArrayBuffer[] {
  const block = 64;
  let end = 4096;
  const addresses = buffers.map(({ byteLength }) => {
    const address = end;
    // A gap between buffers, filled with something: what reads or writes beyond its bounds is seen.
    end = Math.ceil((address + byteLength + 64) / 16) * 16;
    return address;
  });
  const scratch = end;
  const pages = Math.ceil((scratch + kernel.scratchBytes) / PAGE) + 1;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: PAGE });
  const bytes = new Uint8Array(memory.buffer).fill(0xa5);
  const words = new Uint32Array(memory.buffer);
  words.set([...groups, 0], block / 4);
  buffers.forEach((buffer, i) => {
    bytes.set(new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength), addresses[i]!);
    words.set([addresses[i]!, buffer.byteLength], block / 4 + 4 + 2 * i);
  });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(kernel.wasm), { env: { memory } });
  const run = instance.exports.run as (block: number, scratch: number, first: number, count: number) => void;
  run(block, scratch, 0, groups[0] * groups[1] * groups[2]);
  buffers.forEach(({ byteLength }, i) => {
    for (let at = addresses[i]! + byteLength; at < addresses[i]! + byteLength + 32; at++) {
      if (bytes[at] !== 0xa5) throw new Error(`binding ${i}: byte ${at - addresses[i]!} beyond its end was written.`);
    }
  });
  return buffers.map(({ byteLength }, i) => memory.buffer.slice(addresses[i]!, addresses[i]! + byteLength));
}

export interface Execution {
  readonly groups?: readonly [number, number, number];
  readonly buffers: readonly ArrayBufferView[];
  readonly mode?: 'scalar' | 'lanes';
  readonly subgroupSize?: number;
  readonly constants?: Readonly<Record<string, number>>;
}

/** Compiles WGSL and runs it. Bindings of group 0, in the order of their numbers. */
export function execute(
  wgsl: string,
  { groups = [1, 1, 1], buffers, constants, ...options }: Execution,
): ArrayBuffer[] {
  const module = parseModule(wgsl);
  const errors = module.messages.filter(({ type }) => type === 'error');
  if (errors.length)
    throw new Error(errors.map(({ line, column, message }) => `${line}:${column} ${message}`).join('\n'));
  const kernel = compileProgram(module.program(undefined, constants), { shared: false, ...options });
  if (options.mode && kernel.mode !== options.mode) throw new Error(`the kernel is in ${kernel.mode} mode.`);
  const ordered = [...kernel.bindings.keys()];
  const given = kernel.bindings.map(({ binding }) => buffers[binding]!);
  const results = runKernel(kernel, groups, given);
  const byBinding = buffers.map(
    ({ buffer, byteOffset, byteLength }) => buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer,
  );
  for (const i of ordered) byBinding[kernel.bindings[i]!.binding] = results[i]!;
  return byBinding;
}
