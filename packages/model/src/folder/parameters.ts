/** Do the tensors of a file fit the parameters of a network? Asked before any weight is read. */

import type { SafetensorsHeader } from '@paris/files/safetensors';
import { flattenTree, key, type Tensor, type TreeOf } from '@paris/tensor';
import { shortList } from '../short-list.js';

/** What is wrong, one sentence each; none if keys and shapes agree. */
export function compareParameters(expected: TreeOf<Tensor>, header: SafetensorsHeader): string[] {
  const shapes = new Map(flattenTree<Tensor>(expected).map(({ path, value }) => [path, value.shape]));
  const found = new Map(header.entries.map(({ name, shape }) => [name, shape]));
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

/** Whether floats hold no NaN and no infinity; told by their bits, in one pass. */
export function isFiniteData(data: ArrayBufferView): boolean {
  if (!(data instanceof Float32Array)) return true;
  const exponent = 0x7f800000;
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
  for (let i = 0; i < bits.length; i++) if ((bits[i]! & exponent) === exponent) return false;
  return true;
}

/** A network's parameters as `init` gives them: lazy, so their shapes cost nothing. */
export function parameterShapes(network: { init(from: ReturnType<typeof key>): TreeOf<Tensor> }): TreeOf<Tensor> {
  return network.init(key(0));
}
