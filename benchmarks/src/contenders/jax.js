// jax-js: everything inside `jit`.
import './iterator-helpers.js';
import { ditParameterShapes, parseDiTConfig } from '@paris/dit';
import { ADAM } from '../rows.js';
import { version } from './installed-jax.js';
import { ditOver, peerWeights } from './peer-dit.js';

const jax = await import('@jax-js/jax');
const { numpy: np, nn, tree } = jax;

// An argument is consumed by what it is given to; `.ref` keeps it.
const ops = {
  constant: (data, shape) => np.array(Float32Array.from(data)).reshape(shape),
  add: (a, b) => a.ref.add(b.ref),
  mul: (a, b) => a.ref.mul(b.ref),
  reshape: (x, shape) => x.ref.reshape(shape),
  transpose: (x, axes) => np.transpose(x.ref, axes),
  split: (x, count, axis) => np.split(x.ref, count, axis),
  concat: (parts, axis) => np.concatenate(parts, axis),
  sin: (x) => np.sin(x.ref),
  cos: (x) => np.cos(x.ref),
  silu: (x) => nn.silu(x.ref),
  gelu: (x) => nn.gelu(x.ref),
  norm: (x, epsilon) => nn.standardize(x.ref, -1, { epsilon }),
  linear: (x, weight, bias) => np.matmul(x.ref, weight.ref).add(bias.ref),
  attention: (q, k, v) => nn.dotProductAttention(q, k, v),
};

/** @param {'webgpu' | 'wasm'} backend */
export async function open(backend, sayWaits) {
  sayWaits?.();
  await jax.init(backend);
  jax.defaultDevice(backend);
  return { version: `@jax-js/jax ${version}`, works };
}

const works = {
  matmul({ layout, epilogue }, sets) {
    return pure(({ a, b, bias, gate, residual }) => {
      const x = layout === 'aᵀ·b' ? np.matrixTranspose(a) : a;
      const y = layout === 'a·bᵀ' ? np.matrixTranspose(b) : b;
      const product = np.matmul(x, y);
      if (epilogue === 'gelu') return { out: nn.gelu(product.add(bias)) };
      if (epilogue === 'gate') return { out: residual.add(product.add(bias).mul(gate)) };
      return { out: product };
    }, sets);
  },

  attention({ backward }, sets) {
    if (!backward) return pure(({ q, k, v }) => ({ out: nn.dotProductAttention(q, k, v) }), sets);
    return pure(({ q, k, v, cotangent }) => {
      const weighted = (q, k, v, w) => nn.dotProductAttention(q, k, v).mul(w).sum();
      const [out, [dq, dk, dv]] = jax.valueAndGrad(weighted, { argnums: [0, 1, 2] })(q, k, v, cotangent);
      return { out, dq, dk, dv };
    }, sets);
  },

  async 'dit forward'(row, sets) {
    const dit = ditOver(ops, row.dit);
    const params = parameters(row.dit);
    const inputs = sets.map(uploadAll);
    await jax.blockUntilReady([params, inputs]);
    const step = jax.jit((params, { latents, time }) => ({ out: dit(params, latents, time) }));
    return {
      launch: (set) => step(tree.ref(params), tree.ref(inputs[set])),
      settle: (all) => jax.blockUntilReady(all),
      read: readAll,
      release: (results) => tree.dispose(results),
    };
  },

  async 'dit train step'(row, sets) {
    return { launch: await training(row, sets), read: readAll, release: (results) => tree.dispose(results) };
  },

  /** From numbers on the host to the loss. */
  'dit first step'(row, sets) {
    const launch = async () => (await training(row, sets))();
    return { launch, read: readAll, release: (results) => tree.dispose(results) };
  },
};

function upload({ data, shape }) {
  return np.array(data.slice()).reshape(shape);
}

function uploadAll(inputs) {
  return Object.fromEntries(Object.entries(inputs).map(([name, x]) => [name, upload(x)]));
}

async function readAll(results) {
  const read = Object.entries(results).map(async ([name, x]) => [name, await x.ref.data()]);
  return Object.fromEntries(await Promise.all(read));
}

/** A pure function of its inputs, in this order. It is lazy: what is released before anybody waits for it does not run. */
async function pure(fn, sets) {
  const inputs = sets.map(uploadAll);
  await jax.blockUntilReady(inputs);
  const step = jax.jit(fn);
  return {
    launch: (set) => step(tree.ref(inputs[set])),
    settle: (all) => jax.blockUntilReady(all),
    read: readAll,
    release: (results) => tree.dispose(results),
    close: () => tree.dispose(inputs),
  };
}

function parameters({ config }) {
  return Object.fromEntries(
    peerWeights(ditParameterShapes(parseDiTConfig(config))).map(({ path, ...x }) => [path, upload(x)]),
  );
}

async function training(row, sets) {
  const dit = ditOver(ops, row.dit);
  let params = parameters(row.dit);
  const zeros = () => Object.fromEntries(Object.entries(params).map(([path, x]) => [path, np.zeros(x.shape)]));
  let moments = { m: zeros(), v: zeros(), power1: np.array(1), power2: np.array(1) };
  const batch = uploadAll(sets[0]);
  await jax.blockUntilReady([params, moments, batch]);
  const { learningRate, beta1, beta2, eps } = ADAM;
  const step = jax.jit((params, moments, { latents, time, target }) => {
    const lossOf = (p) => np.square(dit(p, latents, time).sub(target.ref)).mean();
    const [loss, gradients] = jax.valueAndGrad(lossOf)(tree.ref(params));
    const power1 = moments.power1.mul(beta1);
    const power2 = moments.power2.mul(beta2);
    const next = { params: {}, m: {}, v: {} };
    for (const path of Object.keys(params)) {
      const g = gradients[path];
      const m = moments.m[path].mul(beta1).add(g.ref.mul(1 - beta1));
      const v = moments.v[path].mul(beta2).add(np.square(g).mul(1 - beta2));
      next.m[path] = m.ref;
      next.v[path] = v.ref;
      const size = m.div(np.array(1).sub(power1.ref));
      const root = np.sqrt(v.div(np.array(1).sub(power2.ref))).add(eps);
      next.params[path] = params[path].sub(size.div(root).mul(learningRate));
    }
    return [{ loss }, next.params, { m: next.m, v: next.v, power1, power2 }];
  });
  return async () => {
    const [result, nextParams, nextMoments] = step(params, moments, tree.ref(batch));
    [params, moments] = [nextParams, nextMoments];
    await jax.blockUntilReady(result); // faster than steps that gather until the last one is read
    return result;
  };
}
