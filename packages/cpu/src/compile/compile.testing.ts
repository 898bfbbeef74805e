// For tests: runs compiled kernels on a memory of their own.

import { parts } from '../parts.js';
import { runWatched } from '../sanitize/dispatch.js';
import type { Finding } from '../sanitize/finding.js';
import { type WatchedKernel, watchedKernel } from '../sanitize/kernel.js';
import { parseModule } from '../wgsl/check-module.js';
import { compileProgram } from './compile.js';
import type { CompiledKernel } from './kernel.js';

const PAGE = 65536;

/** Runs all workgroups of a kernel. Bindings are given in the kernel's order and returned with what it wrote. */
export function runKernel(
  kernel: CompiledKernel,
  groups: readonly [number, number, number],
  buffers: readonly ArrayBufferView[],
): ArrayBuffer[] {
  return withMemory(kernel, buffers, ({ memory, ranges, scratch }) => {
    const block = 64;
    const words = new Uint32Array(memory.buffer);
    words.set([...groups, 0, ...ranges.flatMap(({ address, size }) => [address, size])], block / 4);
    const instance = new WebAssembly.Instance(new WebAssembly.Module(kernel.wasm), { env: { memory } });
    const run = instance.exports.run as (block: number, scratch: number, first: number, count: number) => void;
    run(block, scratch, 0, groups[0] * groups[1] * groups[2]);
  });
}

/** The same for the sanitizer's kernels. */
export function runWatchedKernel(
  kernel: WatchedKernel,
  groups: readonly [number, number, number],
  buffers: readonly ArrayBufferView[],
  report: (finding: Finding) => void = () => {},
): ArrayBuffer[] {
  return withMemory(kernel, buffers, ({ memory, ranges, scratch }) =>
    runWatched({ kernel, groups, bindings: ranges, memory: memory.buffer, scratch, seed: 1, report }),
  );
}

interface Placed {
  readonly memory: WebAssembly.Memory;
  readonly ranges: readonly { readonly address: number; readonly size: number }[];
  readonly scratch: number;
}

/** Puts buffers into a memory, runs something on it, and takes them out again. */
function withMemory(
  { scratchBytes }: CompiledKernel,
  buffers: readonly ArrayBufferView[],
  run: (placed: Placed) => void,
): ArrayBuffer[] {
  let end = 4096;
  const addresses = buffers.map(({ byteLength }) => {
    const address = end;
    // A gap between buffers, filled with something: what reads or writes beyond its bounds is seen.
    end = Math.ceil((address + byteLength + 64) / 16) * 16;
    return address;
  });
  const scratch = end;
  const pages = Math.ceil((scratch + scratchBytes) / PAGE) + 1;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: PAGE });
  const bytes = new Uint8Array(memory.buffer).fill(0xa5);
  buffers.forEach((buffer, i) => {
    bytes.set(new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength), addresses[i]!);
  });
  const ranges = buffers.map(({ byteLength: size }, i) => ({ address: addresses[i]!, size }));
  run({ memory, ranges, scratch });
  buffers.forEach(({ byteLength }, i) => {
    for (let at = addresses[i]! + byteLength; at < addresses[i]! + byteLength + 32; at++) {
      if (bytes[at] !== 0xa5) throw new Error(`binding ${i}: byte ${at - addresses[i]!} beyond its end was written.`);
    }
  });
  return ranges.map(({ address, size }) => memory.buffer.slice(address, address + size));
}

export interface Execution {
  readonly groups?: readonly [number, number, number];
  readonly buffers: readonly ArrayBufferView[];
  readonly mode?: 'scalar' | 'lanes' | 'watched';
  readonly subgroupSize?: number;
  readonly constants?: Readonly<Record<string, number>>;
  /** Takes what the sanitizer finds. */
  readonly report?: (finding: Finding) => void;
}

/** Compiles WGSL and runs it. Bindings of group 0, in the order of their numbers. */
export function execute(
  wgsl: string,
  { groups = [1, 1, 1], buffers, constants, report, mode, subgroupSize }: Execution,
): ArrayBuffer[] {
  const module = parseModule(wgsl);
  const errors = module.messages.filter(({ type }) => type === 'error');
  if (errors.length)
    throw new Error(errors.map(({ line, column, message }) => `${line}:${column} ${message}`).join('\n'));
  const program = module.program(undefined, constants);
  const put = (bindings: CompiledKernel['bindings'], run: (given: ArrayBufferView[]) => ArrayBuffer[]) => {
    const byBinding = buffers.map(
      ({ buffer, byteOffset, byteLength }) => buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer,
    );
    const results = run(bindings.map(({ binding }) => buffers[binding]!));
    bindings.forEach(({ binding }, i) => {
      byBinding[binding] = results[i]!;
    });
    return byBinding;
  };
  if (mode === 'watched') {
    const kernel = watchedKernel(program, parts, { subgroupSize: subgroupSize ?? 4, code: wgsl, label: '' });
    return put(kernel.bindings, (given) => runWatchedKernel(kernel, groups, given, report));
  }
  const kernel = compileProgram(program, { shared: false, mode, subgroupSize });
  if (mode && kernel.mode !== mode) throw new Error(`the kernel is in ${kernel.mode} mode.`);
  return put(kernel.bindings, (given) => runKernel(kernel, groups, given));
}
