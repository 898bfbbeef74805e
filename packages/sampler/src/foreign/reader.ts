import type { FileSource } from '@paris/files';
import type { ModelIndex, ModelNetworks } from '@paris/model';
import type { QuantizedFormat } from '@paris/tensor/nn';
import type { DownloadOptions } from '../pipeline/download.js';
import type { LoadOptions } from '../pipeline/load.js';
import type { ForeignModel } from './open.js';
import type { NamedSource } from './source.js';

/** What reads models in other people's forms, and quantizes while it reads. */
export interface ForeignReader {
  /** The files of `hf:owner/name`, or of the path or URL of a file of weights. */
  openNamed(address: string, options?: DownloadOptions): NamedSource;
  /** Recognises a model and says so. Throws a CheckpointError if it is not recognised, or not whole. */
  load(store: FileSource, where: string, file: string | undefined, options: LoadOptions): Promise<ForeignModel>;
  /** The same networks, whose experts are quantized as they are read. Throws a ValueError if they are so already in another format. */
  quantize(networks: ModelNetworks, files: FileSource, index: ModelIndex, format: QuantizedFormat): ModelNetworks;
}
