// Kernels from one process to the next: what is read is what was written, and what cannot be read or written does no harm.
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { compileProgram } from '../compile/compile.js';
import type { Compiler } from '../gpu/compiler.js';
import { dispatch, pipelineOf, readback, storage } from '../gpu/device.testing.js';
import { Gpu } from '../gpu/gpu.js';
import type { KnownText } from '../gpu/known-kernels.js';
import { LANGUAGE_FEATURES, parseModule } from '../wgsl/check-module.js';
import { KernelFolder } from './kernel-folder.js';

const build = '0123456789abcdef';
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paris-kernels-'));
  vi.stubEnv('PARIS_CACHE', folder);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

const textOf = (...sizes: number[]): KnownText => ({
  isSound: true,
  bytes: 0,
  kernels: new Map(
    sizes.map((size, i) => [
      `key ${i}`,
      {
        workgroupBytes: 16 * i,
        kernel: {
          wasm: Uint8Array.from({ length: size }, (_, at) => at % 13), // with line feeds
          workgroupSize: [4, 2, 1],
          bindings: [{ group: 0, binding: i, kind: 'uniform', minimumBytes: 4 }],
          scratchBytes: 64,
          mode: 'lanes',
        } as const,
      },
    ]),
  ),
});
const filesIn = () => readdir(join(folder, build));

it('gives what another process has written, of the same build only', () => {
  new KernelFolder(folder, build).write('a', textOf(30, 0, 500));
  const found = new KernelFolder(folder, build).read('a');
  expect(found).toMatchObject({ isSound: true, kernels: textOf(30, 0, 500).kernels });
  expect(new KernelFolder(folder, build).read('b')).toBeUndefined();
  expect(new KernelFolder(folder, 'fedcba9876543210').read('a')).toBeUndefined();
});

it('takes no file that is cut off or has other bytes', async () => {
  const kept = new KernelFolder(folder, build);
  kept.write('a', textOf(30));
  const file = join(folder, build, (await filesIn())[0]!);
  const whole = await readFile(file);
  for (const wrong of [
    whole.subarray(0, 20),
    whole.subarray(0, -1),
    whole.map((byte, i) => (i === 99 ? 1 ^ byte : byte)),
  ]) {
    await writeFile(file, wrong);
    expect(kept.read('a')).toBeUndefined();
  }
  await writeFile(file, whole);
  expect(kept.read('a')?.kernels.size).toBe(1);
});

it('takes nothing of a folder that others may write to', async () => {
  const kept = new KernelFolder(folder, build);
  kept.write('a', textOf(30));
  await chmod(join(folder, build), 0o777);
  expect(new KernelFolder(folder, build).read('a')).toBeUndefined();
});

it('keeps nothing where it may not write', async () => {
  await writeFile(join(folder, 'file'), '');
  const kept = new KernelFolder(join(folder, 'file'), build);
  kept.write('a', textOf(30));
  expect(kept.read('a')).toBeUndefined();
});

it('makes room: the files and builds that were written longest ago go, and no others', async () => {
  const kept = new KernelFolder(folder, build);
  for (const text of ['a', 'b', 'c', 'd', 'e']) kept.write(text, textOf(1));
  const then = async (name: string, days: number) => {
    const at = new Date(Date.now() - days * 86_400_000);
    await utimes(join(folder, name), at, at);
  };
  for (const [i, name] of (await filesIn()).entries()) await then(`${build}/${name}`, i);
  const oldest = (await filesIn()).slice(2);
  const others = ['1', '2', '3', '4'].map((digit) => digit.repeat(16));
  for (const [i, name] of [...others, 'mine'].entries()) {
    await mkdir(join(folder, name));
    await then(name, 1 + i);
  }
  await writeFile(join(folder, build, 'notes'), '');
  new KernelFolder(folder, build, 4).write('f', textOf(1));
  expect((await readdir(folder)).sort()).toEqual([build, '1'.repeat(16), '2'.repeat(16), 'mine'].sort());
  const left = await filesIn();
  expect(left).toContain('notes');
  expect(left.filter((name) => oldest.includes(name))).toEqual([]);
  expect(left).toHaveLength(2 + 1 + 1);
});

it('a process compiles nothing that an earlier one has compiled, and computes the same', async () => {
  const code =
    '@group(0) @binding(0) var<storage, read_write> x: array<f32>;\n@compute @workgroup_size(4) fn main(@builtin(global_invocation_id) id: vec3u) { x[id.x] = sqrt(f32(id.x)); }';
  const process = async (keepKernels?: boolean) => {
    const counts = { parsed: 0, compiled: 0 };
    const compiler: Compiler = {
      languageFeatures: LANGUAGE_FEATURES,
      fingerprint: build,
      parse: (...of) => {
        counts.parsed++;
        return parseModule(...of);
      },
      compile: (...of) => {
        counts.compiled++;
        return compileProgram(...of);
      },
    };
    const adapter = await new Gpu(compiler, {
      threads: 1,
      ...(keepKernels !== undefined && { keepKernels }),
    }).requestAdapter();
    const device = await adapter!.requestDevice();
    const pipeline = pipelineOf(device, code);
    const buffer = storage(device, [0, 0, 0, 0]);
    const entries = [{ binding: 0, resource: { buffer } }];
    dispatch(device, pipeline, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }), 1);
    const values = Array.from(new Float32Array(Uint32Array.from(await readback(device, buffer)).buffer));
    device.destroy();
    expect(values).toEqual([0, 1, Math.fround(Math.SQRT2), Math.fround(Math.sqrt(3))]);
    return counts;
  };
  expect(await process(false)).toEqual({ parsed: 1, compiled: 1 });
  expect(await readdir(folder)).toEqual([]);
  expect(await process()).toEqual({ parsed: 1, compiled: 1 });
  expect(await process()).toEqual({ parsed: 0, compiled: 0 });
  await rm(join(folder, 'paris-kernels'), { recursive: true });
  expect(await process()).toEqual({ parsed: 1, compiled: 1 });
});
