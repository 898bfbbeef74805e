// TensorFlow.js on WebGPU.
import { ditParameterShapes, parseDiTConfig } from '@paris/dit';
import { ADAM } from '../rows.js';
import { tf, versionOf, wasmFolder } from './installed-tfjs.js';
import { ditOver, peerWeights } from './peer-dit.js';

/** q, k, v [B, N, H, d]; composed, as the library has no attention of its own. */
function attention(q, k, v) {
  const [qh, kh, vh] = [q, k, v].map((x) => tf.transpose(x, [0, 2, 1, 3]));
  return tf.transpose(heads(qh, kh, vh), [0, 2, 1, 3]);
}

/** q, k, v [B, H, N, d] */
function heads(q, k, v) {
  const scores = tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(q.shape[3]));
  return tf.matMul(tf.softmax(scores), v);
}

function gelu(x) {
  const inner = tf.mul(tf.add(x, tf.mul(tf.mul(tf.square(x), x), 0.044715)), Math.sqrt(2 / Math.PI));
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1));
}

const ops = {
  constant: (data, shape) => tf.tensor(data, shape),
  ...{ add: tf.add, mul: tf.mul, reshape: tf.reshape, transpose: tf.transpose, split: tf.split, concat: tf.concat },
  ...{ sin: tf.sin, cos: tf.cos, gelu, attention },
  silu: (x) => tf.mul(x, tf.sigmoid(x)),
  norm(x, eps) {
    const { mean, variance } = tf.moments(x, -1, true);
    return tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, eps)));
  },
  // What the dense layers of the library call.
  linear: (x, weight, bias) =>
    tf.reshape(tf.fused.matMul({ a: tf.reshape(x, [-1, weight.shape[0]]), b: weight, bias }), [
      ...x.shape.slice(0, -1),
      weight.shape[1],
    ]),
};

/** @param {'webgpu' | 'wasm'} backend */
export async function open(backend, sayWaits) {
  sayWaits?.();
  if (backend === 'wasm') tf.setWasmPaths(wasmFolder);
  if (!(await tf.setBackend(backend))) throw new Error(`its backend ${backend} does not start`);
  await tf.ready();
  return { version: `@tensorflow/tfjs-backend-${backend} ${versionOf(backend)}`, works };
}

const works = {
  matmul({ layout, epilogue }, sets) {
    const [transposeA, transposeB] = [layout === 'aᵀ·b', layout === 'a·bᵀ'];
    return work(({ a, b, bias, gate, residual }) => {
      if (!epilogue) return { out: tf.matMul(a, b, transposeA, transposeB) };
      const dense = tf.fused.matMul({ a, b, bias });
      return { out: epilogue === 'gelu' ? gelu(dense) : tf.add(residual, tf.mul(dense, gate)) };
    }, sets);
  },

  attention({ backward }, sets) {
    if (!backward) return work(({ q, k, v }) => ({ out: attention(q, k, v) }), sets);
    return work(({ q, k, v, cotangent }) => {
      const weighted = (q, k, v) => tf.sum(tf.mul(attention(q, k, v), cotangent));
      const { value, grads } = tf.valueAndGrads(weighted)([q, k, v]);
      const [dq, dk, dv] = grads;
      return { out: value, dq, dk, dv };
    }, sets);
  },

  async 'dit forward'(row, sets) {
    const dit = ditOver(ops, row.dit);
    const params = await parameters(row.dit);
    return work(({ latents, time }) => ({ out: dit(params, latents, time) }), sets);
  },

  async 'dit train step'(row, sets) {
    return { launch: await training(row, sets), read: readAll, release: (results) => tf.dispose(results) };
  },

  /** From numbers on the host to the loss. */
  'dit first step'(row, sets) {
    const launch = async () => (await training(row, sets))();
    return { launch, read: readAll, release: (results) => tf.dispose(results) };
  },
};

/** What is given becomes a buffer when it is first read: before anything is timed. */
async function settled(tensors) {
  for (const x of tensors) {
    const sum = tf.add(x, 0);
    await sum.data();
    sum.dispose();
  }
}

function uploadAll(inputs) {
  return Object.fromEntries(Object.entries(inputs).map(([name, { data, shape }]) => [name, tf.tensor(data, shape)]));
}

async function readAll(results) {
  const read = Object.entries(results).map(async ([name, x]) => [name, await x.data()]);
  return Object.fromEntries(await Promise.all(read));
}

async function work(fn, sets) {
  const inputs = sets.map(uploadAll);
  await settled(inputs.flatMap((one) => Object.values(one)));
  return {
    launch: (set) => tf.tidy(() => fn(inputs[set])),
    read: readAll,
    release: (results) => tf.dispose(results),
    close: () => tf.dispose(inputs),
  };
}

async function parameters({ config }) {
  const weights = peerWeights(ditParameterShapes(parseDiTConfig(config)));
  const params = Object.fromEntries(
    weights.map(({ path, data, shape }) => [path, tf.variable(tf.tensor(data, shape))]),
  );
  await settled(Object.values(params));
  return params;
}

async function training(row, sets) {
  const dit = ditOver(ops, row.dit);
  const params = await parameters(row.dit);
  const { latents, time, target } = uploadAll(sets[0]);
  await settled([latents, time, target]);
  const { learningRate, beta1, beta2, eps } = ADAM;
  const optimizer = tf.train.adam(learningRate, beta1, beta2, eps);
  const lossOf = () => tf.mean(tf.squaredDifference(dit(params, latents, time), target));
  return () => ({ loss: optimizer.minimize(lossOf, true, Object.values(params)) });
}
