// Kernels put together by hand, for tests of what runs kernels: no WGSL is involved.
import type { CompiledKernel, KernelBinding } from '../compile/kernel.js';
import { type FunctionBuilder, ModuleBuilder } from '../wasm/module.js';

const binding = (index: number, kind: KernelBinding['kind'], minimumBytes = 4): KernelBinding => ({
  group: 0,
  binding: index,
  kind,
  minimumBytes,
});

/** Kernels by name; each takes u32 values. Bindings: 0 the input (read only), 1 the output. */
export const kernelNames = ['double', 'add-one', 'scratch', 'trap', 'endless'] as const;
export type KernelName = (typeof kernelNames)[number];

/**
 * `double`: output[i] = 2 × input[i], workgroups of 64 values. `add-one`: output[0] += 1, once a workgroup (not atomic).
 * `scratch`: output[workgroup] = the workgroup's index by way of the worker's scratch memory. `trap` and `endless` do what they say.
 */
export function handmade(name: KernelName, shared: boolean): CompiledKernel {
  const module = new ModuleBuilder({ initial: 0, maximum: 65536, shared });
  const run = module.function(['i32', 'i32', 'i32', 'i32'], [], 'run');
  bodies[name](run);
  return {
    wasm: module.finish(),
    workgroupSize: [64, 1, 1],
    bindings:
      name === 'double'
        ? [binding(0, 'read-only-storage'), binding(1, 'storage')]
        : [binding(1, 'storage', name === 'scratch' ? 16 : 4)],
    scratchBytes: name === 'scratch' ? 4096 : 0,
    mode: 'scalar',
  };
}

const bodies: Record<KernelName, (run: FunctionBuilder) => void> = {
  double(run) {
    const [from, to, i, end] = [run.local('i32'), run.local('i32'), run.local('i32'), run.local('i32')];
    run.get(0).memory('i32.load', 16).set(from);
    run.get(0).memory('i32.load', 24).set(to);
    run.get(2).i32(64).op('i32.mul').tee(i).get(3).i32(64).op('i32.mul').op('i32.add').set(end);
    forEach(run, i, end, () => {
      const limit = run.begin('block');
      run.get(i).get(0).memory('i32.load', 28).i32(2).op('i32.shr_u').op('i32.ge_u').brIf(limit);
      run.get(to).get(i).i32(2).op('i32.shl').op('i32.add');
      run.get(from).get(i).i32(2).op('i32.shl').op('i32.add').memory('i32.load').i32(1).op('i32.shl');
      run.memory('i32.store');
      run.end();
    });
  },
  'add-one'(run) {
    const [i, end] = [run.local('i32'), run.local('i32')];
    run.get(2).tee(i).get(3).op('i32.add').set(end);
    forEach(run, i, end, () => {
      run.get(0).memory('i32.load', 16);
      run.get(0).memory('i32.load', 16).memory('i32.load').i32(1).op('i32.add').memory('i32.store');
    });
  },
  scratch(run) {
    const [i, end] = [run.local('i32'), run.local('i32')];
    run.get(2).tee(i).get(3).op('i32.add').set(end);
    forEach(run, i, end, () => {
      run.get(1).get(i).memory('i32.store', 4092);
      run.get(0).memory('i32.load', 16).get(i).i32(2).op('i32.shl').op('i32.add');
      run.get(1).memory('i32.load', 4092).memory('i32.store');
    });
  },
  trap(run) {
    run.op('unreachable');
  },
  endless(run) {
    const loop = run.begin('loop');
    run.br(loop).end();
  },
};

function forEach(run: FunctionBuilder, i: number, end: number, body: () => void): void {
  const done = run.begin('block');
  const loop = run.begin('loop');
  run.get(i).get(end).op('i32.ge_u').brIf(done);
  body();
  run.get(i).i32(1).op('i32.add').set(i).br(loop).end().end();
}
