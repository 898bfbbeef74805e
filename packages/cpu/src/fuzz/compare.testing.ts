// One program on two devices: what each says of it, and what it computes.
import { storage, U } from '../gpu/device.testing.js';
import { ROUGH } from './forms.testing.js';
import { FLOATS, PortableWriter, WORDS } from './portable.testing.js';
import { Random } from './random.testing.js';

export interface Problem {
  readonly marked: string;
  readonly rough: readonly number[];
  readonly size: number;
  readonly inputs: { readonly data: Uint32Array; readonly words: Uint32Array; readonly limits: Uint32Array };
}

const GROUPS = 3;

/** The program of a seed. */
export function problemOf(seed: number): Problem {
  const random = new Random(seed * 7919 + 1);
  const size = random.pick([8, 7, 16, 6]);
  const writer = new PortableWriter(random, seed % 2 === 1);
  const data = Float32Array.from({ length: 2 * size + 1 }, (_, i) => (i % 5 === 0 ? -i : i / 8));
  return {
    marked: writer.program(size),
    rough: writer.rough,
    size,
    inputs: {
      data: new Uint32Array(data.buffer),
      words: Uint32Array.from({ length: 2 * size + 3 }, (_, i) =>
        i % 4 === 0 ? random.below(2 ** 24) * 256 : random.below(50),
      ),
      limits: new Uint32Array([random.below(30), random.below(3 * size), 1 + random.below(9), 0]),
    },
  };
}

/** The pipeline of a text, or why there is none. */
export async function compileOn(device: GPUDevice, code: string): Promise<GPUComputePipeline | string> {
  device.pushErrorScope('validation');
  const module = device.createShaderModule({ code });
  const made = device
    .createComputePipelineAsync({ layout: 'auto', compute: { module } })
    .catch((error: Error) => error);
  const [fault, pipeline] = await Promise.all([device.popErrorScope(), made]);
  if (fault) return fault.message;
  return pipeline instanceof Error ? pipeline.message : pipeline;
}

interface Results {
  readonly out: Uint32Array;
  readonly exact: Float32Array;
  readonly rough: Float32Array;
  readonly seen: Float32Array;
}

export async function runOn(
  device: GPUDevice,
  pipeline: GPUComputePipeline,
  { size, inputs }: Problem,
): Promise<Results> {
  const count = size * GROUPS;
  const outputs = [WORDS, FLOATS, 3, 2].map((words) => storage(device, new Uint32Array(words * count)));
  const given = [
    storage(device, inputs.data),
    storage(device, inputs.words),
    storage(device, inputs.limits, U.UNIFORM),
  ];
  const entries = [...outputs, ...given].map((buffer, binding) => ({ binding, resource: { buffer } }));
  const total = outputs.reduce((sum, buffer) => sum + buffer.size, 0);
  const copy = device.createBuffer({ size: total, usage: U.MAP_READ | U.COPY_DST });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
  pass.dispatchWorkgroups(GROUPS);
  pass.end();
  const starts = outputs.map(() => 0);
  let end = 0;
  outputs.forEach((buffer, i) => {
    starts[i] = end;
    encoder.copyBufferToBuffer(buffer, 0, copy, end, buffer.size);
    end += buffer.size;
  });
  device.queue.submit([encoder.finish()]);
  await copy.mapAsync(1);
  const bytes = copy.getMappedRange().slice(0);
  for (const buffer of [...outputs, ...given, copy]) buffer.destroy();
  const words = (i: number) => [bytes, starts[i]!, outputs[i]!.size / 4] as const;
  return {
    out: new Uint32Array(...words(0)),
    exact: new Float32Array(...words(1)),
    rough: new Float32Array(...words(2)),
    seen: new Float32Array(...words(3)),
  };
}

/** What is different though it must not be; undefined if nothing is. Zeros may have either sign. */
export function difference(problem: Problem, ours: Results, theirs: Results): string | undefined {
  const word = ours.out.findIndex((value, i) => value !== theirs.out[i]);
  if (word >= 0) return `word ${word}: ${ours.out[word]}, not ${theirs.out[word]}`;
  const float = ours.exact.findIndex((value, i) => value !== theirs.exact[i]);
  if (float >= 0) return `float ${float}: ${ours.exact[float]}, not ${theirs.exact[float]}`;
  return outOfBounds('ours', problem, ours) ?? outOfBounds('theirs', problem, theirs);
}

/** A built-in that is further from float64 than WGSL allows. */
function outOfBounds(whose: string, { rough }: Problem, results: Results): string | undefined {
  for (const [i, value] of results.rough.entries()) {
    const { text, of, error } = ROUGH[rough[i % 3]!]!;
    const x = results.seen[Math.floor(i / 3) * 2]!;
    const y = results.seen[Math.floor(i / 3) * 2 + 1]!;
    const allowed = error(x, y) + Math.abs(of(x, y)) * 2 ** -24 + 2 ** -126;
    if (!(Math.abs(value - of(x, y)) <= allowed))
      return `${whose}: ${text} at ${x}, ${y}: ${value}, not ${of(x, y)} ± ${allowed}`;
  }
  return undefined;
}
