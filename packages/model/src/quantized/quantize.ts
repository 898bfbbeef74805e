// Which weights are packed, and how whole networks are. Needed where models are written, not where they are sampled.
import { checkName } from '@paris/files';
import type { HostTensor } from '@paris/files/safetensors';
import { type Device, type HostArray, uploadTensor, ValueError } from '@paris/tensor';
import { canQuantize, type ParameterShapes, type QuantizedFormat, quantize } from '@paris/tensor/nn';
import type { Params } from '../params.js';
import { type WeightFormat, weightFormats } from './formats.js';
import { isQuantized, packedShapes } from './packed.js';

/**
 * Whether a tensor is packed: a matrix of a linear layer, inside the network. What it begins and ends with stays float, since
 * every picture goes through it: embeddings (of patches, times, words, classes), the final layer and heads. So do norms, biases
 * and tables, which are small, and rows that do not fill whole words or groups.
 */
export function isPackable(path: string, shape: readonly number[], format: QuantizedFormat): boolean {
  return /(^|[._])weight$/.test(path) && !/embed|^final|^head\b/.test(path) && canQuantize(shape, format);
}

/**
 * How many bytes a network's weights take in a format, in a file and in device memory. With q8 and q4 what is not packed is f16.
 * @throws ValueError for another format
 */
export function weightBytes(shapes: ParameterShapes, format: WeightFormat): number {
  checkName('weights', 'the format', format, weightFormats);
  let total = 0;
  for (const [path, shape] of Object.entries(shapes)) {
    const size = shape.reduce((product, n) => product * n, 1);
    const isPacked = isQuantized(format) && isPackable(path, shape, format);
    if (isPacked) total += format === 'q8' ? size + 4 * shape[0]! : size / 2 + size / 16;
    else total += size * (format === 'f32' ? 4 : 2);
  }
  return total;
}

/**
 * A tensor as a file holds it in a format: floats in f32 or f16, with q8 and q4 a matrix as words and scales and the rest in
 * f16. Tensors of whole numbers stay as they are.
 * @throws ValueError if numbers are not finite or too large, see `quantize`; for another format
 */
export function writtenTensors(
  path: string,
  tensor: HostTensor,
  format: WeightFormat,
): readonly [path: string, tensor: HostTensor][] {
  checkName('weights', 'the format', format, weightFormats);
  if (!(tensor.data instanceof Float32Array)) return [[path, tensor]];
  if (format === 'f32') return [[path, { ...tensor, dtype: 'f32' }]];
  if (!isQuantized(format) || !isPackable(path, tensor.shape, format)) return [[path, inHalf(path, tensor)]];
  try {
    const packed = quantize(tensor, format);
    const [words, scale] = packedShapes(path, tensor.shape, format);
    return [
      [words[0], 'q8' in packed ? packed.q8 : packed.q4],
      [scale[0], packed.scale],
    ];
  } catch (cause) {
    throw new ValueError('quantize', `${path}: ${(cause as Error).message.replace('[quantize] ', '')}`, { cause });
  }
}

/** @throws ValueError if a number would become infinity in f16 */
function inHalf(path: string, tensor: HostTensor): HostTensor {
  for (let i = 0; i < tensor.data.length; i++) {
    if (Math.abs(tensor.data[i]!) < 65520) continue;
    throw new ValueError('weights', `${path}: element ${i} is ${tensor.data[i]}, beyond f16. Write f32.`);
  }
  return { ...tensor, dtype: 'f16' };
}

/**
 * Packs the weights of a network that is on a device, those that {@link isPackable} names; the others are the same tensors.
 * The result is for {@link packedExpert}.
 * @example
 * const packed = await quantizeParameters(device, toFlat(params), 'q8');
 * const small = packedExpert(expert);
 * const run = device.compile((weights: Params, input: NoisyInput) => small.apply(toTree(weights), input));
 * @throws ValueError for another format; one that names the first weight whose numbers are not finite, or too large for q4
 */
export async function quantizeParameters(device: Device, params: Params, format: QuantizedFormat): Promise<Params> {
  checkName('weights', 'the format', format, ['q8', 'q4']);
  const entries: [string, Params[string]][] = [];
  for (const [path, weight] of Object.entries(params)) {
    const { shape, dtype } = weight;
    if ((dtype !== 'f32' && dtype !== 'f16') || !isPackable(path, shape, format)) {
      entries.push([path, weight]);
      continue;
    }
    const data = (await weight.read()) as HostArray<'f32'>;
    const half = device.hasFeature('shader-f16');
    for (const [name, tensor] of writtenTensors(path, { data, shape, dtype: 'f32' }, format)) {
      entries.push([name, uploadTensor(device, tensor, half ? undefined : 'f32')]);
    }
  }
  return Object.fromEntries(entries);
}

/** What the words of this path belong to; undefined for other tensors. */
export function packedName(words: string): { readonly path: string; readonly format: QuantizedFormat } | undefined {
  const [, path, format] = /^(.+)\.(q8|q4)$/.exec(words) ?? [];
  return path === undefined ? undefined : { path, format: format as QuantizedFormat };
}

/** The shapes of what is stored as networks see them: packed matrices as one tensor each. */
export function unpackedShapes(
  stored: readonly { readonly name: string; readonly shape: readonly number[] }[],
): ParameterShapes {
  const shapes = new Map(stored.map(({ name, shape }) => [name, shape]));
  for (const { name, shape } of stored) {
    const packed = packedName(name);
    if (!packed || !shapes.delete(`${packed.path}.scale`)) continue;
    shapes.delete(name);
    shapes.set(packed.path, [shape[0] ?? 0, (shape[1] ?? 0) * (packed.format === 'q8' ? 4 : 8)]);
  }
  return Object.fromEntries(shapes);
}
