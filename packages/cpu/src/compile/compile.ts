// The back end: a program becomes a WebAssembly module.
import type { GlobalVariable, Program } from '../program/program.js';
import { ModuleBuilder } from '../wasm/module.js';
import { divergence, inWorkgroup } from './divergence.js';
import { Emitter, type Layout } from './emit.js';
import { minimumBytes } from './expressions.js';
import type { Body, Graph, Value } from './ir.js';
import type { CompiledKernel, KernelBinding } from './kernel.js';
import { LanesMode, Unsupported } from './lanes.js';
import { lower } from './lower.js';
import { ScalarMode } from './scalar.js';
import { ZERO_BYTES } from './scalars.js';
import { structure } from './structure.js';

export interface CompileOptions {
  /** Whether the memory that kernels import is shared between threads. */
  readonly shared: boolean;
  /** Only this mode. Without it, lanes where the kernel allows it. */
  readonly mode?: 'scalar' | 'lanes' | undefined;
  /** Invocations of a subgroup in scalar mode: 4 … 64. In lanes mode it is 4. */
  readonly subgroupSize?: number | undefined;
}

/** Pages of 64 KiB in 4 GiB. */
const MAXIMUM_PAGES = 65536;

/**
 * Compiles the entry point of a program.
 * @throws Error (`internal: …`) for what the front end should have refused
 */
export function compileProgram(program: Program, options: CompileOptions): CompiledKernel {
  if (options.mode !== 'scalar' && program.entry.workgroupSize.reduce((a, b) => a * b, 1) >= 4) {
    try {
      return compileIn('lanes', program, options);
    } catch (error) {
      if (!(error instanceof Unsupported) || options.mode) throw error;
    }
  }
  return compileIn('scalar', program, options);
}

function compileIn(mode: 'scalar' | 'lanes', program: Program, options: CompileOptions): CompiledKernel {
  const { context, body, bindings } = lower(program);
  const { g, aliases } = context;
  const { workgroupSize } = program.entry;
  const subgroup = mode === 'lanes' ? 4 : (options.subgroupSize ?? 4);
  const module = new ModuleBuilder({ initial: 1, maximum: MAXIMUM_PAGES, shared: options.shared });
  addInputs(g, aliases, subgroup);
  const found = divergence(body, inWorkgroup, aliases);
  const { body: structured, synchronizes } = structure(body, found, mode === 'scalar');
  const lanes = new LanesMode(g, aliases, synchronizes);
  const rewritten = mode === 'lanes' ? lanes.program(structured) : new ScalarMode(g, aliases).body(structured);
  const align = (bytes: number) => Math.ceil(bytes / 16) * 16;
  const frame = ZERO_BYTES + align(context.workgroupSize);
  const layout: Layout = {
    workgroup: ZERO_BYTES,
    workgroupBytes: context.workgroupSize,
    frame,
    frameBytes: align(4 * context.frameSize) * (mode === 'lanes' ? 4 : 1),
    invocations: workgroupSize.reduce((a, b) => a * b, 1),
    lanes: mode === 'lanes' ? 4 : 1,
    subgroup,
    synchronizes,
  };
  const root: Body = { nodes: [{ kind: 'loop', body: rewritten, phis: [] }] };
  const varies = (phi: Value) => found.shape(lanes.origins.get(phi) ?? phi) === undefined;
  const scratchBytes = new Emitter(module, root, layout, varies).run();
  return {
    wasm: module.finish(),
    workgroupSize,
    bindings: (bindings as GlobalVariable[]).map(kernelBinding),
    scratchBytes,
    mode,
  };
}

/** How a kernel binds a variable. */
export function kernelBinding({ binding, space, access, type }: GlobalVariable): KernelBinding {
  const kind = space === 'uniform' ? 'uniform' : access === 'read' ? 'read-only-storage' : 'storage';
  return { ...binding!, kind, minimumBytes: minimumBytes(type) };
}

/** Inputs that follow from others: a workgroup's position from its linear index. */
function addInputs(g: Graph, aliases: Map<Value, Value>, subgroupSize: number): void {
  aliases.set(g.op('subgroup_size', 'i32', []), g.i32(subgroupSize));
  const linear = g.op('workgroup_linear', 'i32', []);
  const [x, y] = [0, 1].map((axis) => g.op('num_workgroups', 'i32', [], axis)) as [Value, Value];
  const rows = g.int('div_u', linear, x);
  const position = [g.int('rem_u', linear, x), g.int('rem_u', rows, y), g.int('div_u', rows, y)];
  position.forEach((value, axis) => void aliases.set(g.op('workgroup_id', 'i32', [], axis), value));
}
