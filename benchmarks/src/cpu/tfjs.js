// TensorFlow.js on @paris/cpu, in a process of its own.

import * as tf from '@tensorflow/tfjs-core';
import { errors, finish } from './gpu.js';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import '@tensorflow/tfjs-backend-webgpu';
import { data, INDICES } from './work.js';

if (!(await tf.setBackend('webgpu'))) throw new Error(`setBackend failed: ${errors}`);
await tf.ready();
// Small tensors would be computed by the library itself.
tf.env().set('WEBGPU_CPU_FORWARD', false);
const a = tf.tensor(data.a, [5, 7]);
const b = tf.tensor(data.b, [7, 6]);
const { mean, variance } = tf.moments(a, 1, true);
const given = {
  product: tf.matMul(a, b),
  softmax: tf.softmax(a),
  'sum of rows': tf.sum(a, 1),
  'mean of columns': tf.mean(a, 0),
  'largest of columns': tf.max(a, 0),
  'place of the largest of rows': tf.argMax(a, 1),
  convolution: tf.conv2d(tf.tensor(data.image, [1, 6, 6, 2]), tf.tensor(data.filter, [3, 3, 2, 4]), 1, 'valid'),
  gradient: tf.grad((x) => tf.sum(tf.square(tf.tanh(tf.matMul(x, b)))))(a),
  normalization: tf.mul(tf.sub(a, mean), tf.rsqrt(tf.add(variance, 1e-5))),
  transpose: tf.transpose(a),
  gather: tf.gather(a, tf.tensor1d(INDICES, 'int32')),
  'running sum': tf.cumsum(a, 1),
  functions: tf.addN([tf.mul(tf.exp(a), tf.sin(a)), tf.log(tf.add(tf.square(a), 1)), tf.sqrt(tf.abs(a))]),
  choice: tf.where(tf.greater(a, 0), a, tf.mul(a, 0.1)),
  joined: tf.concat([a, a], 1),
  power: tf.pow(tf.add(tf.square(a), 0.5), 1.5),
};
const outcomes = {};
for (const [name, tensor] of Object.entries(given)) outcomes[name] = [...(await tensor.data())];
finish(outcomes);
