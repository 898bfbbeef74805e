// The released sizes with weights that are drawn: their values change no time.
import { dit, ditParameterShapes, ditPresets } from '@paris/dit';
import { packedExpert, writtenTensors } from '@paris/model';
import { hostUniform, key, uploadTensor } from '@paris/tensor';

/** DiT-XL/2 or DiT-B/2, or for a rehearsal one that is tiny. */
export function configOf(name, tiny) {
  const config = ditPresets[name];
  return tiny
    ? { ...config, inputSize: 8, hiddenSize: 64, depth: 1, heads: 2, condition: { kind: 'embeddings', width: 32 } }
    : config;
}

/** An expert, and its weights on the device in a format: `f32`, `f16`, `q8`, `q4`. Matrices of one shape are drawn once. */
export function drawnExpert(device, config, format) {
  const packs = format.startsWith('q');
  const expert = packs ? packedExpert(dit.fromConfig(config)) : dit.fromConfig(config);
  const drawn = new Map();
  const params = {};
  let bytes = 0;
  for (const [name, shape] of Object.entries(ditParameterShapes(config))) {
    // Whether a matrix is packed depends on its shape and on its name's ending.
    const id = `${name.split('.').slice(-2).join('.')} ${shape}`;
    if (!drawn.has(id)) {
      const count = shape.reduce((product, size) => product * size, 1);
      const data = hostUniform(key(drawn.size), count).map((u) => 0.04 * (u - 0.5));
      drawn.set(id, { name, tensors: writtenTensors(name, { data, shape, dtype: 'f32' }, format) });
    }
    const { name: own, tensors } = drawn.get(id);
    for (const [path, tensor] of tensors) {
      params[path.replace(own, name)] = uploadTensor(device, tensor);
      bytes += tensor.data.length * (tensor.dtype === 'f16' ? 2 : 4); // on the host f16 is Float32Array
    }
  }
  return { expert, params, bytes };
}

/** What an expert is asked with, for a batch. */
export function drawnInput(device, { channels, inputSize, condition }, batch, dtype = 'f32') {
  const drawn = (seed, shape) => {
    const count = shape.reduce((product, size) => product * size, 1);
    return device.tensor(hostUniform(key(seed), count), { shape, dtype });
  };
  const time = device.tensor(new Float32Array(batch).fill(0.5), { shape: [batch] });
  const tokens = drawn(2, [batch, 77, condition.width]);
  return { latents: drawn(1, [batch, channels, inputSize, inputSize]), time, tokens };
}
