// Weights from a model folder to a device.
import type { FileSource } from '@paris/files';
import { streamSafetensors } from '@paris/files/safetensors';
import { CheckpointError, type Device, type Tensor, type TreeOf, unflattenTree, uploadTensor } from '@paris/tensor';
import { shortList } from '../short-list.js';
import type { ReadNetwork } from './networks.js';
import { isFiniteData } from './parameters.js';

/** Networks' weights on a device, and how to get rid of them. */
export interface WeightLoader {
  /** Reads a network's file, uploads every tensor. Throws a CheckpointError if one holds NaN or infinity. */
  load(network: ReadNetwork<unknown>): Promise<TreeOf<Tensor>>;
  /** Gives back all that was loaded, of files that failed in their middle, too. */
  release(): void;
}

/**
 * Loads weights, one file after the other, tensor by tensor.
 * @param floats - how floats lie in device memory, whatever the files hold
 */
export function weightLoader(device: Device, files: FileSource, floats: 'f32' | 'f16'): WeightLoader {
  const owned: Tensor[] = [];
  return {
    async load({ folder, hasWeights }) {
      if (!hasWeights) return {};
      const broken: string[] = [];
      const leaves: { path: string; value: Tensor }[] = [];
      for await (const [path, tensor] of streamSafetensors(files, `${folder}/model.safetensors`)) {
        if (!isFiniteData(tensor.data)) broken.push(path);
        const value = uploadTensor(device, tensor, floats);
        owned.push(value);
        leaves.push({ path, value });
      }
      if (broken.length === 0) return unflattenTree(leaves);
      const where = `${folder}: NaN or infinity in ${shortList(broken)}`;
      throw new CheckpointError('loadPipeline', `${where}. Train it again, or from an earlier checkpoint.`);
    },
    release() {
      for (const tensor of owned.splice(0)) tensor.dispose();
    },
  };
}
