// The same model before any training: what it draws is the worst that a distance is compared with.
import { type FileSource, type FileStore, memoryStore } from '@paris/files';
import { expertFolder, presentExperts, toFlat, writeModelIndex } from '@paris/model';
import { loadModel } from '@paris/sampler';
import { type Device, key, type TensorKey } from '@paris/tensor';
import { encodeTensors } from '../train/job.js';
import type { Architectures } from './evaluate.js';

/** Of which model, and from which seed its experts are initialised. */
export interface UntrainedOptions {
  device: Device;
  seed: number;
  architectures?: Architectures | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * A copy of a model in memory whose experts have their initial weights, as a training of this seed would begin. The router, the
 * codec and the text side stay as they are.
 * @throws what `loadModel` throws
 */
export async function untrainedModel(
  model: FileSource,
  { device, seed, architectures, signal }: UntrainedOptions,
): Promise<FileStore> {
  const { experts: own = [], ...parts } = architectures ?? {};
  const loaded = await loadModel(model, { device, architectures: own, ...parts, signal });
  const copy = memoryStore();
  try {
    const { clusters, absent, latent, path, shift, routing, codec, licence, files } = loaded.index;
    for (const file of files) await copy.write(file.path, await model.read(file.path));
    for (const k of presentExperts(loaded.index)) {
      const { expert } = loaded.experts[k]!;
      const init = device.compile((from: TensorKey) => toFlat(expert.init(from)));
      const params = await init(key(seed).foldIn(k));
      await copy.write(`${expertFolder(k)}/model.safetensors`, await encodeTensors(params));
      for (const tensor of Object.values(params)) tensor.dispose();
    }
    await writeModelIndex(copy, {
      ...{ clusters, latent, path, routing, codec, licence },
      ...(absent && { absent }),
      ...(shift !== undefined && { shift }),
    });
    return copy;
  } finally {
    await loaded.close();
  }
}
