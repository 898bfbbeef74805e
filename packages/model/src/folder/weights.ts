// Weights from a model folder to a device.

import type { FileSource } from '@paris/files';
import { shortList } from '@paris/files';
import { streamSafetensors } from '@paris/files/safetensors';
import {
  CheckpointError,
  type Device,
  flattenTree,
  type Tensor,
  type TreeOf,
  unflattenTree,
  uploadTensor,
  ValueError,
} from '@paris/tensor';
import type { ReadNetwork } from './networks.js';
import { isFiniteData } from './parameters.js';

/** Networks' weights on a device, and how to get rid of them. */
export interface WeightLoader {
  /** Reads a network's file, uploads every tensor. Throws a CheckpointError if one holds NaN, infinity or what becomes it. */
  load(network: ReadNetwork<unknown>): Promise<TreeOf<Tensor>>;
  /** How many bytes of device memory `load` takes. */
  deviceBytes(network: ReadNetwork<unknown>): number;
  /** Gives back what one `load` made. */
  unload(params: TreeOf<Tensor>): void;
  /** Gives back all that was loaded and not unloaded. From then on `load` refuses, one that is under way too. */
  release(): void;
}

/**
 * Loads weights, one file after the other, tensor by tensor.
 * @param floats - how floats lie in device memory, whatever the files hold; scales of packed matrices stay what they are
 */
export function weightLoader(device: Device, files: FileSource, floats: 'f32' | 'f16'): WeightLoader {
  const half = device.hasFeature('shader-f16');
  const owned = new Set<Tensor>();
  let released = false;
  const assertOpen = () => {
    if (released) throw new ValueError('loadPipeline', 'the model was closed. Load it again.');
  };
  const dispose = (tensors: Iterable<Tensor>) => {
    for (const tensor of tensors) {
      tensor.dispose();
      owned.delete(tensor);
    }
  };
  const upload = async (network: ReadNetwork<unknown>, leaves: { path: string; value: Tensor }[]) => {
    const { folder, tensors = () => streamSafetensors(files, `${folder}/model.safetensors`) } = network;
    const broken: string[] = [];
    const beyond: string[] = [];
    for await (const [path, tensor] of tensors()) {
      assertOpen();
      const isKept = half && isPackedScale(path, leaves.at(-1)?.value.dtype === 'u32');
      const value = uploadTensor(device, tensor, isKept ? undefined : floats);
      owned.add(value);
      leaves.push({ path, value });
      const fits = isFiniteData(tensor.data, value.dtype === 'f16' ? 'f16' : 'f32'); // most are: one pass over the numbers
      if (!fits) (isFiniteData(tensor.data) ? beyond : broken).push(path);
    }
    assertOpen();
    refuse(folder, 'NaN or infinity', broken, 'Train it again, or from an earlier checkpoint');
    refuse(folder, 'numbers beyond f16', beyond, 'Load the model in f32');
    return unflattenTree(leaves);
  };
  return {
    async load(network) {
      if (!network.hasWeights) return {};
      const leaves: { path: string; value: Tensor }[] = [];
      try {
        return await upload(network, leaves);
      } catch (error) {
        dispose(leaves.map(({ value }) => value)); // of a file that failed in its middle
        throw error;
      }
    },
    deviceBytes: ({ stored }) =>
      stored.reduce((sum, { name, dtype, shape }, i) => {
        const kept = half && isPackedScale(name, stored[i - 1]?.dtype === 'U32');
        const isHalf = kept ? dtype === 'F16' : floats === 'f16' && /^B?F/.test(dtype);
        return sum + shape.reduce((product, n) => product * n, isHalf ? 2 : 4);
      }, 0),
    unload: (params) => dispose(flattenTree<Tensor>(params).map(({ value }) => value)),
    release() {
      released = true;
      dispose([...owned]);
    },
  };
}

/** @throws CheckpointError if there are such tensors */
function refuse(folder: string, what: string, tensors: readonly string[], advice: string): void {
  if (tensors.length === 0) return;
  throw new CheckpointError('loadPipeline', `${folder}: ${what} in ${shortList(tensors)}. ${advice}.`);
}

/** Whether a tensor is the scale of a packed matrix, which is right before it. */
function isPackedScale(path: string, followsWords: boolean): boolean {
  return followsWords && path.endsWith('.scale');
}
