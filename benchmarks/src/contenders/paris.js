// Ours: compiled functions.
import { createDiT, ditParameterShapes, parseDiTConfig } from '@paris/dit';
import { attention, gelu, mse, openDevice, unflattenTree, valueAndGrad } from '@paris/tensor';
import { adamw } from '@paris/tensor/optim';
import { ADAM, ditWeights } from '../rows.js';

export async function open() {
  const device = await openDevice();
  return { version: '@paris/tensor 0.1.0', works: worksOn(device) };
}

function worksOn(device) {
  return {
    matmul({ layout, epilogue }, sets) {
      return pure(
        device,
        ({ a, b, bias, gate, residual }) => {
          const x = layout === 'aᵀ·b' ? a.transpose() : a;
          const y = layout === 'a·bᵀ' ? b.transpose() : b;
          const product = x.matmul(y);
          if (epilogue === 'gelu') return { out: gelu(product.add(bias)) };
          if (epilogue === 'gate') return { out: residual.add(product.add(bias).mul(gate)) };
          return { out: product };
        },
        sets,
      );
    },

    attention({ backward }, sets) {
      if (!backward) return pure(device, ({ q, k, v }) => ({ out: attention(q, k, v) }), sets);
      return pure(
        device,
        ({ cotangent, ...qkv }) => {
          const weighted = ({ q, k, v }) => attention(q, k, v).mul(cotangent).sum();
          const [out, { q, k, v }] = valueAndGrad(weighted)(qkv);
          return { out, dq: q, dk: k, dv: v };
        },
        sets,
      );
    },

    'dit forward'(row, sets) {
      const { dit, params } = network(device, row.dit);
      const inputs = sets.map((one) => uploadAll(device, one));
      const step = device.compile((params, { latents, time }) => ({ out: dit.apply(params, { latents, time }) }));
      return { launch: (set) => step(params, inputs[set]), read: readAll, release: disposeAll };
    },

    async 'dit train step'(row, [set]) {
      return { launch: await training(device, row, set), read: readAll, release: disposeAll };
    },

    /** From numbers on the host to the loss. */
    'dit first step'(row, [set]) {
      const launch = async () => (await training(device, row, set))();
      return { launch, read: readAll, release: disposeAll };
    },

    dispatches: () => dispatchesOn(device.gpu),
  };
}

/** A pure function of its inputs. */
function pure(device, fn, sets) {
  const inputs = sets.map((one) => uploadAll(device, one));
  const step = device.compile(fn);
  return {
    launch: (set) => step(inputs[set]),
    read: readAll,
    release: disposeAll,
    close: () => inputs.forEach(disposeAll),
  };
}

/** A DiT, and its weights on the device. */
function network(device, { config: given }) {
  const config = parseDiTConfig(given);
  const weights = ditWeights(ditParameterShapes(config));
  const params = unflattenTree(weights.map(({ path, ...x }) => ({ path, value: upload(device, x) })));
  return { dit: createDiT(config), params };
}

async function training(device, row, set) {
  const batch = uploadAll(device, set);
  const { dit, params } = network(device, row.dit);
  const optimizer = adamw(ADAM);
  let state = await device.run(optimizer.init(params));
  const step = device.compile(
    (state, { latents, time, target }) => {
      const lossOf = (params) => mse(dit.apply(params, { latents, time }), target);
      const [loss, gradients] = valueAndGrad(lossOf)(state.params);
      return { state: optimizer.update(state, gradients), loss };
    },
    { donate: [0] },
  );
  return async () => {
    const result = await step(state, batch);
    state = result.state;
    return { loss: result.loss };
  };
}

function upload(device, { data, shape }) {
  return device.tensor(data, { shape });
}

function uploadAll(device, inputs) {
  return Object.fromEntries(Object.entries(inputs).map(([name, x]) => [name, upload(device, x)]));
}

async function readAll(results) {
  const read = Object.entries(results).map(async ([name, x]) => [name, await x.read()]);
  return Object.fromEntries(await Promise.all(read));
}

function disposeAll(results) {
  for (const x of Object.values(results)) x.dispose();
}

/** WebGPU itself: a thousand dispatches of one workgroup, each of which adds one to a number. */
function dispatchesOn(gpu) {
  const code = `@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@compute @workgroup_size(1) fn main() { x[0] += 1.0; }`;
  const compute = { module: gpu.createShaderModule({ code }) };
  const pipeline = gpu.createComputePipeline({ layout: 'auto', compute });
  const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = { STORAGE: 128, COPY_SRC: 4, COPY_DST: 8, MAP_READ: 1 };
  const buffer = gpu.createBuffer({ size: 4, usage: STORAGE | COPY_SRC });
  const result = gpu.createBuffer({ size: 4, usage: MAP_READ | COPY_DST });
  const entries = [{ binding: 0, resource: { buffer } }];
  const group = gpu.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  return {
    launch() {
      const encoder = gpu.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      for (let i = 0; i < 1000; i++) pass.dispatchWorkgroups(1);
      pass.end();
      encoder.copyBufferToBuffer(buffer, 0, result, 0, 4);
      gpu.queue.submit([encoder.finish()]);
    },
    async read() {
      await result.mapAsync(1);
      const count = new Float32Array(result.getMappedRange().slice(0));
      result.unmap();
      return { count };
    },
    release() {},
  };
}
