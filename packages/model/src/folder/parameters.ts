// Do the tensors of a file fit the parameters of a network? Asked before any weight is read.
import { shortList } from '@paris/files';
import type { SafetensorsEntry } from '@paris/files/safetensors';
import { flattenTree, key, type Tensor, type TreeOf } from '@paris/tensor';
import type { QuantizedFormat } from '@paris/tensor/nn';
import { packedShapes } from '../quantized/packed.js';

/**
 * What is wrong, one sentence each; none if keys and shapes agree.
 * @param format - in which matrices may be packed
 */
export function compareParameters(
  expected: TreeOf<Tensor>,
  entries: readonly Pick<SafetensorsEntry, 'name' | 'shape'>[],
  format?: QuantizedFormat,
): string[] {
  const found = new Map(entries.map(({ name, shape }) => [name, shape]));
  const shapes = new Map<string, readonly number[]>();
  for (const { path, value } of flattenTree<Tensor>(expected)) {
    const isPacked = format && found.has(`${path}.${format}`);
    const parts = isPacked ? packedShapes(path, value.shape, format) : [[path, value.shape] as const];
    for (const [name, shape] of parts) shapes.set(name, shape);
  }
  const missing = [...shapes.keys()].filter((path) => !found.has(path));
  const unexpected = [...found.keys()].filter((path) => !shapes.has(path));
  const other = [...shapes].flatMap(([path, shape]) => {
    const got = found.get(path);
    return got && got.join() !== shape.join() ? [`${path} is [${got.join(', ')}], not [${shape.join(', ')}]`] : [];
  });
  return [
    ...(missing.length > 0 ? [`missing ${shortList(missing)}`] : []),
    ...(unexpected.length > 0 ? [`unexpected ${shortList(unexpected)}`] : []),
    ...(other.length > 0 ? [`wrong shapes: ${shortList(other)}`] : []),
  ];
}

/** The bits of the least f32 that is infinite in a format: 65520 rounds to infinity in f16. */
const infinite = { f32: 0x7f800000, f16: 0x477ff000 } as const;

/** Whether floats hold no NaN and nothing that is infinite in the format; checked by their bits, in one pass. */
export function isFiniteData(data: ArrayBufferView, format: keyof typeof infinite = 'f32'): boolean {
  if (!(data instanceof Float32Array)) return true;
  const [sizeBits, least] = [0x7fffffff, infinite[format]];
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
  for (let i = 0; i < bits.length; i++) if ((bits[i]! & sizeBits) >= least) return false;
  return true;
}

/** A network's parameters as `init` gives them: lazy, so their shapes cost nothing. */
export function parameterShapes(network: { init(from: ReturnType<typeof key>): TreeOf<Tensor> }): TreeOf<Tensor> {
  return network.init(key(0));
}
