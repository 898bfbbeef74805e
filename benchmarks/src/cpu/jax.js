// jax-js on @paris/cpu, in a process of its own.
import './gpu.js';
import '../contenders/iterator-helpers.js';
import * as jax from '@jax-js/jax';
import { finish } from './gpu.js';
import { data, INDICES } from './work.js';

await jax.init('webgpu');
jax.defaultDevice('webgpu');
const { numpy: np, nn, lax } = jax;
const put = (values, shape) => np.array(Float32Array.from(values)).reshape(shape);
const a = put(data.a, [5, 7]);
const b = put(data.b, [7, 6]);
// An argument is consumed by what it is given to; `.ref` keeps it. Convolutions have channels first.
const image = np.transpose(put(data.image, [1, 6, 6, 2]), [0, 3, 1, 2]);
const filter = np.transpose(put(data.filter, [3, 3, 2, 4]), [3, 2, 0, 1]);
const squares = (x) => np.square(np.tanh(np.matmul(x, b.ref))).sum();
const given = {
  product: () => np.matmul(a.ref, b.ref),
  softmax: () => nn.softmax(a.ref),
  'sum of rows': () => np.sum(a.ref, 1),
  'mean of columns': () => np.mean(a.ref, 0),
  'largest of columns': () => np.max(a.ref, 0),
  'place of the largest of rows': () => np.argmax(a.ref, 1),
  convolution: () => np.transpose(lax.convGeneralDilated(image, filter, [1, 1], 'VALID'), [0, 2, 3, 1]),
  gradient: () => jax.jit(jax.grad(squares))(a.ref),
  normalization: () => nn.standardize(a.ref, -1, { epsilon: 1e-5 }),
  transpose: () => np.transpose(a.ref),
  gather: () => a.ref.slice(np.array(Int32Array.from(INDICES), { dtype: np.int32 })),
  'running sum': () => np.cumsum(a.ref, 1),
  functions: () =>
    np
      .exp(a.ref)
      .mul(np.sin(a.ref))
      .add(np.log(np.square(a.ref).add(1)))
      .add(np.sqrt(np.abs(a.ref))),
  choice: () => np.where(np.greater(a.ref, 0), a.ref, a.ref.mul(0.1)),
  joined: () => np.concatenate([a.ref, a.ref], 1),
  power: () => np.power(np.square(a.ref).add(0.5), 1.5),
};
const outcomes = {};
for (const [name, compute] of Object.entries(given)) {
  outcomes[name] = [...(await compute().data())];
}
finish(outcomes);
