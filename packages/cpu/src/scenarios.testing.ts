// What a program does with the device, as tests run it in Node, Deno and Chromium: each scenario gives a sentence.
import { type CreateGpuOptions, createGpu } from './index.js';

const U = { MAP_READ: 1, COPY_SRC: 4, COPY_DST: 8, UNIFORM: 64, STORAGE: 128 };

export const mix = `
  @group(0) @binding(0) var<storage, read> input: array<f32>;
  @group(0) @binding(1) var<storage, read_write> output: array<f32>;
  @group(0) @binding(2) var<uniform> scale: vec4f;
  var<workgroup> tile: array<f32, 64>;
  @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) local: u32) {
    tile[local] = sin(input[id.x]) * scale.x + scale.y;
    workgroupBarrier();
    var sum = 0.0;
    for (var i = 0u; i <= local; i++) { sum += tile[i]; }
    output[id.x] = exp(-sum * sum) + tile[63u - local];
  }`;

const endless = `
  @group(0) @binding(0) var<storage, read_write> cell: array<u32>;
  @compute @workgroup_size(1) fn main() { loop { cell[0] += 1u; if (cell[0] == 0xffffffffu && cell[1] == 7u) { break; } } }`;

async function open(options: CreateGpuOptions): Promise<GPUDevice> {
  const adapter = await createGpu(options).requestAdapter();
  return adapter!.requestDevice();
}

function bind(device: GPUDevice, code: string, ...buffers: GPUBuffer[]): (count: number) => void {
  const pipeline = device.createComputePipeline({
    layout: 'auto',
    compute: { module: device.createShaderModule({ code }) },
  });
  const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
  const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  return (count) => {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(count);
    pass.end();
    device.queue.submit([encoder.finish()]);
  };
}

/** FNV-1a of the bytes. */
function hash(bytes: ArrayBuffer): string {
  let value = 0x811c9dc5;
  for (const byte of new Uint8Array(bytes)) value = Math.imul(value ^ byte, 0x01000193);
  return (value >>> 0).toString(16);
}

/** Fifty rounds of a kernel with workgroup memory, and the hash of what they leave. */
async function rounds(device: GPUDevice): Promise<string> {
  const size = 64 * 100 * 4;
  const one = device.createBuffer({ size, usage: U.STORAGE | U.COPY_SRC | U.COPY_DST });
  const two = device.createBuffer({ size, usage: U.STORAGE | U.COPY_SRC | U.COPY_DST });
  const scale = device.createBuffer({ size: 16, usage: U.UNIFORM | U.COPY_DST });
  device.queue.writeBuffer(
    one,
    0,
    Float32Array.from({ length: size / 4 }, (_, i) => ((i * 7919) % 1000) / 100),
  );
  const forth = bind(device, mix, one, two, scale);
  const back = bind(device, mix, two, one, scale);
  for (let round = 0; round < 25; round++) {
    device.queue.writeBuffer(scale, 0, new Float32Array([1 + round / 8, round / 16, 0, 0]));
    forth(100);
    back(100);
  }
  const copy = device.createBuffer({ size, usage: U.MAP_READ | U.COPY_DST });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(one, copy);
  device.queue.submit([encoder.finish()]);
  await copy.mapAsync(1);
  return hash(copy.getMappedRange());
}

export const scenarios: Readonly<Record<string, (options: CreateGpuOptions) => Promise<string>>> = {
  /** Computes and leaves the device open. */
  async rounds(options) {
    const device = await open(options);
    return `${device.adapterInfo.description}: ${await rounds(device)}`;
  },
  /** Nobody awaits the map that decides when the program ends. */
  async 'pending map'(options) {
    const device = await open(options);
    const buffer = device.createBuffer({ size: 4, usage: U.MAP_READ | U.COPY_DST });
    const cell = device.createBuffer({ size: 64 * 2000 * 4, usage: U.STORAGE });
    const scale = device.createBuffer({ size: 16, usage: U.UNIFORM });
    bind(device, mix, cell, device.createBuffer({ size: cell.size, usage: U.STORAGE }), scale)(2000);
    void buffer.mapAsync(1).then(() => console.log('mapped'));
    return 'left';
  },
  async 'pending pipeline'(options) {
    const device = await open(options);
    const module = device.createShaderModule({ code: mix });
    void device.createComputePipelineAsync({ layout: 'auto', compute: { module } }).then(() => console.log('compiled'));
    return 'left';
  },
  async endless(options) {
    const device = await open(options);
    const cell = device.createBuffer({ size: 8, usage: U.STORAGE });
    bind(device, endless, cell)(4);
    const buffer = device.createBuffer({ size: 4, usage: U.MAP_READ | U.COPY_DST });
    const pending = [device.queue.onSubmittedWorkDone(), buffer.mapAsync(1), device.lost];
    setTimeout(() => device.destroy(), 50);
    const settled = await Promise.allSettled(pending);
    // Another device of the same GPU is not concerned.
    return `${settled.map(({ status }) => status).join(' ')}, then ${await rounds(await open(options))}`;
  },
};
