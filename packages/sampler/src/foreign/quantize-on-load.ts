// Experts whose matrices are quantized while they are loaded.
import type { FileSource } from '@paris/files';
import { streamSafetensors } from '@paris/files/safetensors';
import {
  type Expert,
  isFiniteData,
  isPackable,
  type ModelIndex,
  type ModelNetworks,
  packedExperts,
  packedShapes,
  type ReadNetwork,
  writtenTensors,
} from '@paris/model';
import { ValueError } from '@paris/tensor';
import type { QuantizedFormat } from '@paris/tensor/nn';

/**
 * The networks with their experts quantized as they are read.
 * @throws ValueError if the model is stored in another format
 */
export function quantizeOnLoad(
  networks: ModelNetworks,
  files: FileSource,
  index: ModelIndex,
  format: QuantizedFormat,
): ModelNetworks {
  if (index.weights === format) return networks;
  if (index.weights) {
    const what = `weights is '${format}', and the model is stored in ${index.weights}`;
    throw new ValueError('loadPipeline', `${what}. Leave weights out, or import the model again.`);
  }
  const experts = packedExperts(networks.experts).map((each) => quantized(each, files, format));
  return { ...networks, experts };
}

function quantized(read: ReadNetwork<Expert>, files: FileSource, format: QuantizedFormat): ReadNetwork<Expert> {
  const { folder, tensors = () => streamSafetensors(files, `${folder}/model.safetensors`) } = read;
  return {
    ...read,
    stored: read.stored.flatMap((entry) => {
      if (!isPackable(entry.name, entry.shape, format)) return [entry];
      const [words, scale] = packedShapes(entry.name, entry.shape, format);
      return [
        { name: words[0], dtype: 'U32', shape: words[1] },
        { name: scale[0], dtype: format === 'q8' ? 'F32' : 'F16', shape: scale[1] },
      ];
    }),
    async *tensors() {
      for await (const [name, tensor] of tensors()) {
        // What is not finite is listed by what loads it.
        const isPacked = isPackable(name, tensor.shape, format) && isFiniteData(tensor.data);
        if (isPacked) yield* writtenTensors(name, tensor, format);
        else yield [name, tensor];
      }
    },
  };
}
